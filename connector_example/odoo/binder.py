"""Which record here is which there: the framework's binder, for all models of the server."""

from connector.connector import Binder
from connector_example.odoo.backend import odoo


@odoo
class OdooBinder(Binder):
    _model_name = ["odoo.res.country", "odoo.res.partner.category", "odoo.res.partner"]
