"""The binding of a customer there to a partner here."""

from connector.core import fields, models


class PartnerBinding(models.Model):
    """By `_inherits` it has all fields of its partner."""

    _name = "new_connector.partner"
    _inherit = "external.binding"
    _inherits = {"res.partner": "openerp_id"}
    _description = "Partner of new_connector"

    openerp_id = fields.Many2one("res.partner", required=True, ondelete="cascade", index=True)
    backend_id = fields.Many2one(
        "new_connector.backend",
        required=True,
        ondelete="restrict",
        index=True,
    )
    # Text, because an id there is a name and not a number.  Empty until it has one.
    external_id = fields.Char(copy=False)

    _sql_constraints = [
        (
            "external_id_once",
            "unique(backend_id, external_id)",
            "A customer there has one binding here.",
        ),
    ]
