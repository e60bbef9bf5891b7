"""`connector sync`: import from a backend here and now, without a worker."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from connector.cli.backend import database_session, environment_of
from connector.cli.entry import open_servers
from connector.config import current
from connector.connector import ConnectorEnvironment
from connector.exception import RetryableJobError
from connector.session import ConnectorSession
from connector.unit.backend_adapter import CRUDAdapter, Page
from connector.unit.batch import import_chunk, import_record
from connector.unit.dry_run import Prediction, predict
from connector.unit.incremental import Window, open_window
from connector.unit.sweep import gone_from

T = TypeVar("T")

#: A backend that asks for a pause more often than this for one page is left alone.
TRIES = 10
#: The pause where a backend does not say how long.
PAUSE_SECONDS = 2.0


@click.command()
@click.argument("backend")
@click.argument("model")
@click.option("--ids", help="Only these external ids, separated by commas.")
@click.option("--full", is_flag=True, help="The whole listing; what is done without an option.")
@click.option("--since", is_flag=True, help="Only what changed since the cursor, which then moves.")
@click.option("--dry-run", is_flag=True, help="Tell what would be done, record by record.")
@click.option(
    "--max-delete",
    type=click.FloatRange(0, 1),
    help="After the import, unbind what the backend does not have any more, up to this share.",
)
def sync(
    backend: str,
    model: str,
    ids: str | None,
    full: bool,
    since: bool,
    dry_run: bool,
    max_delete: float | None,
) -> int:
    """
    Import the records of MODEL, a binding model, from the backend called BACKEND.

    Each page, or each of the ids, is a transaction of its own. A record that cannot be imported
    is named, and left to a job; the exit status is then 1.
    """
    if (ids is not None) + full + since > 1:
        raise click.UsageError("--ids, --full and --since exclude each other.")
    if max_delete is not None and (dry_run or since or ids is not None):
        raise click.UsageError("--max-delete goes with the whole listing only, and for real.")
    if dry_run:
        return _dry_run(backend, model, None if ids is None else ids.split(","), since)
    counts: dict[str, Counter[str]] = {}
    poisoned: dict[str, str] = {}
    with open_servers(current()):
        source = Source(backend, model)
        found = source.pages(since) if ids is None else source.records(ids.split(","))
        for result in found:
            for name, outcomes in result["counts"].items():
                counts.setdefault(name, Counter()).update(outcomes)
            poisoned.update(result.get("poisoned", {}))
        if max_delete is not None:
            removed = source._patiently(_Sweep(max_delete))
            counts.setdefault(model, Counter()).update({"unbound": removed} if removed else {})
    for name, outcomes in sorted(counts.items()):
        told = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(outcomes.items()))
        click.echo(f"{name}: {told}")
    if not counts and not poisoned:
        click.echo(f"{model}: nothing to import")
    for external_id, reason in sorted(poisoned.items()):
        click.echo(f"{model} {external_id} failed: {reason}", err=True)
    return 1 if poisoned else 0


@dataclass(frozen=True)
class Source:
    """A backend and a binding model, both by name."""

    backend: str
    model: str

    def pages(self, since: bool = False) -> Iterator[dict[str, Any]]:
        """Import the listing, with *since* what is new in it; gives the result of each page."""
        window = self._patiently(open_window) if since else Window()
        link = None
        while True:
            page = self._patiently(_Read(link, window.filters))
            records = window.unseen(page.records) if since else page.records
            if records:
                result = self._patiently(_Import(records))
                window.is_complete &= not result["refused"]
                yield result
            if page.next is None:
                break
            link = page.next
        if since:
            self._patiently(window.close)

    def records(self, external_ids: list[str]) -> Iterator[dict[str, Any]]:
        """Import some records; gives the result of each."""
        for external_id in filter(None, map(str.strip, external_ids)):
            yield self._patiently(_ImportOne(external_id))

    def _patiently(self, work: Callable[[ConnectorEnvironment], T]) -> T:
        """
        Do *work* in a transaction of its own, again after each pause that the backend asks for.

        Raises:
            RetryableJobError: it asks for one too often.
        """
        for _ in range(TRIES - 1):
            try:
                return self._once(work)
            except RetryableJobError as error:
                time.sleep(error.seconds or PAUSE_SECONDS)
        return self._once(work)

    def _once(self, work: Callable[[ConnectorEnvironment], T]) -> T:
        with database_session().session() as session:
            return work(environment_of(session, self.backend, self.model))


@dataclass(frozen=True)
class _Read:
    link: Any
    filters: dict[str, Any] | None = None

    def __call__(self, connector_env: ConnectorEnvironment) -> Page:
        return connector_env.get_connector_unit(CRUDAdapter).search_page(self.filters, self.link)


@dataclass(frozen=True)
class _Sweep:
    max_delete: float

    def __call__(self, connector_env: ConnectorEnvironment) -> int:
        gone = gone_from(connector_env, self.max_delete).gone
        count = len(gone)
        gone.with_context(connector_no_export=True).unlink()
        return count


@dataclass(frozen=True)
class _Import:
    found: list[Any]

    def __call__(self, connector_env: ConnectorEnvironment) -> dict[str, Any]:
        backend_id = connector_env.backend_record.id
        return import_chunk(connector_env.session, connector_env.model_name, backend_id, self.found)


@dataclass(frozen=True)
class _ImportOne:
    external_id: str

    def __call__(self, connector_env: ConnectorEnvironment) -> dict[str, Any]:
        backend_id = connector_env.backend_record.id
        return import_record(
            connector_env.session, connector_env.model_name, backend_id, self.external_id
        )


def _dry_run(backend: str, model: str, ids: list[str] | None, since: bool) -> int:
    """Import in one transaction that is rolled back, and tell what it did."""
    failed = False
    with open_servers(current()), database_session().session() as stored:
        stored.cr.rollback()
        with database_session().session() as session:
            connector_env = environment_of(session, backend, model)
            for prediction in _predictions(connector_env, stored, ids, since):
                told = f"{prediction.model} {prediction.external_id}: {prediction.outcome}"
                click.echo(f"{told} {prediction.reason}".rstrip())
                for name, (before, after) in sorted(prediction.diff.items()):
                    click.echo(f"    {name}: {before!r} -> {after!r}")
                failed |= prediction.outcome == "failed"
            session.cr.rollback()
    return 1 if failed else 0


def _predictions(
    connector_env: ConnectorEnvironment,
    stored: ConnectorSession,
    ids: list[str] | None,
    since: bool,
) -> Iterator[Prediction]:
    adapter = connector_env.get_connector_unit(CRUDAdapter)
    if ids is not None:
        wanted = [external_id.strip() for external_id in ids if external_id.strip()]
        yield from predict(connector_env, adapter.read_many(wanted), stored)
        return
    window = open_window(connector_env) if since else Window()
    for records in adapter.search_pages(window.filters):
        yield from predict(connector_env, window.unseen(records), stored)
