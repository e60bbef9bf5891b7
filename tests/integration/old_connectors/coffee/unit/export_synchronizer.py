# -*- coding: utf-8 -*-
import psycopg2
from openerp.tools.translate import _
from openerp.addons.connector.queue.job import job, related_action
from openerp.addons.connector.unit.synchronizer import Exporter
from openerp.addons.connector.exception import RetryableJobError
from ..backend import coffee
from ..connector import get_environment
from ..related_action import unwrap_binding


@coffee
class CoffeeExporter(Exporter):
    _model_name = ["coffee.res.partner"]

    def _lock(self):
        sql = "SELECT id FROM %s WHERE ID = %%s FOR UPDATE NOWAIT" % self.model._table
        try:
            self.session.cr.execute(sql, (self.binding_id,), log_exceptions=False)
        except psycopg2.OperationalError:
            raise RetryableJobError("A concurrent job is already exporting the same record")

    def run(self, binding_id, fields=None):
        self.binding_id = binding_id
        self.binding_record = self.model.browse(binding_id)
        coffee_id = self.binder.to_backend(binding_id)
        self._lock()
        map_record = self.mapper.map_record(self.binding_record)
        if coffee_id:
            record = map_record.values(fields=fields)
            if not record:
                return _("Nothing to export.")
            self.backend_adapter.write(coffee_id, record)
        else:
            record = map_record.values(for_create=True)
            coffee_id = self.backend_adapter.create(record)
        self.binder.bind(coffee_id, binding_id)
        self.session.commit()
        return _("Record exported with ID %s in the shop.") % coffee_id


@job(default_channel="root.coffee")
@related_action(action=unwrap_binding)
def export_record(session, model_name, binding_id, fields=None):
    """Export a record to the shop"""
    record = session.env[model_name].browse(binding_id)
    env = get_environment(session, model_name, record.backend_id.id)
    exporter = env.get_connector_unit(CoffeeExporter)
    return exporter.run(binding_id, fields=fields)
