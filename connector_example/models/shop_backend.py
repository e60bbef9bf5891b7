"""The shop's record: where it is and with which token it opens."""

from connector.core import fields, models


class ShopBackend(models.Model):
    _name = "shop.backend"
    _inherit = "connector.backend"
    _description = "Shop"
    _backend_type = "shop"

    version = fields.Selection([("1.0", "1.0")], required=True, default="1.0")
    location = fields.Char(required=True, help="its API: https://shop.example.com/api/v1")
    token = fields.Char(required=True, help="the key the shop gave you")
