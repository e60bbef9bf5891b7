"""What the jobs leave behind."""

from connector.core import fields, models


class Effect(models.Model):
    """One row for each effect; nothing keeps a job that ran twice from leaving two."""

    _name = "storm.effect"

    label = fields.Char(required=True)
