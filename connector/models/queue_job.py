"""The jobs as records; `connector.queue.transitions` and `by_hand` change their states."""

from collections.abc import Mapping
from typing import Any

from connector.core import SUPERUSER_ID, api, fields, models
from connector.core.exceptions import AccessError, UserError, ValidationError
from connector.exception import JobDefinitionError
from connector.models import thread  # noqa: F401 - declared before it is inherited
from connector.queue import broker, by_hand, cron, retention, schema, stopping, stuck
from connector.queue.function import check_channel
from connector.queue.state import STATES, State
from connector.queue.storage import OpenERPJobStorage
from connector.session import ConnectorSession

#: Where periodic jobs go; the import makes their function known.
CRON_CHANNEL = cron.CHANNEL

#: What a person may write on a job; its state is changed by the methods below.
EDITABLE = frozenset({"name", "channel", "priority", "eta", "max_retries", "message_follower_ids"})
#: Who follows a job that has failed.
MANAGERS = "connector.group_connector_manager"
#: The subtype of the message that a failed job posts.
SUBTYPE_FAILED = "connector.mt_job_failed"


class QueueJob(models.Model):
    """A call that a worker makes: what, for whom, when, and what became of it."""

    _name = "queue.job"
    _inherit = "connector.thread"
    _description = "Queue Job"
    _order = "id desc"
    _log_access = False

    uuid = fields.Char(string="UUID", required=True, readonly=True)
    name = fields.Char(string="Description", readonly=True)
    func_string = fields.Text(string="Task", readonly=True)
    state = fields.Selection(list(STATES), required=True, readonly=True)
    channel = fields.Char(required=True)
    priority = fields.Integer(required=True)
    eta = fields.Datetime(string="Execute only after")
    retry = fields.Integer(string="Current try", required=True)
    max_retries = fields.Integer(required=True, help="0 is without end.")
    attempt = fields.Integer(required=True, readonly=True, help="Starts ever made.")
    func_name = fields.Char(required=True, readonly=True)
    job_function_id = fields.Many2one(
        "queue.job.function", string="Job Function", compute="_compute_job_function_id"
    )
    model_name = fields.Char(string="Model", readonly=True)
    args = fields.Json(readonly=True)
    kwargs = fields.Json(readonly=True)
    user_id = fields.Many2one("res.users", string="User", ondelete="set null")
    company_id = fields.Many2one("res.company", string="Company", ondelete="set null")
    context = fields.Json(readonly=True)
    identity_key = fields.Char(readonly=True)
    result = fields.Text(readonly=True)
    exc_name = fields.Char(string="Exception", readonly=True)
    exc_message = fields.Text(string="Exception message", readonly=True)
    exc_info = fields.Text(string="Exception info", readonly=True)
    worker = fields.Char(readonly=True, help="Host and process that run it, or ran it last.")
    date_created = fields.Datetime(readonly=True)
    date_enqueued = fields.Datetime(readonly=True)
    date_started = fields.Datetime(readonly=True)
    date_done = fields.Datetime(readonly=True)

    def _compute_job_function_id(self) -> None:
        functions = self.env["queue.job.function"].search(
            [("name", "in", self.mapped("func_name"))]
        )
        by_name = {function.name: function for function in functions}
        for job in self:
            job.job_function_id = by_name.get(job.func_name)

    def init(self) -> None:
        schema.complete_table(self.env.cr)

    def write(self, vals: Mapping[str, Any]) -> bool:
        kept = sorted(set(vals) - EDITABLE)
        if kept and self.env.uid != SUPERUSER_ID:
            raise AccessError(
                f"Nobody writes {', '.join(kept)} of a job: workers do. "
                "Call requeue, button_done or button_cancelled to change its state; "
                f"{', '.join(sorted(EDITABLE))} may be written."
            )
        if "channel" in vals:
            _check_channel(vals["channel"])
        done = bool(super().write(vals))
        if vals.get("state") == State.FAILED:
            self.tell_failed()
        return done

    def unlink(self) -> bool:
        needed = by_hand.needed(self.env.cr, self.ids)
        if needed:
            raise UserError(
                f"Job {needed} runs, or other jobs wait for it: without it they would start. "
                "Stop or cancel it first."
            )
        return bool(super().unlink())

    @api.private
    @api.multi
    def tell_failed(self) -> None:
        """Let the Connector Managers follow the jobs, and tell them that these have failed."""
        for job in self.sudo():
            users = self.env["res.users"].sudo().search(job._get_subscribe_users_domain())
            job.message_subscribe_users(users.ids)
            job.message_post(body=job._message_failed_job(), subtype=SUBTYPE_FAILED)

    def _get_subscribe_users_domain(self) -> list[Any]:
        """Say who follows jobs that have failed: managers of their company, or of one below it."""
        domain: list[Any] = [("groups_id", "in", [self.env.ref(MANAGERS).id])]
        if self.company_id:
            domain.append(("company_id", "child_of", self.company_id.ids))
        return domain

    def _message_failed_job(self) -> str:
        """What the followers are told; the error itself is for those who may read the job."""
        return f"The job has failed with {self.exc_name}. Its exception info says more."

    @api.private
    @api.model
    def autovacuum(self) -> str:
        """Remove old jobs as the channels say, a commit a chunk; the daily cron calls it."""
        cr, session = self.env.cr, ConnectorSession.from_env(self.env)
        removed = sum(retention.purge(cr, retention.rules(cr), session.commit))
        return f"{removed} removed"

    @api.multi
    def requeue(self) -> bool:
        """Put the jobs back that have ended, with all their tries."""
        self.check_access_rights("write")
        by_hand.requeue(self.env.cr, self.mapped("uuid"))
        self.invalidate_cache()
        return True

    @api.multi
    def button_cancelled(self) -> bool:
        """Cancel the jobs that do not run, and those that wait for them."""
        self.check_access_rights("write")
        note = f"Cancelled by {self.env.user.name}"
        by_hand.cancel(self.env.cr, self.mapped("uuid"), note)
        self.invalidate_cache()
        return True

    @api.multi
    def button_done(self) -> bool:
        """Take the jobs that do not run as done."""
        self.check_access_rights("write")
        selection = by_hand.Selection(self.mapped("uuid"))
        by_hand.set_done(self.env.cr, selection, f"Manually set to done by {self.env.user.name}")
        self.invalidate_cache()
        return True

    @api.multi
    def button_stop(self) -> bool:
        """Ask the workers of the jobs that run to stop them; each is rolled back and fails."""
        self.check_access_rights("write")
        selection = by_hand.Selection(self.mapped("uuid"))
        stopping.ask(self.env.cr, broker.current(), selection)
        return True

    @api.private
    @api.multi
    def _change_job_state(self, state: str, result: str | None = None) -> None:
        """
        Set the jobs done, or put them back.

        Raises:
            ValueError: another state; only workers bring jobs there.
        """
        uuids = self.mapped("uuid")
        if state == State.DONE:
            by_hand.set_done(self.env.cr, by_hand.Selection(uuids), result or "")
        elif state == State.PENDING:
            by_hand.requeue(self.env.cr, uuids)
        else:
            raise ValueError(f"A job is set done or put back; nobody makes it {state!r}.")
        self.invalidate_cache()

    @api.private
    @api.model
    def requeue_stuck_jobs(self, enqueued_delta: float = 5, started_delta: float = 0) -> bool:
        """
        Put jobs back that nobody runs, handed over or started so many minutes ago; 0: neither.

        The sweep of the dispatcher does so within seconds; this is for a database without one.

        Raises:
            ValidationError: nothing is to be looked for.
        """
        if not enqueued_delta and not started_delta:
            raise ValidationError("Give the minutes for enqueued or for started jobs, or both.")
        for state, minutes in (("enqueued", enqueued_delta), ("started", started_delta)):
            if minutes:
                stuck.put_back(self.env.cr, state, minutes)
        self.invalidate_cache()
        return True

    @api.multi
    def open_related_action(self) -> Any:
        """
        The window action of the record behind the job.

        Raises:
            UserError: its function names none, or the record is gone.
        """
        self.ensure_one()
        session = ConnectorSession.from_env(self.env)
        action = OpenERPJobStorage(session).load(self.uuid).related_action(session)
        if action is None:
            raise UserError(
                f"There is no record to open for the job {self.name!r}: its function "
                f"{self.func_name} names none, or it is gone."
            )
        return action


def _check_channel(channel: Any) -> None:
    try:
        check_channel(channel)
    except JobDefinitionError as error:
        raise ValidationError(str(error)) from error


class QueueRequeueJob(models.TransientModel):
    """The wizard that puts all chosen jobs back."""

    _name = "queue.requeue.job"
    _description = "Requeue Jobs"

    job_ids = fields.Many2many("queue.job", string="Jobs", default=lambda self: self._chosen())

    @api.model
    def _chosen(self) -> list[int]:
        return list(self.env.context.get("active_ids") or ())

    @api.multi
    def requeue(self) -> dict[str, str]:
        """Put them back."""
        self.ensure_one()
        self.job_ids.requeue()
        return {"type": "ir.actions.act_window_close"}
