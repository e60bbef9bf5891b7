"""What the shop has: its tables, the changes made since, and the file that keeps them."""

import hashlib
import json
import os
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connector_example.shop.tables import LINES, TABLES, Record, read_table

STAMP = "%Y-%m-%dT%H:%M:%S.%fZ"
#: Characters of a stamp before its fraction.
WHOLE_SECONDS = 19


class Catalogue:
    """
    The shop's records.

    Changes are kept in *state_file*, so that a shop started again is the same shop.
    Without a file they end with the process.

    A shop that *counts_seconds* is one of the difficult ones: many changes share a stamp, and who
    asks for those since a stamp is not told of the ones that have it.
    """

    def __init__(self, state_file: Path | None = None, counts_seconds: bool = False) -> None:
        self._state_file = state_file
        self._counts_seconds = counts_seconds
        self._tables = {table: read_table(table) for table in TABLES}
        self._fields = {table: set(next(iter(self._tables[table].values()))) for table in TABLES}
        self._last_ids: Counter[str] = Counter()  # an id is never given twice
        self._changed: dict[str, dict[int, Record]] = {table: {} for table in TABLES}
        self._removed: dict[str, list[int]] = {table: [] for table in TABLES}
        self._last_stamp = datetime.min.replace(tzinfo=UTC)
        self._load()
        self._published: dict[tuple[str, int], tuple[Record, Record]] = {}
        self._lines: dict[int, list[int]] = defaultdict(list)
        for line in self._tables[LINES].values():
            self._lines[line["invoice"]].append(line["id"])

    def anew(self) -> "Catalogue":
        """The catalogue as it was before all changes; its file is forgotten."""
        if self._state_file is not None:
            self._state_file.unlink(missing_ok=True)
        return Catalogue(self._state_file, self._counts_seconds)

    def count(self, table: str) -> int:
        return len(self._tables[table])

    def ids(self, table: str) -> list[int]:
        return sorted(self._tables[table])

    def get(self, table: str, record_id: int) -> Record | None:
        """The stored record, as it is in its table."""
        return self._tables[table].get(record_id)

    def published(self, kind: str, record_id: int) -> Record | None:
        """The record as the API shows it: an invoice carries its lines, all carry an ETag."""
        record = self.get(kind, record_id)
        if record is None:
            return None
        source, shown = self._published.get((kind, record_id), (None, record))
        if source is not record:
            shown = self._publish(kind, record)
            self._published[kind, record_id] = (record, shown)
        return shown

    def _publish(self, kind: str, record: Record) -> Record:
        if kind == "invoices":
            lines = [self._tables[LINES][line_id] for line_id in sorted(self._lines[record["id"]])]
            record = {**record, "lines": lines}
        return {**record, "etag": _etag(record)}

    def page(self, kind: str, after: int, limit: int, since: str | None) -> list[Record]:
        """The first *limit* records with an id above *after*, changed at *since* or later."""
        found = self._matching(kind, after, since)
        return [record for _, record in zip(range(limit), found, strict=False)]

    def with_email(self, kind: str, email: str) -> list[Record]:
        """The records of one address, the oldest first."""
        found = (self.published(kind, record_id) for record_id in self.ids(kind))
        return [record for record in found if record and record.get("email") == email]

    def _matching(self, kind: str, after: int, since: str | None) -> Iterator[Record]:
        ids = self.ids(kind)
        for record_id in ids[bisect_right(ids, after) :]:
            record = self.published(kind, record_id)
            if record is not None and (since is None or self._is_since(record, since)):
                yield record

    def _is_since(self, record: Record, since: str) -> bool:
        stamp = str(record["updated_at"])
        if self._counts_seconds:
            return stamp[:WHOLE_SECONDS] > since[:WHOLE_SECONDS]
        return stamp >= since

    def change(self, table: str, record_id: int, **values: Any) -> Record:
        """Store new values; the invoice of a changed line is stamped with it."""
        stamp = self._stamp()
        record = {**self._tables[table][record_id], **values, "updated_at": stamp}
        self._store(table, record)
        if table == LINES:
            invoice = self._tables["invoices"][record["invoice"]]
            self._store("invoices", {**invoice, "updated_at": stamp})
        return record

    def create(self, kind: str, values: Record) -> Record:
        """
        Store a new record and give it, with its id.

        Raises:
            ValueError: the kind has no such field.
        """
        record = {**dict.fromkeys(self.fields(kind)), **self._checked(kind, values)}
        self._last_ids[kind] = max([self._last_ids[kind], *self._tables[kind]], default=0) + 1
        record |= {"id": self._last_ids[kind], "updated_at": self._stamp()}
        self._store(kind, record)
        return record

    def update(self, kind: str, record_id: int, values: Record) -> Record:
        """Store new values that came from outside; ValueError: the kind has no such field."""
        return self.change(kind, record_id, **self._checked(kind, values))

    def fields(self, kind: str) -> set[str]:
        """The fields that a caller may give."""
        return set(self._fields[kind]) - {"id", "updated_at"}

    def _checked(self, kind: str, values: Record) -> Record:
        unknown = values.keys() - self.fields(kind)
        if unknown:
            raise ValueError(f"No field {sorted(unknown)}; there are {sorted(self.fields(kind))}.")
        return values

    def remove(self, kind: str, record_id: int) -> None:
        for line_id in self._lines.pop(record_id, []) if kind == "invoices" else []:
            self._forget(LINES, line_id)
        self._forget(kind, record_id)

    def save(self) -> None:
        """Keep the changes; a reader sees the old file or the new one, never half of it."""
        if self._state_file is None:
            return
        state = {"changed": self._changed, "removed": self._removed, "last_ids": self._last_ids}
        unfinished = self._state_file.with_suffix(".new")
        unfinished.write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
        os.replace(unfinished, self._state_file)

    def dump(self) -> dict[str, list[Record]]:
        """Every record of every table, lines apart from their invoices."""
        return {
            table: [self._tables[table][record_id] for record_id in self.ids(table)]
            for table in TABLES
        }

    def _load(self) -> None:
        if self._state_file is None or not self._state_file.exists():
            return
        state = json.loads(self._state_file.read_text(encoding="utf-8"))
        self._last_ids.update(state.get("last_ids", {}))
        for table in TABLES:
            for record in state["changed"].get(table, {}).values():
                self._store(table, record)
            for record_id in state["removed"].get(table, []):
                self._forget(table, record_id)

    def _store(self, table: str, record: Record) -> None:
        self._tables[table][record["id"]] = self._changed[table][record["id"]] = record

    def _forget(self, table: str, record_id: int) -> None:
        self._tables[table].pop(record_id, None)
        self._changed[table].pop(record_id, None)
        self._removed[table].append(record_id)

    def _stamp(self) -> str:
        if self._counts_seconds:
            return datetime.now(UTC).replace(microsecond=0).strftime(STAMP)
        # Two changes never share a stamp, however coarse the clock is.
        self._last_stamp = max(datetime.now(UTC), self._last_stamp + timedelta(microseconds=1))
        return self._last_stamp.strftime(STAMP)


def _etag(record: Record) -> str:
    text = json.dumps(record, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:20]
