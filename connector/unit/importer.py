"""
Importing one record: lock, read, dependencies, map, create or update, bind.

The lock comes before the first look at the binding.  Two jobs that both need a record which does
not exist yet would otherwise both create it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar

from connector.connector import (
    Binder,
    ConnectorEnvironment,
    ExternalId,
    external_key,
    lock_name,
    try_locks,
)
from connector.exception import IDMissingInBackend, RetryableJobError
from connector.session import Recordset
from connector.unit.add_checkpoint import AddCheckpoint
from connector.unit.backend_adapter import BackendAdapter, CRUDAdapter
from connector.unit.checksum import checksum
from connector.unit.dependency import Dependency, dependencies_in
from connector.unit.import_run import ImportRun, Key, Outcome
from connector.unit.lines import MappedLines, written
from connector.unit.map_record import MapRecord
from connector.unit.modifier import to_utc
from connector.unit.synchronizer import Importer, Synchronizer

__all__ = ["AddCheckpoint", "Importer", "RecordImporter", "import_lock_name", "stamp_of"]

logger = logging.getLogger(__name__)

#: Who holds a record lock is usually done after this.
LOCK_RETRY_SECONDS = 1

Values = dict[str, Any]


def import_lock_name(backend_record: Any, model: Any, external_id: object) -> str:
    """Give the name of the lock under which a record of a backend is imported."""
    return lock_name("import_record", backend_record, model, external_key(external_id))


class RecordImporter(Importer):
    """
    Imports one record of a model, with what it depends on.

    Importing the same data again writes nothing: the binding keeps the date the backend gave and
    a checksum of the mapped values.  Whatever the record needs is imported by the importer of
    its model, in the same transaction; records that need each other are created without the link
    that closes the circle and get it once both exist.
    """

    _base_backend_adapter = CRUDAdapter

    #: Pairs of a path in the record, `"artist_id"` or `"lines.track_id"`, and a binding model.
    _dependencies: ClassVar[list[tuple[str, str]]] = []

    #: Whether a person is asked to look at each new record, through the unit `AddCheckpoint`.
    _checkpoint_new: ClassVar[bool] = False

    def __init__(self, connector_env: ConnectorEnvironment) -> None:
        super().__init__(connector_env)
        self.external_id: ExternalId = ""
        self.record: Any = None
        self._import_run: ImportRun | None = None
        self._key: Key = (connector_env.model_name, "")

    @property
    def import_run(self) -> ImportRun:
        """What this importer shares with those of the same task; its own unless it is given one."""
        if self._import_run is None:
            self._import_run = ImportRun()
        return self._import_run

    @import_run.setter
    def import_run(self, import_run: ImportRun) -> None:
        self._import_run = import_run

    @property
    def key(self) -> Key:
        """The record at work, as the run knows it."""
        return self._key

    def share_units_of(self, other: Synchronizer) -> None:
        """Work with the units that *other* has made for the same model."""
        self._mapper, self._binder = other.mapper, other.binder
        self._backend_adapter = other.backend_adapter
        self._binders = other._binders

    # -- the way through ---------------------------------------------------------------------

    def run(self, external_id: ExternalId, force: bool = False, record: Any = None) -> Outcome:
        """
        Import a record and say what became of it.

        *record* saves reading what a listing has brought; *force* imports even when nothing
        seems to have changed.

        Raises:
            RetryableJobError: another job imports this record or one that it needs.
        """
        self.external_id, run = external_id, self.import_run
        self._key = (self.connector_env.model_name, external_key(external_id))
        if self.key in run.outcomes and not force:
            return run.outcomes[self.key]
        self.acquire_lock()
        run.unfinished.add(self.key)
        try:
            outcome = self._import(force, record)
        finally:
            run.unfinished.discard(self.key)
        run.note(self.key, outcome)
        self._finish_waiting()
        return run.outcomes[self.key]

    def _import(self, force: bool, record: Any) -> Outcome:
        record = record if record is not None else self.import_run.records.get(self.key)
        try:
            self.record = self._read() if record is None else record
        except IDMissingInBackend:
            return Outcome.MISSING
        if reason := self.must_skip():
            logger.info("Import skipped: %s", reason, extra={"external_id": self.external_id})
            return Outcome.SKIPPED
        binding = self.get_binding()
        if not force and not self._returns(binding) and self.is_uptodate(binding):
            return Outcome.UNCHANGED
        self.before_import()
        known = len(self.import_run.outcomes)
        self.import_dependencies()
        if not binding and len(self.import_run.outcomes) > known:
            # A dependency that needs this record may have imported it.
            binding = self.get_binding()
        outcome, binding = self._write(binding, self.map_data(), force)
        if binding is not None:
            self.after_import(binding)
            self.import_run.writing.discard(self.key)
        return outcome

    def _read(self) -> Any:
        """Read the record; the one that the task began with has nothing to lose by a pause."""
        if len(self.import_run.unfinished) == 1:
            return self.read()
        return self.import_run.patience.read(self.read)

    def _returns(self, binding: Recordset) -> bool:
        """Say whether the backend has a record again that a sweep did not find there."""
        return bool(binding and "missing_since" in binding._fields and binding.missing_since)

    def acquire_lock(self) -> None:
        """
        Lock the record before anything is known about it, and forget what was.

        Raises:
            RetryableJobError: another job imports it; the try is not counted.
        """
        if self._key in self.import_run.locked:
            return
        if not try_locks(self.env, [import_lock_name(self.backend_record, *self._key)]):
            raise RetryableJobError(
                f"{self.connector_env.model_name!r} {self.external_id!r} is being imported by "
                "another job.",
                seconds=LOCK_RETRY_SECONDS,
                ignore_retry=True,
            )
        self.import_run.locked.add(self._key)
        self.binder.forget(self.external_id)

    # -- hooks -------------------------------------------------------------------------------

    def read(self) -> Any:
        """Read the record from the backend; IDMissingInBackend when it is gone."""
        return self.backend_adapter.read(self.external_id)

    def must_skip(self) -> str | None:
        """Give a reason to leave the record, or None."""
        return None

    def get_binding(self) -> Recordset:
        """Give the record's binding, empty when it has none."""
        return self.binder.to_openerp(self.external_id)

    def updated_at(self) -> datetime | None:
        """Give when the backend changed the record last, by its own clock, in UTC."""
        field = self.backend_adapter._updated_at_field
        value = self.record.get(field) if hasattr(self.record, "get") else None
        return to_utc(value) if value else None

    def is_uptodate(self, binding: Recordset) -> bool:
        """
        Say whether the binding is newer than the record, which then is not even mapped.

        Both dates are the backend's, so no clocks are compared.  Equal dates decide nothing: a
        backend may change a record twice in its smallest unit of time.
        """
        if not binding or "backend_updated_at" not in binding._fields:
            return False
        known: str | bool = binding.backend_updated_at
        updated_at = self.updated_at()
        return bool(known) and updated_at is not None and _stamp(updated_at) < str(known)

    def before_import(self) -> None:
        """Hook: the record is going to be imported."""

    def dependencies(self) -> Iterable[Dependency]:
        """Give what the record needs; by default what `_dependencies` declares."""
        return dependencies_in(self.record, self._dependencies)

    def import_dependencies(self) -> None:
        """Import what the record needs, as far as it is not bound."""
        known = self.import_run.needs.get(self.key)
        for dependency in self.dependencies() if known is None else known:
            self.import_dependency(dependency.external_id, dependency.model)

    def import_dependency(
        self,
        external_id: ExternalId,
        binding_model: str,
        importer_class: type[Importer] | None = None,
        always: bool = False,
    ) -> None:
        """
        Import a record that this one needs, in the same transaction, unless it is bound.

        With *always* a bound one is imported again.
        """
        needed: Key = (binding_model, external_key(external_id))
        self._create_if_gathered(needed)
        if not always and self._is_bound(needed):
            return
        if needed in self.import_run.unfinished:
            # A needs B needs A: this one is imported again, with its link, once that one exists.
            self.import_run.waiting.setdefault(needed, set()).add(self.key)
            self.import_run.records[self.key] = self.record
            return
        importer = self.unit_for(importer_class or RecordImporter, binding_model)
        if isinstance(importer, RecordImporter):
            importer.import_run = self.import_run
        importer.run(external_id)
        self._create_if_gathered(needed)

    def _create_if_gathered(self, needed: Key) -> None:
        if needed in self.import_run.gathered:
            self.create_gathered()

    def _is_bound(self, key: Key) -> bool:
        run = self.import_run
        if key not in run.bound and self.binder_for(key[0]).to_openerp(key[1]):
            run.bound.add(key)
        return key in run.bound

    def map_data(self) -> MapRecord:
        """Make the mapping of the record ready."""
        return self.mapper.map_record(self.record)

    def validate_data(self, values: Values) -> None:
        """Hook: raise InvalidDataError when the mapped values cannot be taken."""

    def create(self, values: Values) -> Recordset:
        """Create the binding, and with it the record."""
        return self.model.with_context(connector_no_export=True).create(values)

    def update(self, binding: Recordset, values: Values) -> None:
        """Write to a binding."""
        binding.with_context(connector_no_export=True).write(values)

    def after_import(self, binding: Recordset) -> None:
        """Hook: the record is imported and bound."""

    @cached_property
    def _lines(self) -> MappedLines:
        return MappedLines(self, self.mapper)

    # -- writing -----------------------------------------------------------------------------

    def _write(
        self, binding: Recordset, map_record: MapRecord, force: bool
    ) -> tuple[Outcome, Recordset | None]:
        """Give the outcome and the binding; None for one that is gathered and created later."""
        values = map_record.values(**self._map_options(for_create=False))
        lines = self._lines.taken_from(values)
        stamps = self._stamps(values)
        if binding:
            return self._update(binding, values, lines, stamps, force), binding
        if self.mapper.maps_only_create():
            values = map_record.values(**self._map_options(for_create=True))
        else:
            values.update(lines)
        return Outcome.CREATED, self._create({**values, **stamps})

    def _create(self, values: Values) -> Recordset | None:
        run = self.import_run
        self.validate_data(values)
        values.setdefault(self.binder._backend_field, self.backend_record.id)
        values.update(self._link_values())
        values.update(self._lines.adopted(self._lines_of(values), None))
        self._lines.note(values, run)
        if run.gathers == self.connector_env.model_name and self.key not in run.waiting:
            run.gathered[self.key] = (self, values)
            return None
        run.writing.add(self.key)
        binding = self.create(values)
        self._bind(binding)
        self._add_checkpoint(binding)
        return binding

    def _lines_of(self, values: Values) -> Values:
        targets = [target for _, target, _ in self.mapper.children]
        return {target: values[target] for target in targets if target in values}

    def _add_checkpoint(self, binding: Recordset) -> None:
        if self._checkpoint_new:
            self.unit_for(AddCheckpoint).run(binding.id)

    def create_gathered(self) -> None:
        """Create the records that the run has gathered, together, and end their imports."""
        run = self.import_run
        gathered, run.gathered = run.gathered, {}
        if not gathered:
            return
        run.writing.update(gathered)
        importers = [importer for importer, _ in gathered.values()]
        model = importers[0].model.with_context(connector_no_export=True)
        bindings = model.create([values for _, values in gathered.values()])
        for importer, binding in zip(importers, bindings, strict=True):
            importer._bind(binding)
            importer._add_checkpoint(binding)
            importer.after_import(binding)
        run.writing.difference_update(gathered)

    def _link_values(self) -> Values:
        """Give what binds the record, to be written with everything else."""
        return self.binder.link_values(self.key[1])

    def _bind(self, binding: Recordset) -> None:
        """Bind; the plain binder has nothing to add to what is written already."""
        if type(self.binder).bind is not Binder.bind:
            self.binder.bind(self.external_id, binding)

    def _update(
        self, binding: Recordset, values: Values, lines: Values, stamps: Values, force: bool
    ) -> Outcome:
        lines = self._lines.adopted(lines, binding)
        self._lines.note(lines, self.import_run)
        removed = self._lines.removed(binding, lines, self.import_run)
        returns = self._returns(binding)
        same = "checksum" in stamps and binding.checksum == stamps["checksum"] and not returns
        changes = {} if same and not force else {**values, **stamps}
        changes.update(written(lines))
        if changes or removed:
            self.import_run.writing.add(self.key)
        if changes:
            self.validate_data({**values, **lines})
            linked = {**self._link_values(), **({"missing_since": False} if returns else {})}
            self.update(binding, {**changes, **linked})
            self._bind(binding)
        for line in removed:
            line.with_context(connector_no_export=True).unlink()
        return Outcome.UNCHANGED if same and not force else Outcome.UPDATED

    def _map_options(self, for_create: bool) -> dict[str, Any]:
        run = self.import_run
        return {"for_create": for_create, "unfinished": run.unfinished, "found": run.found}

    def _stamps(self, values: Values) -> Values:
        """Give what the binding keeps to recognise an unchanged record."""
        stamps: Values = {}
        fields = self.mapper._model_fields
        if "checksum" in fields:
            stamps["checksum"] = checksum(values)
        if "backend_updated_at" in fields and (updated_at := self.updated_at()) is not None:
            stamps["backend_updated_at"] = _stamp(updated_at)
        return stamps

    # -- cycles ------------------------------------------------------------------------------

    def _finish_waiting(self) -> None:
        """Import those again that were created without their link to this record."""
        for model, external_id in sorted(self.import_run.waiting.pop(self.key, ())):
            importer = self.unit_for(RecordImporter, model)
            importer.import_run = self.import_run
            importer.run(external_id, force=True)


def stamp_of(adapter: BackendAdapter, record: Any) -> str | None:
    """Give when the backend changed a record last, as the bindings keep it."""
    value = record.get(adapter._updated_at_field) if hasattr(record, "get") else None
    moment = to_utc(value) if value else None
    return _stamp(moment) if moment else None


def _stamp(moment: datetime) -> str:
    """Give a point in time in UTC as text of fixed width, so that texts compare as times do."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(sep=" ", timespec="microseconds")
