"""
What callers send to the shop: new records, and changes of known ones.

A create may carry an `Idempotency-Key`: the same key makes one record, whatever becomes of the
answer.  The shop can be told to store a record long after its answer.
"""

import asyncio
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from connector_example.shop.catalogue import Catalogue
from connector_example.shop.tables import Record


class Intake:
    """Takes what callers send into the catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._by_key: dict[tuple[str, str], asyncio.Task[int]] = {}

    async def create(self, kind: str, values: Any, key: str | None, late: float) -> Response:
        """
        Store a new record, or find the one that this key has made.

        A record that is stored *late*, in so many seconds, is not waited for.
        """
        self._check(kind, values)
        task = self._by_key.get((kind, key)) if key else None
        if task is None:
            task = asyncio.create_task(self._store(kind, values, late))
            self._by_key[kind, key or f"unnamed {len(self._by_key)}"] = task
        if late:
            return Response(status_code=201)
        record_id = await asyncio.shield(task)
        return JSONResponse(self._catalogue.published(kind, record_id), status_code=201)

    async def update(self, kind: str, record_id: int, values: Any) -> Response:
        """Change some fields of a record."""
        self._check(kind, values)
        if self._catalogue.get(kind, record_id) is None:
            raise HTTPException(404, f"There is no {kind} {record_id}.")
        self._catalogue.update(kind, record_id, values)
        self._catalogue.save()
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
