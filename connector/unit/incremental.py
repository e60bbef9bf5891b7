"""
Importing what changed since the last time, without losing a record.

    cursor         a time of the backend's clock, and what was seen at exactly that time
    window         asked for from a little before the cursor: it overlaps the last one
    first page     bounds the new cursor

While a listing is read, a writer may change a record of a page that is read already, and after
it one of a later page.  The newest time in the listing would then lie beyond a change that the
listing does not show.  What the first page shows was there before all of that, and so was what
earlier listings have shown: the newest of these times is the new cursor, unless the backend says
with its first page that its clock is not there yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from connector.binder import external_key
from connector.connector import ConnectorEnvironment, lock_name
from connector.exception import InvalidDataError, NoConnectorUnitError
from connector.unit.backend_adapter import BackendAdapter, Page
from connector.unit.checksum import checksum
from connector.unit.modifier import to_utc
from connector.unit.synchronizer import Importer

__all__ = ["IncrementalImporter", "Window", "cursor_key", "incremental_importer", "open_window"]

CURSORS = "connector.import.cursor"
#: More records than this at one time are not remembered one by one, but imported once more.
SEEN_LIMIT = 10_000

_LOCK = """
SELECT id, value, newest FROM connector_import_cursor
 WHERE backend = %(backend)s AND model = %(model)s FOR UPDATE
"""


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
        cursor = self.env[CURSORS].search(_domain(self.connector_env))
        if not cursor:
            return Window(self.filters(None), importer=self)
        value = datetime.fromisoformat(cursor.value)
        since = value - timedelta(seconds=self._overlap_seconds)
        newest = datetime.fromisoformat(cursor.newest) if cursor.newest else value
        seen = dict(cursor.seen or {})
        return Window(self.filters(since), value, since, seen, newest, importer=self)

    def move_cursor(self, window: Window) -> None:
        """
        Move the cursor to the bound of a window in which everything is bound or filed.

        Of two windows that end together the farther one counts: what lies before its bound was
        listed for it, whatever the other one has done.

        Raises:
            RetryableJobError: another window is being closed.
        """
        key = cursor_key(self.connector_env)
        self.advisory_lock_or_retry(
            lock_name("import_cursor", self.backend_record, key["model"], "cursor")
        )
        self.env.cr.execute(_LOCK, key)
        row = self.env.cr.fetchone()
        cursor = self.env[CURSORS].browse(row[0] if row else ())
        if window.is_put_back:
            cursor.unlink()  # what was changed meanwhile is older than the cursor: all is read
            return
        assert window.bound is not None
        if row and row[1] > _text(window.bound):
            return
        newest = max(filter(None, (_text(window.newest), row and row[2])))
        values = {"value": _text(window.bound), "newest": newest, "seen": window.seen_at_bound()}
        if row:
            cursor.write(values)
        else:
            cursor.create({**key, **values})


@dataclass
class Window:
    """The changes of one run; closing it moves the cursor."""

    filters: dict[str, Any] | None = None
    #: the cursor, and how long before it the window begins
    value: datetime | None = None
    since: datetime | None = None
    #: external id -> checksum, of the records imported at exactly the cursor's time
    seen: dict[str, str] = field(default_factory=dict)
    #: the newest time that any listing has shown
    newest: datetime | None = None
    #: the next cursor; None before the first page and where no record has a time
    bound: datetime | None = None
    #: what `seen` is for the next cursor
    at_bound: dict[str, str] = field(default_factory=dict)
    is_begun: bool = False
    #: The backend's clock is behind the window: somebody has put it back.
    is_put_back: bool = False
    #: Everything read is bound, or waits as a job of its own.
    is_complete: bool = True
    importer: IncrementalImporter | None = None

    def take(self, page: Page) -> list[Any]:
        """Note a page of the listing and give those of its records that were not seen before."""
        if self.importer is None:
            return list(page.records)
        new: list[Any] = []
        found = list(self._found_on(page, new))
        if not self.is_begun:
            self._begin(page, [stamp for stamp, _, _ in found])
        for stamp, external_id, digest in found:
            self.newest = max(stamp, self.newest or stamp)
            if stamp == self.bound:
                self.at_bound[external_id] = digest
        return new

    def _found_on(self, page: Page, new: list[Any]) -> Iterator[tuple[datetime, str, str]]:
        """Give time, id and checksum of the records that have them; add unseen ones to *new*."""
        assert self.importer is not None
        adapter = self.importer.backend_adapter
        for record in page.records:
            try:
                value = record.get(adapter._updated_at_field)
                stamp = to_utc(value) if value else None
                external_id = external_key(adapter.external_id_of(record))
            except (AttributeError, KeyError, TypeError, InvalidDataError):
                new.append(record)  # the import says what is wrong with it
                continue
            digest = checksum(record)
            if stamp is None or stamp != self.value or self.seen.get(external_id) != digest:
                new.append(record)
            if stamp is not None:
                yield stamp, external_id, digest

    def _begin(self, page: Page, stamps: list[datetime]) -> None:
        """Bound the next cursor by what was there when the listing began."""
        self.is_begun = True
        if self.newest is not None:
            stamps = [*stamps, self.newest]
        self.bound = max(stamps, default=None)
        if self.bound is not None and page.read_at is not None:
            # A record may be stamped with a time to come; what is changed until then is older.
            self.bound = min(self.bound, page.read_at)
            self.is_put_back = self.since is not None and self.bound < self.since
        if self.bound == self.value:
            self.at_bound.update(self.seen)

    def seen_at_bound(self) -> dict[str, str]:
        """Give what the next window need not import again at the time of the cursor."""
        return self.at_bound if len(self.at_bound) <= SEEN_LIMIT else {}

    def close(self) -> None:
        """Move the cursor, unless something was left to others or nothing has a time."""
        if self.importer is not None and self.is_complete and self.bound is not None:
            self.importer.move_cursor(self)

    # -- between jobs ------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Give the window as it is kept between the jobs that work on it."""
        times = {name: _text(getattr(self, name)) for name in _TIMES}
        return {**{name: getattr(self, name) for name in _PLAIN}, **times}

    @classmethod
    def from_json(cls, state: dict[str, Any], importer: IncrementalImporter) -> Window:
        """Give the window that was kept."""
        times: dict[str, Any] = {
            name: datetime.fromisoformat(state[name]) for name in _TIMES if state[name]
        }
        return cls(**{name: state[name] for name in _PLAIN}, **times, importer=importer)


_TIMES = ("value", "since", "newest", "bound")
_PLAIN = ("filters", "seen", "at_bound", "is_begun", "is_put_back", "is_complete")


def open_window(connector_env: ConnectorEnvironment) -> Window:
    """Open the window of the environment's model, from its cursor on."""
    return incremental_importer(connector_env).run()


def incremental_importer(connector_env: ConnectorEnvironment) -> IncrementalImporter:
    """Make the unit that the backend registers, or the one that serves every model."""
    try:
        return connector_env.get_connector_unit(IncrementalImporter)
    except NoConnectorUnitError:
        return IncrementalImporter(connector_env)


def cursor_key(connector_env: ConnectorEnvironment) -> dict[str, str]:
    """Give what names the cursor of a backend and model."""
    record = connector_env.backend_record
    return {"backend": f"{record._name},{record.id}", "model": connector_env.model_name}


def _domain(connector_env: ConnectorEnvironment) -> list[tuple[str, str, str]]:
    return [(name, "=", value) for name, value in cursor_key(connector_env).items()]


def _text(point: datetime | None) -> str | None:
    return None if point is None else point.isoformat(timespec="microseconds")
