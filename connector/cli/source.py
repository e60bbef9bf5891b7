"""A backend and a binding model that are imported from the command line, for real or to look."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from connector.cli.backend import database_session, environment_of
from connector.connector import ConnectorEnvironment
from connector.core import sql
from connector.core.sql import errors as sql_errors
from connector.exception import BackendUnreachableError, RetryableJobError
from connector.unit.backend_adapter import CRUDAdapter
from connector.unit.batch import import_chunk, import_record, poisoned_record
from connector.unit.chunk import is_of_a_record
from connector.unit.dry_run import DryRun, Prediction
from connector.unit.incremental import Window, open_window
from connector.unit.patience import PAUSE_SECONDS, Patience
from connector.unit.sweep import Sweep, gone_from

T = TypeVar("T")
Result = dict[str, Any]

#: A backend that asks for a pause more often than this for one page is left alone.
TRIES = 10


@dataclass(frozen=True)
class Source:
    """A backend and a binding model, both by name."""

    backend: str
    model: str

    def results(
        self, ids: list[str] | None, since: bool, max_delete: float | None
    ) -> Iterator[Result]:
        """Import, each page or id in a transaction of its own, and give what came of it."""
        if ids is not None:
            for external_id in ids:
                yield self._import_one(external_id)
            return
        window = self._patiently(open_window) if since else Window()
        for records in self._pages(window):
            result = self._patiently(partial(_import_page, records))
            window.is_complete &= not result["refused"]
            yield result
        if since:
            self._patiently(partial(_close, window))
        if max_delete is not None:
            count = self._patiently(partial(_mark_gone, max_delete))
            yield {"counts": {self.model: {"missing": count}} if count else {}}

    def predictions(
        self, ids: list[str] | None, since: bool, max_delete: float | None
    ) -> Iterator[Prediction]:
        """Give what `results` would do, record by record, and do nothing."""
        window = self._patiently(open_window) if since else Window()
        with self._session() as stored, self._session() as session:
            dry_run = DryRun(environment_of(session, self.backend, self.model), stored)
            for external_id in ids or ():
                yield from dry_run.of_record(external_id)
            for records in self._pages(window) if ids is None else ():
                yield from dry_run.of_page(records)
            if max_delete is not None:
                for external_id in self._patiently(partial(_gone_ids, max_delete)):
                    yield Prediction(self.model, external_id, "missing")
            session.rollback()

    def _pages(self, window: Window) -> Iterator[list[Any]]:
        """Give the records of each page that are to be imported."""
        link = None
        while True:
            page = self._patiently(partial(_read_page, window.filters, link))
            if records := window.take(page):
                yield records
            if page.next is None:
                return
            link = page.next

    def _import_one(self, external_id: str) -> Result:
        """Import a record; one that cannot be is filed as a job, like one of a page."""
        try:
            return self._patiently(partial(_import_record, external_id))
        except Exception as error:
            if not is_of_a_record(error) or isinstance(error, RetryableJobError):
                raise
            return self._patiently(partial(poisoned_record, external_id, error))

    def _patiently(self, work: Callable[[ConnectorEnvironment], T]) -> T:
        """
        Do *work* in a transaction of its own, again after a pause that is asked for.

        Raises:
            RetryableJobError: that was too often, or the backend does not answer.
        """
        for _ in range(TRIES - 1):
            try:
                return self._once(work)
            except Exception as error:
                pause = _pause_after(error)
                if pause is None:
                    raise
                time.sleep(pause)
        return self._once(work)

    def _once(self, work: Callable[[ConnectorEnvironment], T]) -> T:
        with self._session() as session:
            return work(environment_of(session, self.backend, self.model))

    @staticmethod
    def _session() -> Any:
        # As in jobs: what is looked at under a lock must not be older than the lock.
        return database_session().session(sql.READ_COMMITTED)


def _pause_after(error: Exception) -> float | None:
    """Give how long to wait before the next try; None where waiting is not what helps."""
    if sql_errors.is_conflict(error):
        return PAUSE_SECONDS / TRIES
    # A backend that is down says nothing about when it is back: whoever typed the command decides.
    if isinstance(error, RetryableJobError) and not isinstance(error, BackendUnreachableError):
        return error.seconds
    return None


def _read_page(filters: Any, link: Any, connector_env: ConnectorEnvironment) -> Any:
    return connector_env.get_connector_unit(CRUDAdapter).search_page(filters, link)


def _import_page(records: list[Any], connector_env: ConnectorEnvironment) -> Result:
    session, model = connector_env.session, connector_env.model_name
    return import_chunk(session, model, connector_env.backend_record.id, records, set_aside=True)


def _import_record(external_id: str, connector_env: ConnectorEnvironment) -> Result:
    session, model = connector_env.session, connector_env.model_name
    return import_record(session, model, connector_env.backend_record.id, external_id)


def _close(window: Window, connector_env: ConnectorEnvironment) -> None:
    """Close a window in another transaction than the one that opened it."""
    if window.importer is not None:
        window.importer = type(window.importer)(connector_env)
    window.close()


def _sweep(max_delete: float, connector_env: ConnectorEnvironment) -> Sweep:
    return gone_from(connector_env, max_delete, Patience(math.inf))


def _mark_gone(max_delete: float, connector_env: ConnectorEnvironment) -> int:
    sweep = _sweep(max_delete, connector_env)
    sweep.mark()
    return len(sweep.gone)


def _gone_ids(max_delete: float, connector_env: ConnectorEnvironment) -> list[str]:
    sweep = _sweep(max_delete, connector_env)
    return sorted(sweep.gone.mapped(sweep.external_field))
