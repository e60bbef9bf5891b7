"""
Importing many records that a listing has brought, in one transaction.

    locks        its ids and the known dependencies that are not bound, sorted, one statement
    look-ups     bindings of all of them, only now
    records      one after the other; one that cannot be imported is set aside and named
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from connector.connector import ConnectorEnvironment, external_key, try_locks
from connector.core.models import BaseModel
from connector.core.sql import errors as sql_errors
from connector.exception import (
    BackendAccessError,
    IDMissingInBackend,
    InvalidDataError,
    MappingError,
    NetworkRetryableError,
    RateLimitError,
    RetryableJobError,
)
from connector.unit.backend_adapter import CRUDAdapter
from connector.unit.import_run import ImportRun, Key
from connector.unit.importer import LOCK_RETRY_SECONDS, RecordImporter, import_lock_name
from connector.unit.synchronizer import Importer

__all__ = ["ChunkImporter", "ChunkResult", "is_of_a_record"]

logger = logging.getLogger(__name__)

#: A cluster with default settings has about 12,500 advisory locks for everybody.
SLICE_RECORDS = 500

#: What stops the chunk: trying its other records would only meet it again.
STOPS = (NetworkRetryableError, RateLimitError, BackendAccessError)


@dataclass
class ChunkResult:
    """What a chunk could not import; the rest is imported."""

    #: records that another job works on, or that need one it works on
    refused: list[Any] = field(default_factory=list)
    #: records that cannot be imported, by external id, with the error that says why
    poisoned: dict[str, str] = field(default_factory=dict)
    #: records without an external id
    nameless: list[Any] = field(default_factory=list)


class ChunkImporter(Importer):
    """Imports the records of one page; `RecordImporter` of the model imports each of them."""

    _base_backend_adapter = CRUDAdapter

    def __init__(self, connector_env: ConnectorEnvironment) -> None:
        super().__init__(connector_env)
        self.import_run = ImportRun()
        self.result = ChunkResult()
        self._dependencies: dict[str, list[Key]] = {}
        self._force = False
        self._alone = False

    @cached_property
    def _first_importer(self) -> RecordImporter:
        """The importer whose mapper, binder and adapter serve for all records."""
        importer = self.unit_for(RecordImporter)
        importer.import_run = self.import_run
        plain = type(importer).create is RecordImporter.create
        # A model's own `create` may have been written for one record at a time, as in 8.0.
        if plain and type(self.model).create is BaseModel.create:
            self.import_run.gathers = self.connector_env.model_name
        return importer

    def run(
        self, records: Sequence[Any], force: bool = False, set_aside: bool = False
    ) -> ChunkResult:
        """
        Import at most `SLICE_RECORDS` records; give those set aside.

        Raises:
            RetryableJobError: every record is locked by other jobs.
            Exception: a chunk of one record lets the record's own error through, unless
                *set_aside* is given.
        """
        assert len(records) <= SLICE_RECORDS, "the job cuts a longer list into slices"
        self._force, self._alone = force, len(records) == 1 and not set_aside
        chunk = self._by_id(records)
        self._read_dependencies(chunk)
        self._lock(chunk)
        if chunk or not self.result.refused:
            self._prefetch(chunk)
            self._import(self._needed_first(chunk))
            return self.result
        raise RetryableJobError(
            f"All {len(records)} records of {self.connector_env.model_name!r} are being imported "
            "by other jobs.",
            seconds=LOCK_RETRY_SECONDS,
            ignore_retry=True,
        )

    def _by_id(self, records: Sequence[Any]) -> dict[str, Any]:
        """Give the records by external id; the last of several with one id is the newest."""
        chunk: dict[str, Any] = {}
        for record in records:
            try:
                external_id = external_key(self.backend_adapter.external_id_of(record))
            except (KeyError, TypeError, InvalidDataError) as error:
                if self._alone:
                    raise InvalidDataError(
                        f"A record of {self.connector_env.model_name!r} has no external id in "
                        f"{self.backend_adapter._id_field!r}: {error}"
                    ) from error
                self.result.nameless.append(record)
            else:
                chunk[external_id] = record
                self.import_run.records[self._key(external_id)] = record
        return chunk

    def _key(self, external_id: str) -> Key:
        return (self.connector_env.model_name, external_id)

    # -- locks -------------------------------------------------------------------------------

    def _read_dependencies(self, chunk: dict[str, Any]) -> None:
        """Note what each record needs; one that does not even say it is poisoned."""
        importer = self._first_importer
        # A hook that changes the record may change what it needs.
        is_final = type(importer).before_import is RecordImporter.before_import
        for external_id, record in list(chunk.items()):
            importer.external_id, importer.record = external_id, record
            try:
                needs = list(importer.dependencies())
                self._dependencies[external_id] = [
                    (needed.model, external_key(needed.external_id)) for needed in needs
                ]
                if is_final:
                    self.import_run.needs[self._key(external_id)] = needs
            except Exception as error:
                if self._alone:
                    raise
                self._set_aside(external_id, error)
                del chunk[external_id]

    def _lock(self, chunk: dict[str, Any]) -> None:
        """
        Lock the chunk's records and what they need and is not bound; drop those refused.

        A dependency that is bound needs no lock: only a miss may be outdated.
        """
        missing = self._missing_of(self._needed())
        names = {self._lock_name(key): key for key in [*map(self._key, chunk), *missing]}
        granted = try_locks(self.env, names)
        self.import_run.locked.update(names[name] for name in granted)
        for name in granted:
            model, external_id = names[name]
            self.binder_for(model).forget(external_id)
        refused = {key for name, key in names.items() if name not in granted}
        for external_id in list(chunk):
            if not refused.isdisjoint([self._key(external_id), *self._dependencies[external_id]]):
                self.result.refused.append(chunk.pop(external_id))

    def _lock_name(self, key: Key) -> str:
        return import_lock_name(self.backend_record, *key)

    def _needed(self) -> dict[Key, None]:
        """Give what the records need, each once."""
        return dict.fromkeys(key for keys in self._dependencies.values() for key in keys)

    def _missing_of(self, needed: Iterable[Key]) -> list[Key]:
        """Give those that are not bound, looked up in one statement for each model."""
        by_model: dict[str, list[Key]] = {}
        for key in needed:
            by_model.setdefault(key[0], []).append(key)
        missing = []
        for model, keys in by_model.items():
            binder = self.binder_for(model)
            binder.prefetch(external_id for _, external_id in keys)
            for key in keys:
                if binder.to_openerp(key[1]):
                    self.import_run.bound.add(key)
                else:
                    missing.append(key)
        return missing

    # -- look-ups ----------------------------------------------------------------------------

    def _prefetch(self, chunk: Mapping[str, Any]) -> None:
        """Look up the bindings of the chunk and of what it needs, and what they keep."""
        self._dependencies = {key: self._dependencies[key] for key in chunk}
        self.binder.prefetch(chunk)
        self._read_missing()
        self._prefetch_lines(chunk.values())

    def _read_missing(self) -> None:
        """Ask the backend for all missing dependencies of a model together."""
        missing: dict[str, list[str]] = {}
        unbound = (key for key in self._needed() if key not in self.import_run.bound)
        for model, external_id in self._missing_of(unbound):
            if (model, external_id) not in self.import_run.records:
                missing.setdefault(model, []).append(external_id)
        for model, ids in missing.items():
            adapter = self.unit_for(CRUDAdapter, model)
            for record in self._read_many(adapter, ids):
                key = (model, external_key(adapter.external_id_of(record)))
                self.import_run.records[key] = record

    def _read_many(self, adapter: CRUDAdapter, ids: list[str]) -> Iterator[Any]:
        """Give the records that the backend has; a pause costs nothing that was read before."""
        parts = [ids] if adapter.reads_together() else [[external_id] for external_id in ids]
        for part in parts:
            try:
                yield from self.import_run.patience.read(partial(adapter.read_many, part))
            except IDMissingInBackend:
                continue  # the importer of the one that is missing says so

    def _prefetch_lines(self, records: Iterable[Any]) -> None:
        for source, _, model in self.mapper.children:
            lines = [line for record in records for line in record.get(source) or ()]
            ids = [line["id"] for line in lines if isinstance(line, Mapping) and "id" in line]
            if ids:
                self.binder_for(model).prefetch(ids)

    # -- records -----------------------------------------------------------------------------

    def _needed_first(self, external_ids: Iterable[str]) -> list[str]:
        """Order records so that those needed come first; then no chain of them goes deep."""
        inside = set(external_ids)
        ordered: dict[str, None] = {}
        begun: set[str] = set()
        for first in external_ids:
            path = [first]
            while path:
                current = path[-1]
                begun.add(current)
                needed = (key[1] for key in self._dependencies[current] if key == self._key(key[1]))
                ahead = next(
                    (each for each in needed if each in inside and each not in begun), None
                )
                if ahead is None:
                    ordered[path.pop()] = None
                else:
                    path.append(ahead)
        return list(ordered)

    def _import(self, external_ids: list[str]) -> None:
        """
        Import records; when the database refuses something, find out whose it is.

        Writes go out together, so an error of the database does not say which record it is
        about: the half without it is imported, the other one is halved again.
        """
        if not external_ids:
            return
        mark = self.import_run.mark()
        aside = (list(self.result.refused), dict(self.result.poisoned))
        try:
            with self.env.cr.savepoint():
                for external_id in external_ids:
                    self._import_or_set_aside(external_id, alone=len(external_ids) == 1)
                self._first_importer.create_gathered()
                self.env.cr.transaction.flush()
        except Exception as error:
            self.import_run.back_to(mark)
            self.result.refused, self.result.poisoned = aside
            if not is_of_a_record(error):
                raise
            self._divide(external_ids, error)

    def _divide(self, external_ids: list[str], error: Exception) -> None:
        if len(external_ids) > 1:
            middle = len(external_ids) // 2
            self._import(external_ids[:middle])
            self._import(external_ids[middle:])
        elif self._alone:
            raise error
        else:
            self._set_aside(external_ids[0], error)

    def _import_or_set_aside(self, external_id: str, alone: bool) -> None:
        try:
            self._import_one(external_id)
        except Exception as error:
            # Nothing of the record is written yet, and none that waits for it was made without its
            # link: nothing has to be undone for the others.
            run = self.import_run
            harmless = not run.writing and not run.waiting and _database_error(error) is None
            if alone or not harmless or not is_of_a_record(error):
                raise
            self._set_aside(external_id, error)

    def _import_one(self, external_id: str) -> None:
        try:
            self._new_importer().run(external_id, force=self._force)
        except MappingError:
            if not self.import_run.gathered:
                raise
            # It may need, without saying so, a record that is gathered and not yet created.
            self._first_importer.create_gathered()
            self._new_importer().run(external_id, force=self._force)

    def _new_importer(self) -> RecordImporter:
        importer = self.unit_for(RecordImporter)
        importer.import_run = self.import_run
        importer.share_units_of(self._first_importer)
        return importer

    def _set_aside(self, external_id: str, error: Exception) -> None:
        if isinstance(error, RetryableJobError):
            self.result.refused.append(self.import_run.records[self._key(external_id)])
            return
        logger.warning(
            "Record set aside, its neighbours are imported",
            extra={"model": self.connector_env.model_name, "external_id": external_id},
        )
        self.result.poisoned[external_id] = f"{type(error).__name__}: {error}"


def is_of_a_record(error: Exception) -> bool:
    """Say whether other records may still be imported after this error."""
    if isinstance(error, STOPS):
        return False
    cause = _database_error(error) or error
    return not (sql_errors.is_conflict(cause) or sql_errors.is_connection_lost(cause))


def _database_error(error: BaseException | None) -> sql_errors.Error | None:
    """Give PostgreSQL's error behind one that explains it, if any."""
    while error is not None and not isinstance(error, sql_errors.Error):
        error = error.__cause__ or error.__context__
    return error
