"""Channels and job functions as records: settings here are followed live."""

from collections.abc import Mapping
from typing import Any

from connector.core import api, fields, models
from connector.core.addon import addon_of_object
from connector.core.exceptions import ValidationError
from connector.exception import JobDefinitionError
from connector.queue import channel_store, schema
from connector.queue.channels import LONGEST_THROTTLE_SECONDS, ROOT
from connector.queue.function import JOB_REGISTRY, check_channel, function_name

#: The external id of the channel at the top.
ROOT_ID = "connector.channel_root"
#: What a channel leaves to the configuration unless it is given.
SETTINGS = ("capacity", "sequential", "throttle", "paused", "short")

# Several processes load a registry at a time: whoever is second finds the row.
_ADD_FUNCTION = """
INSERT INTO queue_job_function (name, channel_id)
SELECT %(name)s, id FROM queue_job_channel WHERE complete_name = %(channel)s
ON CONFLICT (name) DO NOTHING
"""


class QueueJobChannel(models.Model):
    """A branch of the tree of channels; an empty setting is left to the configuration."""

    _name = "queue.job.channel"
    _description = "Job Channel"
    _rec_name = "complete_name"
    _log_access = False

    name = fields.Char(required=True)
    complete_name = fields.Char(readonly=True, required=True)
    parent_id = fields.Many2one("queue.job.channel", string="Parent", ondelete="restrict")
    capacity = fields.Integer(help="Jobs side by side; 0 is any number.")
    sequential = fields.Boolean(help="One after the other, and none while one is failed.")
    throttle = fields.Float(help="Least seconds between two starts.")
    paused = fields.Boolean(help="Nothing starts.")
    short = fields.Boolean(help="A worker takes several jobs at a time: they are that short.")
    keep_done_days = fields.Integer(help="Days that done jobs are kept; else as above, else 30.")
    keep_cancelled_days = fields.Integer(help="Days that cancelled jobs are kept; likewise.")
    keep_failed_days = fields.Integer(help="Days that failed jobs are kept; else as above.")

    _sql_constraints = [
        ("name_uniq", "UNIQUE (complete_name)", "There is a channel of that name already."),
        (
            "throttle_range",
            f"CHECK (throttle BETWEEN 0 AND {LONGEST_THROTTLE_SECONDS})",
            "The throttle of a channel is a number of seconds, at most a day.",
        ),
    ]

    def init(self) -> None:
        schema.follow_channels(self.env.cr)

    @api.model
    def create(self, vals: Any) -> Any:
        record = super().create(self._completed(vals))
        unset = [name for name in SETTINGS if name not in vals]
        channel_store.leave_to_configuration(self.env.cr, record.ids, unset)
        record.invalidate_cache()
        return record

    def write(self, vals: Mapping[str, Any]) -> bool:
        if not {"name", "parent_id"} & set(vals):
            return bool(super().write(vals))
        self._check_not_root("renamed or moved")
        before = {record.id: record.complete_name for record in self}
        done = bool(super().write(vals))
        for record in self:
            new = self._complete_name(record.parent_id, record.name)
            if f"{new}.".startswith(f"{before[record.id]}.") and new != before[record.id]:
                raise ValidationError(
                    f"The channel {before[record.id]!r} cannot be put below itself."
                )
            channel_store.rename(self.env.cr, before[record.id], new)
            self.invalidate_cache()
        return done

    def unlink(self) -> bool:
        self._check_not_root("removed")
        return bool(super().unlink())

    def _check_not_root(self, what: str) -> None:
        if any(record.complete_name == ROOT for record in self):
            raise ValidationError(f"The channel root cannot be {what}; all others are below it.")

    def _completed(self, vals: Mapping[str, Any]) -> dict[str, Any]:
        parent = self.browse(vals.get("parent_id"))
        if not parent and vals.get("name") != ROOT:
            raise ValidationError(
                f"The channel {vals.get('name')!r} has no parent. Put it below root."
            )
        return {**vals, "complete_name": self._complete_name(parent, vals.get("name"))}

    def _complete_name(self, parent: Any, name: Any) -> str:
        complete = f"{parent.complete_name}.{name}" if parent else str(name)
        if "." in str(name):
            raise ValidationError(f"The name {name!r} of a channel has a dot; name its parent.")
        try:
            check_channel(complete)
        except JobDefinitionError as error:
            raise ValidationError(str(error)) from error
        return complete

    @api.private
    @api.model
    def ensure(self, complete_name: str) -> None:
        """Make a channel, and those above it, where they are missing."""
        channel_store.ensure(self.env.cr, complete_name)

    @api.model
    def _name_root(self) -> None:
        """Let data files name the top of the tree: `connector.channel_root`."""
        if self.env.ref(ROOT_ID, raise_if_not_found=False):
            return
        self.ensure(ROOT)
        module, _, name = ROOT_ID.partition(".")
        root = self.search([("complete_name", "=", ROOT)])
        self.env["ir.model.data"].create(
            {
                "module": module,
                "name": name,
                "model": self._name,
                "res_id": root.id,
                "noupdate": True,
            }
        )


class QueueJobFunction(models.Model):
    """Which channel the jobs of a function go to; a person may choose another one."""

    _name = "queue.job.function"
    _description = "Job Function"
    _log_access = False

    name = fields.Char(required=True, readonly=True)
    channel_id = fields.Many2one("queue.job.channel", string="Channel", ondelete="restrict")

    _sql_constraints = [("name_uniq", "UNIQUE (name)", "The function is known already.")]

    def _register_hook(self) -> None:
        self._register_jobs()

    @api.model
    def _register_jobs(self) -> None:
        """Note the job functions of the installed addons; a channel once assigned stays."""
        installed = self.env.registry._init_modules
        self.env.cr.execute("SELECT name FROM queue_job_function")
        known = {row[0] for row in self.env.cr.fetchall()}
        channels = self.env["queue.job.channel"]
        channels.ensure(ROOT)
        for func in sorted(JOB_REGISTRY, key=function_name):
            name = function_name(func)
            if name in known or addon_of_object(func) not in installed:
                continue
            channel = getattr(func, "default_channel", ROOT)
            channels.ensure(channel)
            self.env.cr.execute(_ADD_FUNCTION, {"name": name, "channel": channel})
