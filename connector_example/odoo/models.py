"""The record of a server, and the bindings of its partners, categories and countries."""

from connector.core import fields, models
from connector_example.odoo.backend import SERIES


class OdooBackend(models.Model):
    _name = "odoo.backend"
    _inherit = "connector.backend"
    _description = "Odoo server"
    _backend_type = "odoo"

    version = fields.Selection(
        [(series, series) for series in SERIES], required=True, default="17.0"
    )
    location = fields.Char(required=True, help="its address: https://odoo.example.com")
    database = fields.Char(required=True)
    login = fields.Char(required=True)
    password = fields.Char(required=True, help="the user's password or API key")
    import_since = fields.Char(
        help="Records that were changed after it come next; a time of the server's clock.",
    )


class OdooBinding(models.AbstractModel):
    """A record of the server and the record it is here. One made here has no id there at first."""

    _name = "odoo.binding"
    _inherit = "external.binding"
    _description = "Odoo binding"

    backend_id = fields.Many2one("odoo.backend", required=True, ondelete="restrict", index=True)
    external_id = fields.Char()

    _sql_constraints = [
        (
            "external_id_once",
            "unique(backend_id, external_id)",
            "A record of the server has one binding.",
        ),
        ("record_once", "unique(backend_id, openerp_id)", "A record has one binding to a server."),
    ]


class OdooCountry(models.Model):
    _name = "odoo.res.country"
    _inherit = "odoo.binding"
    _inherits = {"res.country": "openerp_id"}
    _description = "Odoo country"

    openerp_id = fields.Many2one("res.country", required=True, ondelete="cascade", index=True)


class OdooPartnerCategory(models.Model):
    _name = "odoo.res.partner.category"
    _inherit = "odoo.binding"
    _inherits = {"res.partner.category": "openerp_id"}
    _description = "Odoo partner category"

    openerp_id = fields.Many2one(
        "res.partner.category", required=True, ondelete="cascade", index=True
    )


class OdooPartner(models.Model):
    _name = "odoo.res.partner"
    _inherit = "odoo.binding"
    _inherits = {"res.partner": "openerp_id"}
    _description = "Odoo partner"

    openerp_id = fields.Many2one("res.partner", required=True, ondelete="cascade", index=True)
