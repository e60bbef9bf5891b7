"""
The changes of a job's state that dispatcher, runner and sweep make, one function each.

A change of a started job is fenced: it is made only while the row is still started in the
attempt that the caller holds.  `Start` is that fence.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connector.core import sql
from connector.core.models.prepared import run_prepared
from connector.queue.procedures import FENCE_LOST, JOB_LOCK_CLASS, STARTED, prepare

_START = "EXECUTE job_start (%(uuid)s, %(worker)s)"
_START_FREE = "EXECUTE job_start_free (%(uuid)s, %(worker)s)"
_KEPT = f"SELECT current_setting('{STARTED}')"
_DONE = "EXECUTE job_done (%(id)s, %(attempt)s, %(result)s); EXECUTE job_children (%(id)s)"
_LOCK = """
SELECT pg_try_advisory_lock(%(class)s, id) FROM queue_job
 WHERE uuid = ANY(%(uuids)s) AND state = 'enqueued'
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

# What waits for the job waits for the other one from now on.
_SUPERSEDE = """
WITH superseded AS (
    UPDATE queue_job AS job
       SET state = 'cancelled', date_done = (clock_timestamp() AT TIME ZONE 'UTC'),
           result = 'superseded by ' || other.uuid
      FROM queue_job AS other
     WHERE job.id = %(id)s AND job.state = 'started' AND job.attempt = %(attempt)s
       AND other.identity_key = job.identity_key AND other.id <> job.id
       AND other.state IN ('pending', 'enqueued', 'wait_dependencies')
    RETURNING job.id, other.id AS other_id
), moved AS (
    DELETE FROM queue_job_dependency AS edge USING superseded
     WHERE edge.parent_id = superseded.id
    RETURNING edge.child_id, superseded.other_id
), attached AS (
    INSERT INTO queue_job_dependency (child_id, parent_id)
    SELECT child_id, other_id FROM moved WHERE child_id <> other_id
        ON CONFLICT DO NOTHING
)
SELECT 1 FROM superseded
"""

# Not those that somebody else holds now: the dispatcher would wait, and all databases with it.
_TAKE_BACK = """
UPDATE queue_job SET state = 'pending', date_enqueued = NULL
 WHERE id IN (SELECT id FROM queue_job WHERE state = 'enqueued' AND %s
                 FOR NO KEY UPDATE SKIP LOCKED)
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
    """
    prepare(cr)
    cr.expect_session_locks()
    cr.execute_unflushed(_START, {"uuid": uuid, "worker": worker})
    return _row(cr.fetchone()[0])


def start_and_begin(cr: sql.ChainedCursor, uuid: str, worker: str) -> dict[str, Any] | None:
    """
    Do as `start`, commit that, and begin the transaction of the effect.

    The commit of a start need not wait for the disk: the commit of the effect, which does, makes
    it durable too, and a server that crashes before has lost all locks and connections with it.
    """
    prepare(cr)
    cr.expect_session_locks()
    return _row(cr.begin(_START, {"uuid": uuid, "worker": worker}, _KEPT))


def lock_enqueued(cr: Any, uuids: Sequence[str]) -> None:
    """Lock those of the jobs that are enqueued, as far as they are free."""
    cr.expect_session_locks()
    cr.execute_unflushed(_LOCK, {"class": JOB_LOCK_CLASS, "uuids": list(uuids)})


def _row(text: str | None) -> dict[str, Any] | None:
    if not text:
        return None
    row: dict[str, Any] = json.loads(text)
    if row["date_created"]:
        row["date_created"] = datetime.fromisoformat(row["date_created"])
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
    prepare(cr)
    try:
        with cr.savepoint():
            cr.execute_unflushed(_DONE, {**vars(job), "result": result})
    except sql.errors.Error as error:
        if not is_fence_lost(error):
            raise
        return False
    return True


def finish_and_end(cr: sql.ChainedCursor, job: Start, result: str | None) -> None:
    """
    Mark a started job done, commit that with its effect, and give the lock back.

    Raises:
        Error: see `is_fence_lost`; nothing is committed.
    """
    cr.end_with(_DONE, {**vars(job), "result": result})


def finish_and_start(
    cr: sql.ChainedCursor, job: Start, result: str | None, uuid: str, worker: str
) -> dict[str, Any] | None:
    """
    Mark a started job done and another one started, and commit both with the effect.

    None when the other one could not be started now.  It does not wait for a row that somebody
    else holds.

    Raises:
        Error: see `is_fence_lost`; nothing is committed.
    """
    ends = {**vars(job), "result": result, "uuid": uuid, "worker": worker}
    return _row(cr.commit_with(f"{_DONE}; {_START_FREE}", ends, _KEPT))


def is_fence_lost(error: BaseException) -> bool:
    """Whether an error of the database says that another start of the job has taken over."""
    return getattr(error, "pgcode", None) == FENCE_LOST


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
        if cr.fetchone():
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


def enqueue(cr: sql.JoinedCursor, ids: Sequence[int], now: datetime) -> None:
    """Mark claimed jobs as handed over, and commit; their rows are locked by the caller."""
    run_prepared(
        cr,
        "int[], timestamp",
        "UPDATE queue_job SET state = 'enqueued', date_enqueued = $2 WHERE id = ANY($1)",
        (list(ids), now),
        cr.commit_with,
    )


def take_back(cr: Any, uuids: Sequence[str]) -> int:
    """Make enqueued jobs pending again that no worker can have received; answer how many."""
    cr.execute_unflushed(_TAKE_BACK % "uuid = ANY(%(uuids)s)", {"uuids": list(uuids)})
    return int(cr.rowcount)


def give_back(cr: Any, channels: Sequence[str]) -> int:
    """Make the enqueued jobs of paused channels pending again; answer how many."""
    cr.execute_unflushed(_TAKE_BACK % "channel = ANY(%(channels)s)", {"channels": list(channels)})
    return int(cr.rowcount)
