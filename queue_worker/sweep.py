"""
The sweep: finds jobs whose worker is gone, and messages that Redis has lost.

A row is `started` only while its worker holds the lock of the job, so a started job with a free
lock is dead at once, whatever its age.  The locks are read, never tried: a lock tried would be
refused to the worker that comes next.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from connector.core import sql
from connector.queue import failure, transitions
from connector.queue.broker import Broker, BrokerDownError, message_id
from connector.queue.procedures import JOB_LOCK_CLASS
from connector.queue.transitions import Start

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 3.0
#: After this time an enqueued job that waits in no list of Redis is lost.
LOST_SECONDS = 5

DEAD_NAME = "JobFoundDead"

# One statement: its snapshot of the rows is older than its reading of the locks.  The other
# way round, a job that starts in between would be seen started and its lock free.
_DEAD = """
SELECT id, attempt, identity_key, uuid, func_name, worker, retry, max_retries FROM queue_job
 WHERE state = 'started' AND id NOT IN (
       SELECT objid::bigint FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = %(class)s
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""

_OVERDUE = """
SELECT uuid FROM queue_job
 WHERE state = 'enqueued'
   AND date_enqueued < (clock_timestamp() AT TIME ZONE 'UTC') - %(age)s
   AND id NOT IN (
       SELECT objid::bigint FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = %(class)s
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""

# A parent that ended while its child was being stored did not see the child.
_FORGOTTEN = """
UPDATE queue_job AS child SET state = 'pending'
 WHERE child.state = 'wait_dependencies' AND NOT EXISTS (
       SELECT FROM queue_job_dependency AS edge JOIN queue_job AS parent ON parent.id = parent_id
        WHERE edge.child_id = child.id AND parent.state <> 'done')
"""

# A parent that was cancelled meanwhile did not see it either.
_ORPHANED = """
UPDATE queue_job AS child
   SET state = 'cancelled', date_done = (clock_timestamp() AT TIME ZONE 'UTC'),
       result = 'What it waited for is cancelled: ' || parent.uuid
  FROM queue_job_dependency AS edge JOIN queue_job AS parent ON parent.id = edge.parent_id
 WHERE edge.child_id = child.id AND child.state = 'wait_dependencies'
   AND parent.state = 'cancelled'
"""


def sweep(cr: sql.Cursor, database: str, broker: Broker) -> int:
    """Give dead and lost jobs of a database back; answer how many."""
    found = _sweep_dead(cr) + _sweep_lost(cr, database, broker)
    cr.execute_unflushed(_FORGOTTEN)
    cr.execute_unflushed(_ORPHANED)
    cr.commit()
    return found


def _sweep_dead(cr: sql.Cursor) -> int:
    cr.execute_unflushed(_DEAD, {"class": JOB_LOCK_CLASS})
    dead = cr.dictfetchall()
    cr.commit()
    for row in dead:
        _bury(cr, row)
    return len(dead)


def _bury(cr: sql.Cursor, row: dict[str, Any]) -> None:
    """The try is spent: a job that kills its worker must come to an end."""
    fence = Start(row["id"], row["attempt"], row["identity_key"])
    message = f"Worker {row['worker']} died while it ran the job."
    logger.warning("%s", message, extra={"job": row["uuid"]})
    try:
        if row["max_retries"] and row["retry"] >= row["max_retries"]:
            told = f"Max. retries ({row['max_retries']}) reached: {message}"
            if transitions.fail(cr, fence, exc_name=DEAD_NAME, message=told, exc_info=told):
                failure.tell_later(cr, row["uuid"], row["func_name"])
        else:
            transitions.postpone(cr, fence, seconds=0, note=message, exc_name=DEAD_NAME)
        cr.commit()
    except (sql.errors.UniqueViolation, sql.errors.LockNotAvailable):
        # A job with its identity key came in this moment, or somebody holds the row; the next
        # sweep sees it.
        cr.rollback()


def _sweep_lost(cr: sql.Cursor, database: str, broker: Broker) -> int:
    cr.execute_unflushed(
        _OVERDUE, {"class": JOB_LOCK_CLASS, "age": timedelta(seconds=LOST_SECONDS)}
    )
    overdue = [row[0] for row in cr.fetchall()]
    cr.commit()
    if not overdue:
        return 0
    waiting = _waiting(broker)
    lost = [uuid for uuid in overdue if message_id(database, uuid) not in waiting]
    if lost:
        logger.warning("Redis has lost %d messages", len(lost), extra={"database": database})
        transitions.take_back(cr, lost)
        cr.commit()
    return len(lost)


def _waiting(broker: Broker) -> set[str]:
    try:
        return broker.waiting()
    except BrokerDownError:
        return set()  # whatever it held may be gone; a message that comes twice does no harm
