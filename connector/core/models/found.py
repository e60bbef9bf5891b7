"""What a statement found: ids, of which a large number takes little memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, overload

__all__ = ["FoundIds", "all_ids", "found_ids"]

#: rows taken from the driver at once; more ids than this are packed
ROWS_AT_ONCE = 10_000


class FoundIds(Sequence[int]):
    """
    The ids of many records, as a tuple would hold them; a slice of them is a tuple.

    They are given in parts, all but the last of one length.
    """

    __slots__ = ("_parts", "_size")

    def __init__(self, parts: Sequence[Sequence[int]]) -> None:
        self._parts = parts
        self._size = len(parts[0])

    def __len__(self) -> int:
        return self._size * (len(self._parts) - 1) + len(self._parts[-1])

    @overload
    def __getitem__(self, key: int) -> int: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[int, ...]: ...
    def __getitem__(self, key: int | slice) -> int | tuple[int, ...]:
        places = range(len(self))[key]
        if isinstance(places, int):
            return self._parts[places // self._size][places % self._size]
        if places.step != 1:
            return tuple([self[place] for place in places])
        ids: list[int] = []
        while len(ids) < len(places):
            part, first = divmod(places.start + len(ids), self._size)
            ids += self._parts[part][first : first + len(places) - len(ids)]
        return tuple(ids)

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(self._parts)

    def __contains__(self, number: object) -> bool:
        return any(number in part for part in self._parts)


def found_ids(cr: Any) -> Sequence[int]:
    """The first column of the rows that *cr* found."""
    rows = cr.fetchmany(ROWS_AT_ONCE)
    if len(rows) < ROWS_AT_ONCE:
        return _ids(rows)
    parts = []
    while rows:
        parts.append(_packed(rows))
        rows = cr.fetchmany(ROWS_AT_ONCE)
    # The driver holds all rows until the next statement, behind which memory is not given back.
    cr.free_result()
    return FoundIds(parts)


def all_ids(cr: Any, statement: str, params: Sequence[Any]) -> Sequence[int]:
    """
    The first column of what may be a whole table.

    Where there are many rows they come in parts, for the driver takes ten times the memory of
    their ids to hold them all.
    """
    cr.execute_unflushed(f"{statement} LIMIT {ROWS_AT_ONCE + 1}", params)
    rows = cr.fetchall()
    if len(rows) <= ROWS_AT_ONCE:
        return _ids(rows)
    name = f"found_{cr.statement_count}"
    fetch = f"FETCH {ROWS_AT_ONCE} FROM {name}"
    # All rows are wanted: the plan is that of the statement by itself.
    begin = f"SET LOCAL cursor_tuple_fraction = 1; DECLARE {name} NO SCROLL CURSOR FOR"
    cr.execute_unflushed(f"{begin} {statement}; {fetch}", params)
    parts = []
    while rows := cr.fetchall():
        parts.append(_packed(rows))
        cr.execute_unflushed(fetch)
    cr.execute_unflushed(f"CLOSE {name}")
    return FoundIds(parts) if parts else ()


def _ids(rows: Sequence[tuple[int]]) -> tuple[int, ...]:
    return tuple([id_ for (id_,) in rows])


def _packed(rows: Sequence[tuple[int]]) -> Sequence[int]:
    """Ids without a gap, as rows made together have them, by the first and the last."""
    ids = _ids(rows)
    gapless = range(ids[0], ids[0] + len(ids))
    return gapless if ids == tuple(gapless) else array("i", ids)
