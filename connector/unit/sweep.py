"""
The deletion sweep: bindings whose record the backend does not have any more.

Such a binding is marked and stays, with the record.  A record that comes back at the backend
under its id is bound to the one it was before, and is not made a second time.
"""

from __future__ import annotations

from dataclasses import dataclass

from connector.connector import ConnectorEnvironment, external_key
from connector.exception import IDMissingInBackend, SweepRefusedError
from connector.session import Recordset
from connector.unit.backend_adapter import CRUDAdapter
from connector.unit.importer import RecordImporter
from connector.unit.patience import Patience

__all__ = ["Sweep", "gone_from"]

#: More than this share of the bindings gone looks like a broken listing.
MAX_DELETE_SHARE = 0.01


@dataclass(frozen=True)
class Sweep:
    """What a complete listing does not have."""

    known: int  #: bindings of the backend
    gone: Recordset  #: those whose record the backend does not have
    external_field: str  #: the field with their external ids

    def mark(self) -> None:
        """Note on the bindings that the backend does not have their records."""
        silent = self.gone.with_context(connector_no_export=True)
        silent.write({"missing_since": self.gone.env.cr.now()})


def gone_from(
    connector_env: ConnectorEnvironment,
    max_delete: float = MAX_DELETE_SHARE,
    patience: Patience | None = None,
) -> Sweep:
    """
    Compare the ids that the backend lists with the bindings made before.

    Bindings are read first: a record made during the listing must not look gone. Each one that
    is not listed is asked for by its id, so that a page that shifted removes nothing.

    Raises:
        SweepRefusedError: the listing has not as many records as the backend says, or more than
            the share *max_delete* of the bindings is gone.
        ConnectorException: the listing could not be read to its end.
    """
    patience = patience or Patience()
    binder = connector_env.get_connector_unit(RecordImporter).binder
    adapter = connector_env.get_connector_unit(CRUDAdapter)
    model = connector_env.model.with_context(active_test=False)
    _check_is_markable(connector_env)
    bound = model.search(
        [
            (binder._backend_field, "=", connector_env.backend_record.id),
            (binder._external_field, "!=", False),
            ("missing_since", "=", False),
        ]
    )
    listed = _listed(connector_env, adapter, patience)
    gone = bound.filtered(lambda each: each[binder._external_field] not in listed)
    if len(gone) > max_delete * len(bound):
        raise SweepRefusedError(
            f"{len(gone)} of {len(bound)} {connector_env.model_name!r} are not listed by "
            f"{connector_env.backend_record.name!r}, more than {max_delete:.1%}. Nothing is "
            "marked. Look whether the listing is complete, or allow a larger --max-delete."
        )

    def is_missing(binding: Recordset) -> bool:
        external_id = binding[binder._external_field]
        try:
            patience.read(lambda: adapter.read(external_id))
        except IDMissingInBackend:
            return True
        return False

    return Sweep(len(bound), gone.filtered(is_missing), binder._external_field)


def _listed(
    connector_env: ConnectorEnvironment, adapter: CRUDAdapter, patience: Patience
) -> frozenset[str]:
    """Give the ids of a complete listing."""
    ids, total = patience.read(adapter.list_ids)
    listed = frozenset(map(external_key, ids))
    if total is not None and len(listed) != total:
        raise SweepRefusedError(
            f"{connector_env.backend_record.name!r} lists {len(listed)} "
            f"{connector_env.model_name!r} and says that there are {total}: the listing is not "
            "complete, or was changed while it was read. Nothing is marked. Run the sweep again."
        )
    return listed


def _check_is_markable(connector_env: ConnectorEnvironment) -> None:
    if "missing_since" not in connector_env.model._fields:
        raise SweepRefusedError(
            f"{connector_env.model_name!r} has no field 'missing_since' to mark bindings with. "
            "Let it inherit external.binding."
        )
