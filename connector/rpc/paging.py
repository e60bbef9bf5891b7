"""Reads the records of a search page by page: after the last id seen, or by offset. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from connector.rpc.errors import RPCError

Row = dict[str, Any]
Domain = Sequence[Any]


class Pager(Protocol):
    """Says what to ask for next, and is told what came."""

    #: no page remains
    done: bool

    def next_page(self) -> dict[str, Any]:
        """The arguments of the next `search_read`."""

    def accept(self, rows: list[Row]) -> None:
        """Take note of a page."""


def pager_for(domain: Domain, order: str | None, page_size: int) -> Pager:
    """The pager that keeps to *order*: by id where it allows that, else by offset."""
    if page_size < 1:
        raise ValueError(f"page_size is at least 1, not {page_size}")
    words = (order or "id").lower().split()
    if words in (["id"], ["id", "asc"]):
        return IdPager(domain, page_size)
    if words == ["id", "desc"]:
        return IdPager(domain, page_size, descending=True)
    return OffsetPager(domain, order or "id", page_size)


class IdPager:
    """
    Asks for what lies beyond the last id.

    Records that appear or vanish meanwhile move no other past a page's edge, and the last
    page costs the server no more than the first.
    """

    def __init__(self, domain: Domain, page_size: int, descending: bool = False) -> None:
        self._domain = list(domain)
        self._page_size = page_size
        self._order, self._beyond = ("id desc", "<") if descending else ("id", ">")
        self._last_id: int | None = None
        self.done = False

    def next_page(self) -> dict[str, Any]:
        # A term more at the end of a domain is joined by "and", whatever stands before.
        beyond = [] if self._last_id is None else [["id", self._beyond, self._last_id]]
        return {
            "domain": [*self._domain, *beyond],
            "order": self._order,
            "limit": self._page_size,
        }

    def accept(self, rows: list[Row]) -> None:
        self.done = len(rows) < self._page_size
        if not rows:
            return
        last_id = rows[-1].get("id")
        if not isinstance(last_id, int) or last_id == self._last_id:
            raise RPCError(f"The server's pages do not advance beyond id {self._last_id}.")
        self._last_id = last_id


class OffsetPager:
    """
    Asks for what lies behind the rows already seen, in any order.

    Records that appear or vanish meanwhile can shift others over a page's edge, so that one
    is read twice or missed.
    """

    def __init__(self, domain: Domain, order: str, page_size: int) -> None:
        self._domain = list(domain)
        self._page_size = page_size
        names = {term.split()[0] for term in order.lower().split(",") if term.split()}
        # Rows that are equal by the order asked for may come in another one on each page.
        self._order = order if "id" in names else f"{order}, id"
        self._offset = 0
        self.done = False

    def next_page(self) -> dict[str, Any]:
        return {
            "domain": self._domain,
            "order": self._order,
            "limit": self._page_size,
            "offset": self._offset,
        }

    def accept(self, rows: list[Row]) -> None:
        self.done = len(rows) < self._page_size
        self._offset += len(rows)
