"""
Exporting one record: lock, dependencies, map, create or update, bind and checkpoint.

A create is noted as an intent before it is sent.  When its answer is lost, the next try finds
the intent and asks the backend, by the key it was sent with or by a natural key, or lets a
person decide; it never sends the record blindly a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from connector.connector import (
    ConnectorEnvironment,
    ExternalId,
    get_environment,
    lock_name,
)
from connector.core.sql import composed
from connector.core.sql import errors as sql_errors
from connector.exception import (
    BackendAccessError,
    BackendRefusalError,
    BackendResponseError,
    BackendUnreachableError,
    DryRunError,
    IDMissingInBackend,
    InvalidDataError,
    NothingToDoJob,
    RateLimitError,
    RetryableJobError,
    UncertainExportError,
)
from connector.queue.job import job, related_action
from connector.related_action import unwrap_binding
from connector.session import ConnectorSession, Recordset
from connector.unit.backend_adapter import CRUDAdapter, LostAnswer
from connector.unit.batch import import_record
from connector.unit.export_intent import ExportIntent, ExportIntents
from connector.unit.importer import stamp_of
from connector.unit.map_record import MapRecord
from connector.unit.synchronizer import Exporter

__all__ = ["Exporter", "RecordExporter", "delay_export", "delay_export_all_bindings"]

LOCK_RETRY_SECONDS = 1
#: Seconds before a try, from that try on.
RETRY_PATTERN = {1: 5, 2: 30, 3: 120, 4: 600}
#: Errors after which the backend has surely taken nothing.
REFUSALS = (
    InvalidDataError,
    BackendAccessError,
    BackendUnreachableError,
    IDMissingInBackend,
    RateLimitError,
)

Values = dict[str, Any]

_LOCK_ROW = composed.SQL("SELECT 1 FROM {table} WHERE id = %(id)s FOR UPDATE NOWAIT")


class RecordExporter(Exporter):
    """Exports one binding of a model, with what it depends on."""

    _base_backend_adapter = CRUDAdapter

    def __init__(self, connector_env: ConnectorEnvironment) -> None:
        super().__init__(connector_env)
        self.binding: Recordset = None
        self.binding_id = 0
        self.external_id: Any = None

    def run(self, binding_id: int, fields: Iterable[str] | None = None) -> str:
        """
        Export a binding, only what depends on *fields* when they are given; say what was done.

        Raises:
            NothingToDoJob: the record is gone, is left, or has nothing to export.
            RetryableJobError: another transaction works on the record.
            UncertainExportError: an earlier answer was lost and nobody can be asked.
        """
        if self.session.context.get("connector_dry_run"):
            raise DryRunError(
                f"A hook of the import would export {self.model._name} {binding_id}; a dry run "
                "exports nothing. Enqueue a job instead: it vanishes with the dry run."
            )
        self.binding_id = binding_id
        self.binding = self.model.browse(binding_id)
        self.lock()
        self.external_id = self.binder.to_backend(binding_id) or None
        if reason := self.must_skip():
            raise NothingToDoJob(reason)
        self.export_dependencies()
        map_record = self.mapper.map_record(self.binding)
        if self.external_id is not None and self._is_newer_there():
            self.delay_import()
        if self.external_id is not None:
            return self._export_changes(map_record, list(fields or ()))
        return self._export_new(map_record)

    # -- hooks -------------------------------------------------------------------------------

    def lock(self) -> None:
        """
        Lock the binding's row and the record's name, so that it is exported by one job at a time.

        Raises:
            RetryableJobError: another transaction holds one of them; the try is not counted.
            NothingToDoJob: the record is gone.
        """
        name = lock_name("export_record", self.backend_record, self.model, self.binding_id)
        self.advisory_lock_or_retry(name, retry_seconds=LOCK_RETRY_SECONDS)
        try:
            with self.env.cr.savepoint():
                found = self._lock_row()
        except sql_errors.LockNotAvailable as error:
            raise RetryableJobError(
                f"{self.binding} is being written by another transaction.",
                seconds=LOCK_RETRY_SECONDS,
                ignore_retry=True,
            ) from error
        if not found:
            raise NothingToDoJob(f"{self.binding} does not exist any more.")

    def _lock_row(self) -> bool:
        table = composed.Identifier(self.model._table)
        self.env.cr.execute(_LOCK_ROW.format(table=table), {"id": self.binding_id})
        return bool(self.env.cr.fetchone())

    def must_skip(self) -> str | None:
        """Give a reason to leave the record, or None."""
        return None

    def should_import(self) -> bool:
        """
        Say whether the backend has changed the record since it was seen last.

        Both dates are the backend's; a record of which no date is kept is never asked for.
        IDMissingInBackend says that it is to be created anew.
        """
        known = self.binding.backend_updated_at if self._keeps_dates() else None
        if not known:
            return False
        record = self.backend_adapter.read(self.external_id)
        return (stamp_of(self.backend_adapter, record) or "") > str(known)

    def delay_import(self) -> None:
        """Bring what the backend has changed, after this export."""
        import_record.delay(
            self.session, self.model._name, self.backend_record.id, self.external_id, force=True
        )

    def _is_newer_there(self) -> bool:
        try:
            return self.should_import()
        except IDMissingInBackend:
            self.external_id = None
            return False

    def export_dependencies(self) -> None:
        """Hook: export what the record needs first, with `export_dependency`."""

    def export_dependency(self, binding: Recordset) -> None:
        """Export a binding that this one needs, unless it has an external id."""
        model = binding.ensure_one()._name
        if not self.binder_for(model).to_backend(binding):
            self.unit_for(RecordExporter, model).run(binding.id)

    def create_data(self, map_record: MapRecord) -> Values:
        """Give the data of a new record."""
        return map_record.values(for_create=True)

    def update_data(self, map_record: MapRecord, fields: list[str]) -> Values:
        """Give the data that has changed; all of it when *fields* is empty."""
        return map_record.values(fields=fields)

    def validate_data(self, data: Values) -> None:
        """Hook: raise InvalidDataError when the data must not be sent."""

    def after_export(self) -> None:
        """Hook: the record is exported and bound."""

    # -- sending -----------------------------------------------------------------------------

    def _export_changes(self, map_record: MapRecord, fields: list[str]) -> str:
        data = self.update_data(map_record, fields)
        if not data:
            raise NothingToDoJob("Nothing to export.")
        self.validate_data(data)
        self._note_date(self.backend_adapter.write(self.external_id, data))
        self.binder.bind(self.external_id, self.binding)
        # A person may have entered the id that an earlier answer would have brought.
        ExportIntents(self.connector_env, self.binding_id).remove()
        self.after_export()
        return f"Record exported with the external id {self.external_id}."

    def _export_new(self, map_record: MapRecord) -> str:
        data = self.create_data(map_record)
        if not data:
            raise NothingToDoJob("Nothing to export.")
        self.validate_data(data)
        intents = ExportIntents(self.connector_env, self.binding_id)
        self.external_id, sent = self._create_once(data, intents)
        if sent != data:
            # What the backend has is as old as the request whose answer was lost.
            self._note_date(self.backend_adapter.write(self.external_id, data))
        self.binder.bind(self.external_id, self.binding)
        intents.remove()
        # The backend has the record: whatever fails from here on, its id is kept.
        self.session.commit()
        self.after_export()
        return f"Record created with the external id {self.external_id}."

    def _create_once(self, data: Values, intents: ExportIntents) -> tuple[ExternalId, Values]:
        """
        Create the record, unless an earlier try has; give its id and the data it was made of.

        A refusal takes back only the intent of a record that is sent for the first time: it says
        nothing about a request of before.
        """
        intent = intents.find()
        if intent is None:
            return self._create_first(data, intents), data
        known = self._find_created(intent)
        if known is not None:
            return known, intent.data
        if self.backend_adapter._lost_answer is LostAnswer.IDEMPOTENCY_KEY:
            data = intent.data  # a key stands for one body
        return self._send(data, intents.commit_renewal(intent, data)), data

    def _create_first(self, data: Values, intents: ExportIntents) -> ExternalId:
        intent = intents.commit_new(data)
        try:
            return self._send(data, intent)
        except BackendRefusalError:
            intents.commit_removal()
            raise
        except BackendResponseError:
            raise  # an answer that cannot be read may well say that the record was made
        except REFUSALS:
            intents.commit_removal()
            raise

    def _send(self, data: Values, intent: ExportIntent) -> ExternalId:
        adapter, options = self.backend_adapter, {}
        if adapter._lost_answer is LostAnswer.IDEMPOTENCY_KEY:
            options["idempotency_key"] = intent.idempotency_key
        answer = adapter.create(data, **options)
        if isinstance(answer, Mapping):
            self._note_date(answer)
            answer = adapter.external_id_of(answer)
        return answer  # type: ignore[no-any-return]  # the adapter says what it is

    def _note_date(self, answer: Any) -> None:
        """Keep the date of an answer that is the record, so that our change is not news to us."""
        if isinstance(answer, Mapping) and self._keeps_dates():
            updated_at = stamp_of(self.backend_adapter, answer)
            if updated_at is not None:
                silent = self.binding.with_context(connector_no_export=True)
                silent.write({"backend_updated_at": updated_at})

    def _keeps_dates(self) -> bool:
        return "backend_updated_at" in self.model._fields

    def _find_created(self, intent: ExportIntent) -> ExternalId | None:
        """
        Find out whether the backend has taken the record of an earlier try.

        None says that it may be sent: it has not, or it recognises the key.
        """
        adapter = self.backend_adapter
        if adapter._lost_answer is LostAnswer.IDEMPOTENCY_KEY:
            return None
        if adapter._lost_answer is LostAnswer.NATURAL_KEY:
            # The request may still be under way, and its record stored after the question.
            wait = adapter._request_seconds - intent.age().total_seconds()
            if wait > 0:
                raise RetryableJobError(
                    f"The answer about {self.binding} was lost; the backend is asked when the "
                    "request can no longer be under way.",
                    seconds=wait,
                    ignore_retry=True,
                )
            return adapter.find(intent.data)  # type: ignore[no-any-return]
        message = (
            f"{self.binding} was sent to {self.backend_record.name} at {intent.intended} UTC and "
            "the answer was lost. Look there whether it was created: if so, enter its external "
            "id in the binding, else delete the export intent; then run the job again."
        )
        self._commit_checkpoint(message)
        raise UncertainExportError(message)

    def _commit_checkpoint(self, message: str) -> None:
        """Ask a person, in a transaction that outlives this job's."""
        with self.env.registry.cursor() as cr:
            record = self.backend_record.with_env(self.env(cr=cr))
            asked = [("record_id", "=", self.binding_id), ("message", "=", message)]
            if record.env["connector.checkpoint"].search([*asked, ("state", "=", "need_review")]):
                return
            record.add_checkpoint(self.model._name, self.binding_id, message)


# -- job and consumers -----------------------------------------------------------------------------


@job(retry_pattern=RETRY_PATTERN)
@related_action(action=unwrap_binding)
def export_record(
    session: ConnectorSession,
    model_name: str,
    binding_id: int,
    fields: list[str] | None = None,
) -> str:
    """Export one record, with what it depends on."""
    binding = session.env[model_name].browse(binding_id)
    if not binding.exists():
        raise NothingToDoJob(f"{model_name} {binding_id} does not exist any more.")
    connector_env = get_environment(session, model_name, binding.backend_id.id)
    return connector_env.get_connector_unit(RecordExporter).run(binding_id, fields=fields)


def delay_export(
    session: ConnectorSession,
    model_name: str,
    record_id: int,
    vals: Mapping[str, Any] | None = None,
    **options: Any,
) -> None:
    """Consumer for bindings: export the one that was created or written."""
    if session.context.get("connector_no_export"):
        return
    export_record.delay(session, model_name, record_id, fields=sorted(vals or ()), **options)


def delay_export_all_bindings(
    session: ConnectorSession,
    model_name: str,
    record_id: int,
    vals: Mapping[str, Any] | None = None,
    **options: Any,
) -> None:
    """Consumer for normal records: export all bindings of the one that was written."""
    if session.context.get("connector_no_export"):
        return
    for binding in bindings_of(session.env[model_name].browse(record_id)):
        export_record.delay(
            session, binding._name, binding.id, fields=sorted(vals or ()), **options
        )


def bindings_of(record: Recordset) -> list[Recordset]:
    """Give the bindings of a normal record, of all models that `_inherits` it as bindings."""
    found: list[Recordset] = []
    for name, model_class in record.env.registry.models.items():
        link = dict(getattr(model_class, "_inherits", {})).get(record._name)
        if link and {"backend_id", "external_id"} <= set(model_class._fields):
            bindings = record.env[name].with_context(active_test=False)
            found += list(bindings.search([(link, "=", record.id)]))
    return found
