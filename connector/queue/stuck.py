"""Jobs that nobody runs although they are handed over or started: put back by hand."""

from __future__ import annotations

from typing import Any

from connector.queue import transitions
from connector.queue.procedures import JOB_LOCK_CLASS
from connector.queue.schema import notify
from connector.queue.transitions import Start

NOTE = "Put back: nobody ran it."

_STUCK = """
SELECT id, attempt, identity_key, uuid FROM queue_job
 WHERE state = %(state)s
   AND coalesce(date_started, date_enqueued, date_created)
       < (clock_timestamp() AT TIME ZONE 'UTC') - %(minutes)s * interval '1 minute'
   AND id NOT IN (
       SELECT objid::bigint FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = %(class)s
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""


def put_back(cr: Any, state: str, minutes: float) -> int:
    """Put jobs back that are *state* for so many minutes with nobody at it; answer how many."""
    cr.execute(_STUCK, {"state": state, "minutes": minutes, "class": JOB_LOCK_CLASS})
    found = cr.fetchall()
    if state == "enqueued":
        transitions.take_back(cr, [uuid for *_, uuid in found])
    else:
        for id_, attempt, key, _uuid in found:
            fence = Start(id_, attempt, key)
            transitions.postpone(cr, fence, seconds=0, note=NOTE, exc_name="JobFoundDead")
    if found:
        notify(cr)
    return len(found)
