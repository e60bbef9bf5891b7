"""Changes that a person makes to a job object, written to its row."""

from __future__ import annotations

from typing import Any

from connector.exception import JobError, NoSuchJobError
from connector.queue import by_hand, codec
from connector.queue.call import Job, checked_number
from connector.queue.function import check_channel
from connector.queue.new_jobs import standing_for
from connector.queue.schema import notify
from connector.queue.state import ENDED, WAITING, State

# Only the row of a job that does not run: what runs is stopped by asking its worker.
_UPDATE = """
UPDATE queue_job
   SET name = %(name)s, state = %(state)s, channel = coalesce(%(channel)s, channel),
       priority = %(priority)s, eta = %(eta)s, max_retries = %(max_retries)s, retry = %(retry)s,
       result = %(result)s, exc_info = %(exc_info)s, date_enqueued = %(date_enqueued)s,
       date_started = %(date_started)s, date_done = %(date_done)s, worker = %(worker)s
 WHERE uuid = %(uuid)s AND state = ANY(%(states)s)
"""


def update(cr: Any, job: Job) -> None:
    """
    Write what a person has changed of a stored job.

    Raises:
        NoSuchJobError, JobError: see `OpenERPJobStorage.store`.
        JobDefinitionError, JobArgumentError: what was changed cannot be kept.
    """
    checked_number("priority", job.priority)
    checked_number("max_retries", job.max_retries, least=0)
    if job.channel is not None:
        check_channel(job.channel)
    name = codec.encode(job.description, "the description")
    if job.state == State.PENDING:
        _give_way(cr, job)
    elif job.state == State.CANCELLED:
        by_hand.cancel(cr, [job.uuid], str(job.result or ""))
    elif job.state == State.DONE:
        by_hand.set_done(cr, by_hand.Selection([job.uuid]), str(job.result or ""))
    values = {
        "uuid": job.uuid,
        "name": name,
        "state": str(job.state),
        "channel": job.channel,
        "priority": job.priority,
        "eta": job.eta,
        "max_retries": job.max_retries,
        "retry": job.retry,
        "result": codec.printable(str(job.result)) if job.result else None,
        "exc_info": codec.printable(job.exc_info) if job.exc_info else None,
        "date_enqueued": job.date_enqueued,
        "date_started": job.date_started,
        "date_done": job.date_done,
        "worker": job.worker_uuid,
    }
    cr.execute(_UPDATE, {**values, "states": _states_before(job.state)})
    if not cr.rowcount:
        raise _not_stored(cr, job)
    notify(cr)


def _give_way(cr: Any, job: Job) -> None:
    """A job that would wait again while another one with its key waits is cancelled."""
    standing = standing_for(cr, [job]) if job.identity_key else {}
    other = standing.get(job.identity_key or "", job.uuid)
    if other != job.uuid:
        job.cancel(f"superseded by {other}")


def _not_stored(cr: Any, job: Job) -> JobError:
    cr.execute("SELECT state FROM queue_job WHERE uuid = %s", (job.uuid,))
    row = cr.fetchone()
    if row is None:
        return NoSuchJobError(f"There is no job {job.uuid}. It may have been removed.")
    return JobError(
        f"Job {job.uuid} is {row[0]}, and cannot be stored as {job.state}: what runs is "
        "stopped by asking its worker, and only dispatcher and workers hand jobs over and "
        "start them."
    )


def _states_before(state: State) -> list[str]:
    """The states from which a person may bring a job to *state*."""
    if state == State.STARTED:
        return []
    if state in (State.ENQUEUED, State.WAIT_DEPENDENCIES):
        return [str(state)]
    return [str(before) for before in (*WAITING, *ENDED)]
