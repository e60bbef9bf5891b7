"""
The changes of a job's state that dispatcher, runner and sweep make, one function each.

A change of a started job is fenced: it is made only while the row is still started in the
attempt that the caller holds.  `Start` is that fence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connector.core import sql
from connector.core.models.prepared import run_prepared

#: First integer of the lock that the connection of a running job holds; the job's id follows.
JOB_LOCK_CLASS = 0x6A6F62

# The lock is taken in a select list, where it is tried for the found row only; in a WHERE
# clause the planner chooses what it is tried for.
# The commit of a start need not wait for the disk: the commit of the effect, which does, makes
# it durable too, and a server that crashes before has lost all locks and connections with it.
_START = """
WITH target AS MATERIALIZED (
    SELECT id, pg_try_advisory_lock($1, id) AS locked,
           set_config('synchronous_commit', 'off', true)
      FROM queue_job WHERE uuid = $2 AND state = 'enqueued'
)
UPDATE queue_job AS job
   SET state = 'started', attempt = job.attempt + 1, retry = job.retry + 1,
       date_started = (clock_timestamp() AT TIME ZONE 'UTC'), worker = $3
  FROM target
 WHERE job.id = target.id AND target.locked AND job.state = 'enqueued'
RETURNING job.id, job.uuid, job.attempt, job.retry, job.max_retries, job.identity_key,
          job.func_name, job.model_name, job.args, job.kwargs, job.channel, job.priority,
          job.user_id, job.company_id, job.context, job.name, job.date_created
"""

_DONE = """
UPDATE queue_job AS job
   SET state = 'done', result = $3, date_done = (clock_timestamp() AT TIME ZONE 'UTC'),
       exc_name = NULL, exc_message = NULL, exc_info = NULL
 WHERE id = $1 AND state = 'started' AND attempt = $2
RETURNING EXISTS (SELECT FROM queue_job_dependency WHERE parent_id = job.id)
"""

_POSTPONE = """
UPDATE queue_job
   SET state = 'pending', eta = (clock_timestamp() AT TIME ZONE 'UTC') + %(wait)s,
       retry = retry - %(unspent)s, result = %(note)s,
       exc_name = %(exc_name)s, exc_message = %(note)s, exc_info = NULL,
       date_enqueued = NULL, date_started = NULL, worker = NULL
 WHERE id = %(id)s AND state = 'started' AND attempt = %(attempt)s
"""

_FAIL = """
UPDATE queue_job
   SET state = 'failed', date_done = (clock_timestamp() AT TIME ZONE 'UTC'), result = NULL,
       exc_name = %(exc_name)s, exc_message = %(message)s, exc_info = %(exc_info)s
 WHERE id = %(id)s AND state = 'started' AND attempt = %(attempt)s
"""

_SUPERSEDE = """
UPDATE queue_job AS job
   SET state = 'cancelled', date_done = (clock_timestamp() AT TIME ZONE 'UTC'),
       result = 'superseded by ' || other.uuid
  FROM queue_job AS other
 WHERE job.id = %(id)s AND job.state = 'started' AND job.attempt = %(attempt)s
   AND other.identity_key = job.identity_key AND other.id <> job.id
   AND other.state IN ('pending', 'enqueued', 'wait_dependencies')
"""

# The row lock puts two parents that end together in order: the second one sees the first done.
_LOCK_CHILDREN = """
SELECT id FROM queue_job
 WHERE state = 'wait_dependencies'
   AND id IN (SELECT child_id FROM queue_job_dependency WHERE parent_id = %(parent)s)
 ORDER BY id FOR NO KEY UPDATE
"""

_RELEASE_CHILDREN = """
UPDATE queue_job AS child SET state = 'pending'
 WHERE child.id = ANY(%(children)s) AND child.state = 'wait_dependencies'
   AND NOT EXISTS (
       SELECT FROM queue_job_dependency AS edge JOIN queue_job AS parent ON parent.id = parent_id
        WHERE edge.child_id = child.id AND parent.state <> 'done')
"""


@dataclass(frozen=True)
class Start:
    """One start of one job: what every later change of it is fenced by."""

    id: int
    attempt: int
    identity_key: str | None = None


def start(cr: Any, uuid: str, worker: str) -> dict[str, Any] | None:
    """
    Lock an enqueued job on this connection and mark it started; the caller commits.

    None when it is not enqueued any more or another one runs it: a message that came twice.
    The connection then may hold the lock all the same; see `release_locks`.
    """
    cr.expect_session_locks()
    run_prepared(cr, "int, text, text", _START, (JOB_LOCK_CLASS, uuid, worker))
    row: dict[str, Any] | None = cr.dictfetchone()
    return row


def release_locks(cr: Any) -> None:
    """Give back every session lock of this connection, that of the job among them."""
    sql.locks.release_session_locks(cr)


def holds_fence(cr: Any, job: Start) -> bool:
    """Whether the job is still started in this attempt; the row stays locked until commit."""
    cr.execute_unflushed(
        "SELECT 1 FROM queue_job WHERE id = %(id)s AND state = 'started'"
        " AND attempt = %(attempt)s FOR NO KEY UPDATE",
        vars(job),
    )
    return cr.fetchone() is not None


def finish(cr: Any, job: Start, result: str | None) -> bool:
    """
    Mark a started job done and release what waited for it; False when the fence is lost.

    On False the caller rolls everything back.
    """
    run_prepared(cr, "int, int, text", _DONE, (job.id, job.attempt, result))
    row = cr.fetchone()
    if row is None:
        return False
    if row[0]:
        release_children(cr, job.id)
    return True


def release_children(cr: Any, parent: int) -> None:
    """Make those jobs pending that wait for this one last; it is done in this transaction."""
    cr.execute_unflushed(_LOCK_CHILDREN, {"parent": parent})
    children = [row[0] for row in cr.fetchall()]
    if children:
        cr.execute_unflushed(_RELEASE_CHILDREN, {"children": children})


def postpone(
    cr: Any, job: Start, *, seconds: float, note: str, exc_name: str, spent: bool = True
) -> bool:
    """
    Put a started job back to come again after *seconds*; False when the fence is lost.

    With *spent* false the try is not counted.  Where another job with its identity key waits
    by now, that one does the work and this one is cancelled.

    Raises:
        UniqueViolation: another one with the key came in this very moment; try again.
    """
    if job.identity_key is not None:
        cr.execute_unflushed(_SUPERSEDE, vars(job))
        if cr.rowcount:
            return True
    cr.execute_unflushed(
        _POSTPONE,
        {
            **vars(job),
            "wait": timedelta(seconds=seconds),
            "unspent": 0 if spent else 1,
            "note": note,
            "exc_name": exc_name,
        },
    )
    return bool(cr.rowcount)


def fail(cr: Any, job: Start, *, exc_name: str, message: str, exc_info: str) -> bool:
    """Mark a started job failed; False when the fence is lost."""
    cr.execute_unflushed(
        _FAIL, {**vars(job), "exc_name": exc_name, "message": message, "exc_info": exc_info}
    )
    return bool(cr.rowcount)


def enqueue(cr: Any, ids: Sequence[int], now: datetime) -> None:
    """Mark claimed jobs as handed over; their rows are locked by the caller."""
    run_prepared(
        cr,
        "int[], timestamp",
        "UPDATE queue_job SET state = 'enqueued', date_enqueued = $2 WHERE id = ANY($1)",
        (list(ids), now),
    )


def take_back(cr: Any, uuids: Sequence[str]) -> int:
    """Make enqueued jobs pending again that no worker can have received; answer how many."""
    cr.execute_unflushed(
        "UPDATE queue_job SET state = 'pending', date_enqueued = NULL"
        " WHERE uuid = ANY(%(uuids)s) AND state = 'enqueued'",
        {"uuids": list(uuids)},
    )
    return int(cr.rowcount)


def give_back(cr: Any, channels: Sequence[str]) -> int:
    """Make the enqueued jobs of paused channels pending again; answer how many."""
    cr.execute_unflushed(
        "UPDATE queue_job SET state = 'pending', date_enqueued = NULL"
        " WHERE channel = ANY(%(channels)s) AND state = 'enqueued'",
        {"channels": list(channels)},
    )
    return int(cr.rowcount)
