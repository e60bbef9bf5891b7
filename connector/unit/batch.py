"""
Batches: from the listing of a backend to the import of its records, and the import jobs.

    BatchImporter
    |-- DirectBatchImporter     imports each record at once
    |-- DelayedBatchImporter    a job for each record
    `-- ChunkedBatchImporter    a job for each page, which imports what the page has brought

A batch job reads pages for a short while, enqueues their imports and then the batch job of the
next page, all in one transaction.  The first import starts while the listing goes on, a job that
is run again enqueues nothing twice, and a pause that the backend asks for is waited for without
reading a page again.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from connector.connector import (
    ConnectorEnvironment,
    ConnectorUnit,
    ExternalId,
    get_environment,
    lock_name,
)
from connector.exception import NoConnectorUnitError, RateLimitError
from connector.queue.job import OpenERPJobStorage, job
from connector.session import ConnectorSession
from connector.unit.backend_adapter import CRUDAdapter, Page
from connector.unit.chunk import SLICE_RECORDS, ChunkImporter
from connector.unit.importer import LOCK_RETRY_SECONDS, RecordImporter
from connector.unit.incremental import Window, incremental_importer
from connector.unit.synchronizer import Importer

__all__ = [
    "BatchImporter",
    "ChunkedBatchImporter",
    "DelayedBatchImporter",
    "DirectBatchImporter",
    "import_batch",
    "import_chunk",
    "import_record",
]

#: Seconds before a try, from that try on: a backend that is down comes back sooner or later.
RETRY_PATTERN = {1: 5, 2: 30, 3: 120, 4: 600}

WINDOWS = "connector.import.window"

Filters = Mapping[str, Any]
U = TypeVar("U", bound=ConnectorUnit)


class BatchImporter(Importer):
    """Goes through the listing of a model on the backend."""

    _base_backend_adapter = CRUDAdapter

    #: How long one job reads pages before it commits what it has enqueued.
    _seconds_per_job: ClassVar[float] = 1.0

    #: The window of changes that is read, and where it is kept between the jobs.
    window: Window | None = None
    window_id: int | None = None

    def run(self, filters: Filters | None = None, page: Any = None) -> dict[str, Any]:
        """Handle some pages and enqueue the next; give how many records were read."""
        end, read = time.monotonic() + self._seconds_per_job, 0
        options: dict[str, Any] = {}
        while True:
            try:
                found: Page = self.backend_adapter.search_page(filters, page)
            except RateLimitError as pause:
                if not read:
                    raise
                options["eta"] = pause.seconds
                break
            read += len(found.records)
            records = found.records if self.window is None else self.window.take(found)
            if records:
                self.import_page(records)
            page = found.next
            if page is None or time.monotonic() > end:
                break
        if page is not None:
            self.continue_with(filters, page, **options)
        return {"read": read}

    def import_page(self, records: list[Any]) -> None:
        """Import the records of a page, or enqueue their import."""
        for record in records:
            self.import_record(self.backend_adapter.external_id_of(record), record)

    def import_record(self, external_id: ExternalId, record: Any) -> None:
        """Import one record, or enqueue its import."""
        raise NotImplementedError(
            f"{type(self).__qualname__} has neither import_page() nor import_record()."
        )

    def continue_with(self, filters: Filters | None, page: Any, **options: Any) -> None:
        """Enqueue the next page, with options of `delay`."""
        model_name = self.connector_env.model_name
        where = json.dumps([filters, page, self.window_id], sort_keys=True, default=str)
        window = {} if self.window_id is None else {"window_id": self.window_id}
        uuid = import_batch.delay(
            self.session,
            model_name,
            self.backend_record.id,
            filters=filters,
            page=page,
            identity_key=_identity("import_batch", self.backend_record, model_name, where),
            description=f"Import {model_name} of {self.backend_record.name}: next page",
            **window,
            **self.job_options(),
            **options,
        )
        OpenERPJobStorage(self.session).add_part(uuid)

    def job_options(self) -> dict[str, Any]:
        """Hook: give options of `delay`, such as `priority`, for all jobs of this model."""
        return {}


class DirectBatchImporter(BatchImporter):
    """Imports each record of all pages at once, in the running transaction."""

    _seconds_per_job = math.inf

    def import_record(self, external_id: ExternalId, record: Any) -> None:
        self.unit_for(RecordImporter).run(external_id, record=record)

    def continue_with(self, filters: Filters | None, page: Any, **options: Any) -> None:
        # One transaction for all pages cannot be left here and taken up later.
        raise RateLimitError(
            "The backend asks for a pause.", seconds=options.get("eta"), ignore_retry=True
        )


class DelayedBatchImporter(BatchImporter):
    """Enqueues a job for each record; it reads the record again when it runs."""

    def import_record(self, external_id: ExternalId, record: Any) -> None:
        if self.window is not None:
            # The window is not held open by a record that cannot be imported: it is filed.
            _delay_chunk(self.connector_env, [record], set_aside=True)
            return
        uuid = _delay_record(self.connector_env, external_id)
        OpenERPJobStorage(self.session).add_part(uuid)


class ChunkedBatchImporter(BatchImporter):
    """Enqueues one job for the page, with its records; the default."""

    def import_page(self, records: list[Any]) -> None:
        _delay_chunk(self.connector_env, records, set_aside=self.window is not None)


# -- jobs ----------------------------------------------------------------------------------------


@job(retry_pattern=RETRY_PATTERN)
def import_batch(
    session: ConnectorSession,
    model_name: str,
    backend_id: int,
    filters: Filters | None = None,
    page: Any = None,
    window_id: int | None = None,
) -> dict[str, Any]:
    """Import the records that the filters let through; the job `import_changes` adds a window."""
    connector_env = get_environment(session, model_name, backend_id)
    importer = unit_of(connector_env, BatchImporter, ChunkedBatchImporter)
    kept = session.env[WINDOWS].browse(window_id or ()).exists()
    if kept:
        importer.window_id = window_id
        importer.window = Window.from_json(kept.state, incremental_importer(connector_env))
    # Importers written for 8.0 take the filters only.
    found = importer.run(filters) if page is None else importer.run(filters, page=page)
    result = found if isinstance(found, dict) else {}
    if importer.window is not None:
        kept.write({"state": importer.window.to_json()})
    return {"model": model_name, **result, **importer.backend_adapter.usage()}


@job(retry_pattern=RETRY_PATTERN)
def import_record(
    session: ConnectorSession,
    model_name: str,
    backend_id: int,
    external_id: ExternalId,
    force: bool = False,
) -> dict[str, Any]:
    """Import one record, with what it depends on."""
    connector_env = get_environment(session, model_name, backend_id)
    importer = connector_env.get_connector_unit(RecordImporter)
    outcome = importer.run(external_id, force=force)
    return {
        "model": model_name,
        "outcome": str(outcome),
        "counts": importer.import_run.counts(),
        **importer.backend_adapter.usage(),
    }


def poisoned_record(
    external_id: ExternalId, error: Exception, connector_env: ConnectorEnvironment
) -> dict[str, Any]:
    """File a record that cannot be imported as a job of its own, and report it as a chunk does."""
    _delay_record(connector_env, external_id)
    reason = f"{type(error).__name__}: {error}"
    return {"counts": {}, "refused": 0, "poisoned": {str(external_id): reason}}


@job(retry_pattern=RETRY_PATTERN)
def import_chunk(
    session: ConnectorSession,
    model_name: str,
    backend_id: int,
    records: Sequence[Any],
    force: bool = False,
    set_aside: bool = False,
) -> dict[str, Any]:
    """
    Import records that a page has brought.

    A record that cannot be imported is filed as a job of its own.  One that is alone lets this
    job fail itself, unless *set_aside* says that something waits for all of the job's work.
    """
    connector_env = get_environment(session, model_name, backend_id)
    total: dict[str, Any] = {"model": model_name, "counts": {}, "refused": 0, "poisoned": {}}
    usage: dict[str, int] = {}
    for start in range(0, len(records), SLICE_RECORDS):
        if start:
            session.commit()  # a checkpoint: the slices before are kept, their locks given back
        importer = unit_of(connector_env, ChunkImporter, ChunkImporter)
        part = records[start : start + SLICE_RECORDS]
        result = importer.run(part, force=force, set_aside=set_aside)
        if result.refused:
            _delay_chunk(
                connector_env,
                result.refused,
                eta=LOCK_RETRY_SECONDS,
                force=force,
                set_aside=set_aside,
            )
        for record in result.nameless:
            _delay_chunk(connector_env, [record], is_part=False, force=force)
        for external_id in result.poisoned:
            # No part of the batch: what waits for that must not wait for a record nobody can take.
            _delay_record(connector_env, external_id, force=force)
        _add_counts(total["counts"], importer.import_run.counts())
        total["refused"] += len(result.refused)
        total["poisoned"].update(result.poisoned)
        usage = importer.backend_adapter.usage()
    return {**total, **usage}


def unit_of(connector_env: ConnectorEnvironment, wanted: type[U], default: type[U]) -> U:
    """Make the unit that the backend registers, or the one that serves every model."""
    try:
        return connector_env.get_connector_unit(wanted)
    except NoConnectorUnitError:
        return default(connector_env)


def _delay_chunk(
    connector_env: ConnectorEnvironment,
    records: list[Any],
    is_part: bool = True,
    set_aside: bool = False,
    **options: Any,
) -> None:
    if set_aside:
        options["set_aside"] = True
    model_name, backend_record = connector_env.model_name, connector_env.backend_record
    uuid = import_chunk.delay(
        connector_env.session,
        model_name,
        backend_record.id,
        records,
        description=f"Import {len(records)} {model_name} of {backend_record.name}",
        **job_options(connector_env),
        **options,
    )
    if is_part:
        OpenERPJobStorage(connector_env.session).add_part(uuid)


def _delay_record(
    connector_env: ConnectorEnvironment, external_id: ExternalId, **options: Any
) -> str:
    model_name, backend_record = connector_env.model_name, connector_env.backend_record
    return import_record.delay(
        connector_env.session,
        model_name,
        backend_record.id,
        external_id,
        description=f"Import {model_name} {external_id} of {backend_record.name}",
        identity_key=_identity("import_record", backend_record, model_name, external_id),
        **job_options(connector_env),
        **options,
    )


def job_options(connector_env: ConnectorEnvironment) -> dict[str, Any]:
    """Give the options of `delay` for all import jobs of a model."""
    return unit_of(connector_env, BatchImporter, ChunkedBatchImporter).job_options()


def _identity(action: str, backend_record: Any, model_name: str, what: object) -> str:
    """Give the key by which a job that already waits for the same work is found."""
    name = lock_name(action, backend_record, model_name, what)
    return hashlib.sha256(name.encode()).hexdigest()


def _add_counts(total: dict[str, dict[str, int]], counts: dict[str, dict[str, int]]) -> None:
    for model, outcomes in counts.items():
        known = total.setdefault(model, {})
        for outcome, number in outcomes.items():
            known[outcome] = known.get(outcome, 0) + number
