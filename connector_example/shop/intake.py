"""
What callers send to the shop: new records, and changes of known ones.

A create may carry an `Idempotency-Key`: the same key makes one record, whatever becomes of the
answer.  The shop can lose answers on demand, before or long after it has stored the record.
"""

import asyncio
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from connector_example.shop.catalogue import Catalogue
from connector_example.shop.faults import Faults
from connector_example.shop.tables import Record


class NoAnswer(Response):
    """Closes the connection in the middle of an answer, as a failing network does."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 201, "headers": headers})


class Intake:
    """Takes what callers send into the catalogue."""

    def __init__(self, catalogue: Catalogue, faults: Faults) -> None:
        self._catalogue = catalogue
        self._faults = faults
        self._by_key: dict[tuple[str, str], asyncio.Task[int]] = {}

    async def create(self, kind: str, values: Any, key: str | None) -> Response:
        """Store a new record, or find the one that this key has made."""
        self._check(kind, values)
        fault = self._faults.losing(kind)
        late = float(fault.options.get("seconds", 0)) if fault else 0.0
        task = self._by_key.get((kind, key)) if key else None
        if task is None:
            task = asyncio.create_task(self._store(kind, values, late))
            self._by_key[kind, key or f"unnamed {len(self._by_key)}"] = task
        if fault is not None:
            if not late:
                await asyncio.shield(task)
            await asyncio.sleep(float(fault.options.get("hold", 0)))
            return NoAnswer()
        record_id = await asyncio.shield(task)
        return JSONResponse(self._catalogue.published(kind, record_id), status_code=201)

    async def update(self, kind: str, record_id: int, values: Any) -> Response:
        """Change some fields of a record."""
        self._check(kind, values)
        if self._catalogue.get(kind, record_id) is None:
            raise HTTPException(404, f"There is no {kind} {record_id}.")
        self._catalogue.update(kind, record_id, values)
        self._catalogue.save()
        if self._faults.losing(kind) is not None:
            return NoAnswer()
        return JSONResponse(self._catalogue.published(kind, record_id))

    async def _store(self, kind: str, values: Record, late: float) -> int:
        if late:
            await asyncio.sleep(late)
        record = self._catalogue.create(kind, values)
        self._catalogue.save()
        return int(record["id"])

    def _check(self, kind: str, values: Any) -> None:
        if not isinstance(values, dict):
            raise HTTPException(422, "A record is a JSON object.")
        unknown = values.keys() - self._catalogue.fields(kind)
        if unknown:
            raise HTTPException(422, f"{kind} have no field {sorted(unknown)}.")
