"""What a person does with jobs: each change is one statement, whatever the number of jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from connector.core import sql
from connector.queue.call import checked_number
from connector.queue.clock import Eta, eta_time
from connector.queue.function import check_channel
from connector.queue.schema import notify
from connector.queue.state import ENDED, WAITING, State

#: States from which a job may be cancelled or set done: it does not run, and its work is open.
OPEN = (State.WAIT_DEPENDENCIES, State.PENDING, State.ENQUEUED, State.FAILED)

#: Times that jobs are put back anew because another one with the same key came in that moment.
REQUEUE_TRIES = 5

SELECTED = """
    state = ANY(%(states)s)
    AND (%(uuids)s::text[] IS NULL OR uuid = ANY(%(uuids)s))
    AND (%(channel)s::text IS NULL
         OR channel = %(channel)s OR starts_with(channel, %(channel)s || '.'))
    AND (%(model)s::text IS NULL OR model_name = %(model)s)
    AND (%(error)s::text IS NULL
         OR strpos(concat_ws(': ', exc_name, exc_message), %(error)s) > 0)
"""

# Of several with one identity key the newest goes back, unless another one waits already; what
# waits for one that does not go back waits for the winner.  A job whose parents are not done,
# or go back too, waits for them again; one that is put back alone forgets cancelled parents.
_REQUEUE = f"""
WITH chosen AS MATERIALIZED (
    SELECT id, uuid, first_value(uuid) OVER same AS newest, (
               SELECT uuid FROM queue_job AS waiting
                WHERE waiting.identity_key = job.identity_key
                  AND waiting.state IN ('pending', 'enqueued', 'wait_dependencies')
           ) AS waiting
      FROM queue_job AS job
     WHERE {SELECTED}
    WINDOW same AS (
        PARTITION BY coalesce(identity_key, uuid) ORDER BY date_created DESC, id DESC)
), decided AS MATERIALIZED (
    SELECT chosen.id, coalesce(waiting, nullif(newest, uuid)) AS winner, EXISTS (
               SELECT FROM queue_job_dependency AS edge
                 JOIN queue_job AS parent ON parent.id = edge.parent_id
                WHERE edge.child_id = chosen.id
                  AND (parent.state NOT IN ('done', 'cancelled')
                       OR parent.id IN (SELECT id FROM chosen))
           ) AS waits
      FROM chosen
), dropped AS (
    DELETE FROM queue_job_dependency AS edge USING chosen, queue_job AS parent
     WHERE edge.child_id = chosen.id AND parent.id = edge.parent_id
       AND parent.state = 'cancelled' AND parent.id NOT IN (SELECT id FROM chosen)
), moved AS (
    DELETE FROM queue_job_dependency AS edge USING decided
     WHERE edge.parent_id = decided.id AND winner IS NOT NULL
    RETURNING edge.child_id, winner
), attached AS (
    INSERT INTO queue_job_dependency (child_id, parent_id)
    SELECT DISTINCT moved.child_id, other.id
      FROM moved JOIN queue_job AS other ON other.uuid = moved.winner
     WHERE moved.child_id <> other.id
        ON CONFLICT DO NOTHING
)
UPDATE queue_job AS job
   SET state = CASE WHEN winner IS NOT NULL THEN 'cancelled'
                    WHEN waits THEN 'wait_dependencies' ELSE 'pending' END,
       result = 'superseded by ' || winner,
       date_done = CASE WHEN winner IS NULL THEN NULL
                        ELSE (clock_timestamp() AT TIME ZONE 'UTC') END,
       retry = 0, eta = NULL, exc_name = NULL, exc_message = NULL, exc_info = NULL,
       date_enqueued = NULL, date_started = NULL, worker = NULL
  FROM decided
 WHERE job.id = decided.id AND job.state = ANY(%(states)s)
RETURNING job.uuid, job.state
"""  # noqa: S608  # composed of constants

_CANCEL = f"""
WITH RECURSIVE doomed AS (
    SELECT id FROM queue_job WHERE {SELECTED}
    UNION
    SELECT child_id FROM queue_job_dependency JOIN doomed ON parent_id = doomed.id
)
UPDATE queue_job AS job
   SET state = 'cancelled', date_done = (clock_timestamp() AT TIME ZONE 'UTC'), result = %(note)s
  FROM doomed
 WHERE job.id = doomed.id
   AND job.state IN ('wait_dependencies', 'pending', 'enqueued', 'failed')
RETURNING job.uuid
"""  # noqa: S608  # composed of constants

# What is handed over but not begun comes back, so that the new order holds for it too.
_RESCHEDULE = f"""
UPDATE queue_job
   SET priority = coalesce(%(priority)s, priority),
       eta = CASE WHEN %(set_eta)s THEN %(eta)s::timestamp ELSE eta END,
       channel = coalesce(%(new_channel)s, channel),
       state = CASE WHEN state = 'enqueued' THEN 'pending' ELSE state END,
       date_enqueued = NULL
 WHERE {SELECTED}
RETURNING uuid
"""  # noqa: S608  # composed of constants

_SET_DONE = f"""
UPDATE queue_job
   SET state = 'done', date_done = (clock_timestamp() AT TIME ZONE 'UTC'), result = %(note)s,
       exc_name = NULL, exc_message = NULL, exc_info = NULL
 WHERE {SELECTED}
RETURNING id, uuid
"""  # noqa: S608  # composed of constants

_RELEASE = """
UPDATE queue_job AS child SET state = 'pending'
 WHERE child.state = 'wait_dependencies'
   AND child.id IN (SELECT child_id FROM queue_job_dependency WHERE parent_id = ANY(%(done)s))
   AND NOT EXISTS (
       SELECT FROM queue_job_dependency AS edge JOIN queue_job AS parent ON parent.id = parent_id
        WHERE edge.child_id = child.id AND parent.state <> 'done')
"""


_NEEDED = """
SELECT uuid FROM queue_job AS job
 WHERE id = ANY(%(ids)s) AND (state = 'started' OR EXISTS (
       SELECT FROM queue_job_dependency AS edge JOIN queue_job AS child ON child.id = edge.child_id
        WHERE edge.parent_id = job.id AND child.state = 'wait_dependencies'
          AND child.id <> ALL(%(ids)s)))
 LIMIT 1
"""


@dataclass(frozen=True)
class Selection:
    """Which jobs are meant; what is None does not matter."""

    uuids: Sequence[str] | None = None
    states: Sequence[State] = tuple(State)
    #: the channel or one below it
    channel: str | None = None
    model: str | None = None
    #: a part of the error's name or message
    error: str | None = None

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of `SELECTED`."""
        return {
            "uuids": None if self.uuids is None else list(self.uuids),
            "states": [str(state) for state in self.states],
            "channel": self.channel,
            "model": self.model,
            "error": self.error,
        }


def needed(cr: Any, ids: Sequence[int]) -> str | None:
    """One of the jobs that runs, or that others wait for which are not among them."""
    cr.execute(_NEEDED, {"ids": list(ids)})
    row = cr.fetchone()
    return row[0] if row else None


def requeue(cr: Any, uuids: Sequence[str], states: Sequence[State] = ENDED) -> dict[str, State]:
    """Put jobs that have ended back; see `requeue_selected`."""
    return requeue_selected(cr, Selection(uuids, states))


def requeue_selected(cr: Any, selection: Selection) -> dict[str, State]:
    """
    Put jobs that have ended back, with all their tries; answer the new state of each.

    Where another job with its identity key waits, or a newer one is put back too, a job
    becomes cancelled instead.

    Raises:
        SerializationFailure: jobs with the same keys come in all the time, or have come since
            this transaction began; it is to be done again.
    """
    ended = [state for state in selection.states if state in ENDED]
    params = {**selection.params, "states": [str(state) for state in ended]}
    changed = {uuid: State(state) for uuid, state in _requeued(cr, params)}
    if changed:
        notify(cr)
    return changed


def _requeued(cr: Any, params: dict[str, Any]) -> list[tuple[str, str]]:
    for _ in range(REQUEUE_TRIES):
        try:
            cr.execute(f"SAVEPOINT queue_job_requeue; {_REQUEUE}", params)
            found: list[tuple[str, str]] = cr.fetchall()
            return found
        except sql.errors.UniqueViolation:
            # A job with one of the keys was committed in this moment; it is seen from now on,
            # or by a transaction that begins now.
            cr.execute_unflushed("ROLLBACK TO SAVEPOINT queue_job_requeue")
            if cr.isolation_level != sql.READ_COMMITTED:
                break
    raise sql.errors.SerializationFailure(
        "Jobs with the same identity keys have come meanwhile. Put these back again."
    )


def cancel(cr: Any, uuids: Sequence[str], note: str) -> list[str]:
    """Cancel jobs that are not running, and those that wait for them; answer which."""
    return cancel_selected(cr, Selection(uuids), note)


def cancel_selected(cr: Any, selection: Selection, note: str) -> list[str]:
    """Cancel jobs that are not running, and those that wait for them; answer which."""
    cr.execute(_CANCEL, {**_open(selection), "note": note})
    return [row[0] for row in cr.fetchall()]


def reschedule(
    cr: Any,
    selection: Selection,
    *,
    priority: int | None = None,
    eta: Eta | Literal["now"] = None,
    channel: str | None = None,
) -> list[str]:
    """
    Give jobs that wait another priority, eta or channel; answer which; None leaves as it is.

    Raises:
        JobDefinitionError: priority or eta cannot be kept, or there can be no such channel.
    """
    if priority is not None:
        checked_number("priority", priority)
    if channel is not None:
        check_channel(channel)
    change = {
        "priority": priority,
        "eta": None if eta == "now" else eta_time(eta),
        "set_eta": eta is not None,
        "new_channel": channel,
    }
    states = [str(state) for state in selection.states if state in WAITING]
    cr.execute(_RESCHEDULE, {**selection.params, **change, "states": states})
    changed = [row[0] for row in cr.fetchall()]
    if changed:
        notify(cr)
    return changed


def set_done(cr: Any, selection: Selection, note: str) -> list[str]:
    """Take jobs that do not run as done, and release what waits for them; answer which."""
    cr.execute(_SET_DONE, {**_open(selection), "note": note})
    done = cr.fetchall()
    if done:
        cr.execute(_RELEASE, {"done": [row[0] for row in done]})
        notify(cr)
    return [row[1] for row in done]


def _open(selection: Selection) -> dict[str, Any]:
    states = [str(state) for state in selection.states if state in OPEN]
    return {**selection.params, "states": states}
