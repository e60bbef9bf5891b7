"""Deleting on the backend what was deleted here."""

from __future__ import annotations

from typing import Any

from connector.connector import ExternalId, get_environment
from connector.exception import IDMissingInBackend
from connector.queue.job import job
from connector.session import ConnectorSession
from connector.unit.backend_adapter import CRUDAdapter
from connector.unit.exporter import RETRY_PATTERN, bindings_of
from connector.unit.synchronizer import Deleter

__all__ = ["Deleter", "RecordDeleter", "delay_unlink", "delay_unlink_all_bindings"]


class RecordDeleter(Deleter):
    """Deletes one record on the backend."""

    _base_backend_adapter = CRUDAdapter

    def run(self, external_id: ExternalId) -> str:
        """Delete the record; one that is gone already is no error."""
        try:
            self.backend_adapter.delete(external_id)
        except IDMissingInBackend:
            return f"Record {external_id} was deleted on the backend already."
        return f"Record {external_id} deleted on the backend."


@job(retry_pattern=RETRY_PATTERN)
def export_delete_record(
    session: ConnectorSession, model_name: str, backend_id: int, external_id: ExternalId
) -> Any:
    """Delete one record on the backend."""
    connector_env = get_environment(session, model_name, backend_id)
    return connector_env.get_connector_unit(Deleter).run(external_id)


def delay_unlink(
    session: ConnectorSession, model_name: str, record_id: int, **options: Any
) -> None:
    """Consumer for bindings: delete on the backend the one that is going to be deleted."""
    if session.context.get("connector_no_export"):
        return
    binding = session.env[model_name].browse(record_id)
    # The binding will be gone when the job runs, so its external id travels with the job.
    if binding.external_id:
        export_delete_record.delay(
            session, model_name, binding.backend_id.id, binding.external_id, **options
        )


def delay_unlink_all_bindings(
    session: ConnectorSession, model_name: str, record_id: int, **options: Any
) -> None:
    """Consumer for normal records: delete on every backend the one that is going to be deleted."""
    for binding in bindings_of(session.env[model_name].browse(record_id)):
        delay_unlink(session, binding._name, binding.id, **options)
