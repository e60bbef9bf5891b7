"""Faults that the shop shows on demand, so that tests meet them on a real wire."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

from connector_example.shop.tables import Record


@dataclass(frozen=True)
class Fault:
    """One fault on the pages of one kind of records."""

    name: str  #: a key of RESPONSES or RECORDS
    kind: str  #: whose pages are affected
    options: dict[str, Any] = field(default_factory=dict)  #: what the fault wants to know


def _not_json(options: dict[str, Any]) -> Response:
    return HTMLResponse("<h1>Down for maintenance</h1>")


def _unavailable(options: dict[str, Any]) -> Response:
    return JSONResponse({"error": "Temporarily unavailable."}, status_code=503)


def _missing_field(records: list[Record], options: dict[str, Any]) -> list[Record]:
    """One record, by `id`, loses its `field`."""
    return [
        {name: value for name, value in record.items() if name != options["field"]}
        if record["id"] == options["id"]
        else record
        for record in records
    ]


#: Faults that answer instead of the page.
RESPONSES: dict[str, Callable[[dict[str, Any]], Response]] = {
    "not_json": _not_json,
    "unavailable": _unavailable,
}

#: Faults that change the records of the page.
RECORDS: dict[str, Callable[[list[Record], dict[str, Any]], list[Record]]] = {
    "missing_field": _missing_field,
}


#: Faults that keep the answer to a create or a change from its caller.  `seconds`: a new record
#: is stored only so much later; `hold`: the caller waits so long; `times`: so many are lost.
LOSING = frozenset({"lost_answer"})


class Faults:
    """The faults that are switched on now."""

    def __init__(self) -> None:
        self._active: list[Fault] = []

    def use(self, faults: list[Fault]) -> None:
        """
        Show these faults and no others.

        Raises:
            ValueError: there is no fault of that name.
        """
        known = RESPONSES.keys() | RECORDS.keys() | LOSING
        unknown = {fault.name for fault in faults} - known
        if unknown:
            raise ValueError(f"No fault {sorted(unknown)}; there are {sorted(known)}.")
        self._active = faults

    def response(self, kind: str) -> Response | None:
        for fault in self._active:
            if fault.kind == kind and fault.name in RESPONSES:
                return RESPONSES[fault.name](fault.options)
        return None

    def losing(self, kind: str) -> Fault | None:
        """Give the fault that loses the next answer to a caller who writes, and count it."""
        for fault in self._active:
            if fault.kind == kind and fault.name in LOSING:
                left = fault.options.setdefault("times", 1)
                fault.options["times"] = left - 1
                return fault if left > 0 else None
        return None

    def records(self, kind: str, records: list[Record]) -> list[Record]:
        for fault in self._active:
            if fault.kind == kind and fault.name in RECORDS:
                records = RECORDS[fault.name](records, fault.options)
        return records
