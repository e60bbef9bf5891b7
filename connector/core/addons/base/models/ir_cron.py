"""Periodic jobs: what is to be called, and when next. The workers run them."""

from collections.abc import Mapping
from typing import Any

from connector.core import api, fields, models
from connector.core.exceptions import ValidationError


class IrCron(models.Model):
    """One periodic job: a method of a model, called with arguments at each occurrence."""

    _name = "ir.cron"
    _description = "Scheduled Actions"
    _order = "name"

    name = fields.Char(required=True)
    user_id = fields.Many2one("res.users", "User", required=True, default=lambda self: self.env.uid)
    active = fields.Boolean(default=True)
    interval_number = fields.Integer("Interval Number", default=1)
    interval_type = fields.Selection(
        [
            ("minutes", "Minutes"),
            ("hours", "Hours"),
            ("days", "Days"),
            ("weeks", "Weeks"),
            ("months", "Months"),
        ],
        default="months",
    )
    numbercall = fields.Integer(
        "Number of Calls", default=1, help="How often it runs yet; -1 for ever."
    )
    doall = fields.Boolean("Repeat Missed", help="Run occurrences that were missed, each of them.")
    nextcall = fields.Datetime(
        "Next Execution Date", required=True, default=lambda self: fields.Datetime.now()
    )
    month_day = fields.Integer(
        "Day of the Month",
        readonly=True,
        help="The day that monthly calls keep, also after a month that does not have it.",
    )
    model = fields.Char("Object")
    function = fields.Char("Method")
    args = fields.Text("Arguments", default="()")
    priority = fields.Integer(default=5)

    def write(self, vals: Mapping[str, Any]) -> bool:
        if "nextcall" in vals:  # whoever says when, says on which day
            vals = {"month_day": 0, **vals}
        return bool(super().write(vals))

    @api.constrains("interval_number")
    def _check_interval(self) -> None:
        for cron in self:
            if cron.interval_number < 1:
                raise ValidationError(
                    f"The interval of {cron.name!r} must be 1 or more, not {cron.interval_number}."
                )
