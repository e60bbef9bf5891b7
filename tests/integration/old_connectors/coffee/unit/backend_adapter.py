# -*- coding: utf-8 -*-
import logging
from openerp.addons.connector.unit.backend_adapter import CRUDAdapter
from openerp.addons.connector.exception import IDMissingInBackend, NetworkRetryableError
from ..backend import coffee

_logger = logging.getLogger(__name__)

#: What the shop holds: {model: {id: record}}; a test fills it.
SHOP = {}
#: What the shop was asked: (method, model, id).
CALLS = []


class CoffeeCRUDAdapter(CRUDAdapter):
    """External Records Adapter for the coffee shop"""

    _coffee_model = None

    def __init__(self, connector_env):
        super(CoffeeCRUDAdapter, self).__init__(connector_env)
        self.location = self.backend_record.location

    def _call(self, method, external_id=None):
        if self.location == "nowhere":
            raise NetworkRetryableError("A network error caused the failure of the job")
        CALLS.append((method, self._coffee_model, external_id))
        _logger.debug("%s %s %s", method, self._coffee_model, external_id)
        return SHOP.setdefault(self._coffee_model, {})

    def search(self, filters=None):
        return sorted(self._call("search"), key=int)

    def read(self, id, attributes=None):
        records = self._call("read", id)
        if str(id) not in records:
            raise IDMissingInBackend("%s is gone" % id)
        return records[str(id)]

    def create(self, data):
        records = self._call("create")
        new_id = str(max([int(each) for each in records] or [0]) + 1)
        records[new_id] = dict(data, id=new_id)
        return new_id

    def write(self, id, data):
        self._call("write", id)[str(id)].update(data)

    def delete(self, id):
        del self._call("delete", id)[str(id)]


@coffee
class PartnerAdapter(CoffeeCRUDAdapter):
    _model_name = "coffee.res.partner"
    _coffee_model = "customer"


@coffee
class CategoryAdapter(CoffeeCRUDAdapter):
    _model_name = ["coffee.res.partner.category"]
    _coffee_model = "group"
