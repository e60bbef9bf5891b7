"""The record of one such system: where it is, and with which token it opens."""

from connector.core import fields, models


class BackendRecord(models.Model):
    _name = "new_connector.backend"
    _inherit = "connector.backend"
    _description = "Backend of new_connector"
    _backend_type = "new_connector"

    version = fields.Selection([("1", "1")], required=True, default="1")
    location = fields.Char(required=True, help="its API: https://example.com/api")
    token = fields.Char(required=True, help="the key that it gave you")
