# -*- coding: utf-8 -*-
import logging
from openerp import fields, _
from openerp.addons.connector.queue.job import job
from openerp.addons.connector.connector import ConnectorUnit
from openerp.addons.connector.unit.synchronizer import Importer
from openerp.addons.connector.exception import IDMissingInBackend
from ..backend import coffee
from ..connector import get_environment, add_checkpoint

_logger = logging.getLogger(__name__)


class CoffeeImporter(Importer):
    """Base importer for the coffee shop"""

    def __init__(self, connector_env):
        super(CoffeeImporter, self).__init__(connector_env)
        self.coffee_id = None
        self.coffee_record = None

    def _get_coffee_data(self):
        return self.backend_adapter.read(self.coffee_id)

    def _before_import(self):
        """Hook called before the import, when we have the data"""

    def _is_uptodate(self, binding):
        assert self.coffee_record
        if not self.coffee_record.get("updated_at"):
            return
        if not binding or not binding.sync_date:
            return
        sync_date = fields.Datetime.from_string(binding.sync_date)
        return fields.Datetime.from_string(self.coffee_record["updated_at"]) < sync_date

    def _import_dependency(self, coffee_id, binding_model, importer_class=None, always=False):
        if not coffee_id:
            return
        if importer_class is None:
            importer_class = CoffeeImporter
        binder = self.binder_for(binding_model)
        if always or not binder.to_openerp(coffee_id):
            importer = self.unit_for(importer_class, model=binding_model)
            importer.run(coffee_id)

    def _import_dependencies(self):
        return

    def _map_data(self):
        return self.mapper.map_record(self.coffee_record)

    def _must_skip(self):
        return

    def _get_binding(self):
        return self.binder.to_openerp(self.coffee_id)

    def _create(self, data):
        model = self.model.with_context(connector_no_export=True)
        binding = model.create(data)
        _logger.debug("%d created from %s %s", binding, self.backend_record, self.coffee_id)
        return binding

    def _update(self, binding, data):
        binding.with_context(connector_no_export=True).write(data)

    def _after_import(self, binding):
        return

    def run(self, coffee_id, force=False):
        self.coffee_id = coffee_id
        lock_name = "import({}, {}, {}, {})".format(
            self.backend_record._name, self.backend_record.id, self.model._name, coffee_id
        )
        self.advisory_lock_or_retry(lock_name)
        try:
            self.coffee_record = self._get_coffee_data()
        except IDMissingInBackend:
            return _("Record does no longer exist in the shop")
        skip = self._must_skip()
        if skip:
            return skip
        binding = self._get_binding()
        if not force and self._is_uptodate(binding):
            return _("Already up-to-date.")
        self._before_import()
        self._import_dependencies()
        map_record = self._map_data()
        if binding:
            self._update(binding, map_record.values())
        else:
            binding = self._create(map_record.values(for_create=True))
        self.binder.bind(self.coffee_id, binding)
        self._after_import(binding)


class BatchImporter(Importer):
    def run(self, filters=None):
        for record_id in self.backend_adapter.search(filters):
            self._import_record(record_id)

    def _import_record(self, record_id, **kwargs):
        import_record.delay(
            self.session, self.model._name, self.backend_record.id, record_id, **kwargs
        )


@coffee
class PartnerBatchImporter(BatchImporter):
    _model_name = ["coffee.res.partner"]


@coffee
class CategoryImporter(CoffeeImporter):
    _model_name = ["coffee.res.partner.category"]


@coffee
class AddCheckpoint(ConnectorUnit):
    """Add a connector.checkpoint on a record"""

    _model_name = ["coffee.res.partner"]

    def run(self, openerp_binding_id):
        binding = self.model.browse(openerp_binding_id)
        add_checkpoint(self.session, "res.partner", binding.openerp_id.id, self.backend_record.id)


@job(default_channel="root.coffee")
def import_batch(session, model_name, backend_id, filters=None):
    """Prepare a batch import of records from the shop"""
    env = get_environment(session, model_name, backend_id)
    importer = env.get_connector_unit(BatchImporter)
    importer.run(filters=filters)


@job(default_channel="root.coffee", retry_pattern={1: 10, 5: 60})
def import_record(session, model_name, backend_id, coffee_id, force=False):
    """Import a record from the shop"""
    env = get_environment(session, model_name, backend_id)
    importer = env.get_connector_unit(CoffeeImporter)
    return importer.run(coffee_id, force=force)
