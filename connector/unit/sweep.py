"""The deletion sweep: bindings whose record the backend does not list any more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from connector.connector import ConnectorEnvironment, external_key
from connector.exception import IDMissingInBackend, SweepRefusedError
from connector.session import Recordset
from connector.unit.backend_adapter import CRUDAdapter
from connector.unit.importer import RecordImporter

__all__ = ["Sweep", "gone_from"]

#: More than this share of the bindings gone looks like a broken listing.
MAX_DELETE_SHARE = 0.01


@dataclass(frozen=True)
class Sweep:
    """What a complete listing does not have."""

    known: int  #: bindings of the backend
    gone: Recordset  #: those whose record is not listed


def gone_from(connector_env: ConnectorEnvironment, max_delete: float = MAX_DELETE_SHARE) -> Sweep:
    """
    Compare the ids that the backend lists with the bindings made before.

    Bindings are read first: a record made during the listing must not look gone. Each one that
    is not listed is asked for by its id, so that a page that shifted removes nothing.

    Raises:
        SweepRefusedError: more than the share *max_delete* of the bindings is gone.
        ConnectorException: the listing could not be read to its end.
    """
    importer = connector_env.get_connector_unit(RecordImporter)
    binder, adapter = importer.binder, connector_env.get_connector_unit(CRUDAdapter)
    model = connector_env.model.with_context(active_test=False)
    bound = model.search([(binder._backend_field, "=", connector_env.backend_record.id)])
    listed = _listed(adapter.search())
    gone = bound.filtered(lambda each: each[binder._external_field] not in listed)
    if len(gone) > max_delete * len(bound):
        raise SweepRefusedError(
            f"{len(gone)} of {len(bound)} {connector_env.model_name!r} are not listed by "
            f"{connector_env.backend_record.name!r}, more than {max_delete:.1%}. Nothing is "
            "removed. Look whether the listing is complete, or allow a larger --max-delete."
        )
    missing = gone.filtered(lambda each: _is_missing(adapter, each[binder._external_field]))
    return Sweep(len(bound), missing)


def _listed(external_ids: Iterable[object]) -> frozenset[str]:
    return frozenset(external_key(external_id) for external_id in external_ids)


def _is_missing(adapter: CRUDAdapter, external_id: str) -> bool:
    try:
        adapter.read(external_id)
    except IDMissingInBackend:
        return True
    return False
