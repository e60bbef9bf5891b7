"""What running workers do not know yet."""

from connector.core import fields, models
from connector.queue.job import job


class Effect(models.Model):
    """More of an effect."""

    _inherit = "queue.sample.effect"

    note = fields.Char()


class Late(models.Model):
    """A model that was not there when the workers began."""

    _name = "queue.late"

    name = fields.Char()


@job
def leave_both(session, model_name, label):
    """Leave an effect with its new field, and a record of the new model."""
    late = session.env["queue.late"].create({"name": label})
    session.env[model_name].create({"label": label, "note": late.name})
