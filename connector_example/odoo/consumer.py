"""A change here enqueues its export, unless an import has made it."""

from collections.abc import Mapping
from typing import Any

from connector.event import on_record_create, on_record_write
from connector.session import ConnectorSession
from connector.unit.exporter import delay_export
from connector_example.odoo.mapper import CATEGORY, PARTNER

#: Here -> its bindings to servers.
BINDINGS = {"res.partner": PARTNER, "res.partner.category": CATEGORY}


@on_record_create(model_names=[PARTNER, CATEGORY])
def export_created(
    session: ConnectorSession, model_name: str, record_id: int, vals: Mapping[str, Any]
) -> None:
    """A binding without an id there is a record to be made there."""
    delay_export(session, model_name, record_id)


@on_record_write(model_names=list(BINDINGS))
def export_written(
    session: ConnectorSession, model_name: str, record_id: int, vals: Mapping[str, Any]
) -> None:
    """A record that is written is exported to the servers that it is bound to."""
    bindings = session.env[BINDINGS[model_name]].with_context(active_test=False)
    for binding in bindings.search([("openerp_id", "=", record_id)]):
        delay_export(session, binding._name, binding.id, vals)
