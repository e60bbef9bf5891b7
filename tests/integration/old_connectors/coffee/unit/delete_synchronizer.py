# -*- coding: utf-8 -*-
from openerp.tools.translate import _
from openerp.addons.connector.queue.job import job
from openerp.addons.connector.unit.synchronizer import Deleter
from ..backend import coffee
from ..connector import get_environment


@coffee
class CoffeeDeleter(Deleter):
    _model_name = ["coffee.res.partner"]

    def run(self, coffee_id):
        self.backend_adapter.delete(coffee_id)
        return _("Record %s deleted in the shop") % coffee_id


@job(default_channel="root.coffee")
def export_delete_record(session, model_name, backend_id, coffee_id):
    """Delete a record in the shop"""
    env = get_environment(session, model_name, backend_id)
    return env.get_connector_unit(CoffeeDeleter).run(coffee_id)
