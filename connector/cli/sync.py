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
from connector.unit.backend_adapter import CRUDAdapter, Page
from connector.unit.batch import import_chunk, import_record

T = TypeVar("T")

#: A backend that asks for a pause more often than this for one page is left alone.
TRIES = 10
#: The pause where a backend does not say how long.
PAUSE_SECONDS = 2.0


@click.command()
@click.argument("backend")
@click.argument("model")
@click.option("--ids", help="Only these external ids, separated by commas.")
def sync(backend: str, model: str, ids: str | None) -> int:
    """
    Import the records of MODEL, a binding model, from the backend called BACKEND.

    Each page, or each of the ids, is a transaction of its own. A record that cannot be imported
    is named, and left to a job; the exit status is then 1.
    """
    counts: dict[str, Counter[str]] = {}
    poisoned: dict[str, str] = {}
    with open_servers(current()):
        source = Source(backend, model)
        found = source.pages() if ids is None else source.records(ids.split(","))
        for result in found:
            for name, outcomes in result["counts"].items():
                counts.setdefault(name, Counter()).update(outcomes)
            poisoned.update(result.get("poisoned", {}))
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

    def pages(self) -> Iterator[dict[str, Any]]:
        """Import the whole listing; gives the result of each page."""
        link = None
        while True:
            page = self._patiently(_Read(link))
            if page.records:
                yield self._patiently(_Import(page.records))
            if page.next is None:
                return
            link = page.next

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

    def __call__(self, connector_env: ConnectorEnvironment) -> Page:
        return connector_env.get_connector_unit(CRUDAdapter).search_page(None, self.link)


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
