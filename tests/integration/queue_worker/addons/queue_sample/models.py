"""What the jobs leave behind."""

from connector.core import fields, models


class Effect(models.Model):
    """One row for each effect of a job: a job that had two would leave two."""

    _name = "queue.sample.effect"

    label = fields.Char(required=True)
    process = fields.Integer()


class Unique(models.Model):
    """A record that only one job can make."""

    _name = "queue.sample.unique"
    _natural_keys = [("code",)]
    _sql_constraints = [("code_uniq", "UNIQUE (code)", "Taken.")]

    code = fields.Char(required=True)
