"""What every binding to the shop has: a backend, an external id, and that pair only once."""

from connector.core import fields, models


class ShopBinding(models.AbstractModel):
    """
    A record of the shop and the record it is here.

    A concrete binding adds `openerp_id`, and with `_inherits` has all fields of that record.
    """

    _name = "shop.binding"
    _inherit = "external.binding"
    _description = "Shop binding"

    backend_id = fields.Many2one("shop.backend", required=True, ondelete="restrict", index=True)
    # Text, because an id of a shop is a name and not a number: "0" is one too.  Empty until the
    # shop has it.
    external_id = fields.Char(copy=False)

    _sql_constraints = [
        (
            "external_id_once",
            "unique(backend_id, external_id)",
            "A record of the shop has one binding.",
        ),
    ]
