# -*- coding: utf-8 -*-
from openerp import models, fields
from openerp.addons.connector.connector import ConnectorEnvironment
from openerp.addons.connector.checkpoint import checkpoint


def get_environment(session, model_name, backend_id):
    """Create an environment to work with."""
    backend_record = session.env["coffee.backend"].browse(backend_id)
    return ConnectorEnvironment(backend_record, session, model_name)


class CoffeeBinding(models.AbstractModel):
    """Abstract model for all the bindings of the coffee shop"""

    _name = "coffee.binding"
    _inherit = "external.binding"
    _description = "Coffee Binding (abstract)"

    backend_id = fields.Many2one(
        comodel_name="coffee.backend", string="Coffee Backend", required=True, ondelete="restrict"
    )
    coffee_id = fields.Char(string="ID on the shop")

    _sql_constraints = [
        (
            "coffee_uniq",
            "unique(backend_id, coffee_id)",
            "A binding already exists with the same ID on the shop.",
        ),
    ]


def add_checkpoint(session, model_name, record_id, backend_id):
    return checkpoint.add_checkpoint(session, model_name, record_id, "coffee.backend", backend_id)
