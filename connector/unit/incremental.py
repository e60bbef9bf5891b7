"""
Importing what changed since the last time, without losing a record.

    cursor         a time of the backend's clock, and what was seen at exactly that time
    window         asked for from a little before the cursor: it overlaps the last one
    first page     bounds the new cursor

While a listing is read, a writer may change a record of a page that is read already, and after
it one of a later page.  The newest time in the listing would then lie beyond a change that the
listing does not show.  The first page was read before all of that, so the newest time in it does
not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from connector.binder import external_key
from connector.connector import ConnectorEnvironment
from connector.exception import InvalidDataError, NoConnectorUnitError
from connector.unit.backend_adapter import BackendAdapter
from connector.unit.checksum import checksum
from connector.unit.modifier import to_utc
from connector.unit.synchronizer import Importer

__all__ = ["IncrementalImporter", "Window", "open_window"]

CURSORS = "connector.import.cursor"


class IncrementalImporter(Importer):
    """Says how a backend is asked for what changed; register another one for another way."""

    _base_backend_adapter = BackendAdapter

    #: The filter that takes a point in time.
    _since_filter: ClassVar[str] = "updated_since"
    #: The window begins so much before the cursor: more than the unit of the backend's clock,
    #: so that a filter that leaves the point itself out loses nothing, and more than a
    #: transaction of the backend takes between its stamp and its commit.
    _overlap_seconds: ClassVar[float] = 60.0

    def filters(self, since: datetime | None) -> dict[str, Any]:
        """Give the filters for changes after a point in time; None asks for everything."""
        return {} if since is None else {self._since_filter: self.to_backend(since)}

    def to_backend(self, point: datetime) -> str:
        """Write a point in time as the backend reads it."""
        return point.isoformat(timespec="microseconds") + "Z"

    def run(self) -> Window:
        """Open the window."""
        cursor = _cursor(self.connector_env)
        if not cursor:
            return Window(self.filters(None), importer=self)
        value = datetime.fromisoformat(cursor.value)
        since = value - timedelta(seconds=self._overlap_seconds)
        return Window(self.filters(since), value, dict(cursor.seen or {}), importer=self)


@dataclass
class Window:
    """The changes of one run; closing it moves the cursor."""

    filters: dict[str, Any] | None = None
    value: datetime | None = None
    seen: dict[str, str] = field(default_factory=dict)
    importer: IncrementalImporter | None = None
    #: Everything read is bound, or waits as a job of its own.
    is_complete: bool = True
    _first_page: list[datetime] | None = None
    _found: list[tuple[datetime, str, str]] = field(default_factory=list)

    def unseen(self, records: Sequence[Any]) -> list[Any]:
        """Note a page of the listing and give those of its records that were not seen before."""
        if self.importer is None:
            return list(records)
        new, stamps = [], []
        for record in records:
            try:
                stamp, external_id = self._stamp(record), self._external_id(record)
            except (KeyError, TypeError, InvalidDataError):
                new.append(record)  # the import says what is wrong with it
                continue
            digest = checksum(record)
            if stamp is not None:
                stamps.append(stamp)
                self._found.append((stamp, external_id, digest))
            if stamp is None or stamp != self.value or self.seen.get(external_id) != digest:
                new.append(record)
        if self._first_page is None:
            self._first_page = stamps
        return new

    def _external_id(self, record: Any) -> str:
        assert self.importer is not None
        return external_key(self.importer.backend_adapter.external_id_of(record))

    def _stamp(self, record: Any) -> datetime | None:
        assert self.importer is not None
        value = record.get(self.importer.backend_adapter._updated_at_field)
        return to_utc(value) if value else None

    def close(self, connector_env: ConnectorEnvironment) -> None:
        """Move the cursor, unless something was left to others or nothing was found."""
        if not self.is_complete or not self._first_page:
            return
        value = max(self._first_page)
        if self.value is not None and value < self.value:
            return
        seen = {external_id: digest for stamp, external_id, digest in self._found if stamp == value}
        values = {"value": value.isoformat(timespec="microseconds"), "seen": seen}
        cursor = _cursor(connector_env)
        if cursor:
            cursor.write(values)
        else:
            connector_env.env[CURSORS].create({**_key(connector_env), **values})


def open_window(connector_env: ConnectorEnvironment) -> Window:
    """Open the window of the environment's model, from its cursor on."""
    try:
        importer = connector_env.get_connector_unit(IncrementalImporter)
    except NoConnectorUnitError:
        importer = IncrementalImporter(connector_env)
    return importer.run()


def _cursor(connector_env: ConnectorEnvironment) -> Any:
    key = _key(connector_env)
    return connector_env.env[CURSORS].search([(name, "=", key[name]) for name in key])


def _key(connector_env: ConnectorEnvironment) -> dict[str, str]:
    record = connector_env.backend_record
    return {"backend": f"{record._name},{record.id}", "model": connector_env.model_name}
