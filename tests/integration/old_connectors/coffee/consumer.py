# -*- coding: utf-8 -*-
from openerp.addons.connector.event import (
    on_record_create,
    on_record_write,
    on_record_unlink,
)
from openerp.addons.connector.connector import Binder
from .connector import get_environment
from .unit.delete_synchronizer import export_delete_record
from .unit.export_synchronizer import export_record


@on_record_create(model_names=["coffee.res.partner"])
@on_record_write(model_names=["coffee.res.partner"])
def delay_export(session, model_name, record_id, vals):
    """Delay a job which export a binding record."""
    if session.context.get("connector_no_export"):
        return
    export_record.delay(session, model_name, record_id, fields=list(vals.keys()))


@on_record_write(model_names="res.partner")
def delay_export_all_bindings(session, model_name, record_id, vals):
    """Delay a job which export all the bindings of a record."""
    if session.context.get("connector_no_export"):
        return
    record = session.env[model_name].browse(record_id)
    for binding in record.coffee_bind_ids:
        export_record.delay(session, binding._name, binding.id, fields=list(vals.keys()))


@on_record_unlink(model_names="coffee.res.partner")
def delay_unlink(session, model_name, record_id):
    record = session.env[model_name].browse(record_id)
    env = get_environment(session, model_name, record.backend_id.id)
    coffee_id = env.get_connector_unit(Binder).to_backend(record_id)
    if coffee_id:
        export_delete_record.delay(session, model_name, record.backend_id.id, coffee_id)
