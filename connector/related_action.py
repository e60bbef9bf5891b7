"""Related actions: what a person opens from a job."""

from __future__ import annotations

from typing import Any

from connector.connector import Binder, ConnectorEnvironment
from connector.session import ConnectorSession

__all__ = ["unwrap_binding"]


def unwrap_binding(
    session: ConnectorSession, job: Any, id_pos: int = 2, binder_class: type[Binder] = Binder
) -> dict[str, Any] | None:
    """
    Open the record behind the binding that a job works on; None when it is gone.

    The first argument of the job is the binding model, the one at *id_pos* the binding's id.  A
    binding that binds no other model is opened itself.
    """
    model_name, binding_id = job.args[0], job.args[id_pos - 1]
    binding = session.env[model_name].browse(binding_id)
    if not binding.exists():
        return None
    connector_env = ConnectorEnvironment(binding.backend_id, session, model_name)
    binder = connector_env.get_connector_unit(binder_class)
    try:
        model, record_id = binder.unwrap_model(), binder.unwrap_binding(binding_id)
    except ValueError:
        model, record_id = model_name, binding_id
    return {
        "name": "Related Record",
        "type": "ir.actions.act_window",
        "view_type": "form",
        "view_mode": "form",
        "res_model": model,
        "res_id": record_id,
    }
