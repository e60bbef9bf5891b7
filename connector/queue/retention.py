"""How long ended jobs are kept: per channel and state, removed in chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connector.queue.channels import chain
from connector.queue.state import ENDED, State

#: Days that done and cancelled jobs are kept where nothing is set; failed ones stay.
KEEP_DAYS: Mapping[State, int] = {State.DONE: 30, State.CANCELLED: 30}
#: Jobs removed in one transaction.
CHUNK_JOBS = 2000

_SETTINGS = """
SELECT complete_name, keep_done_days, keep_cancelled_days, keep_failed_days
  FROM queue_job_channel
"""
_CHANNELS = "SELECT DISTINCT channel FROM queue_job WHERE state = ANY(%(states)s)"

# What waits for a job still needs it: without its parent it would be taken for ready.
_REMOVE = """
WITH old AS MATERIALIZED (
    SELECT id, uuid FROM queue_job AS job
     WHERE state = %(state)s AND channel = %(channel)s
       AND date_done < (clock_timestamp() AT TIME ZONE 'UTC') - %(age)s
       AND NOT EXISTS (
           SELECT FROM queue_job_dependency JOIN queue_job AS child ON child.id = child_id
            WHERE parent_id = job.id AND child.state = 'wait_dependencies')
     LIMIT %(chunk)s FOR UPDATE SKIP LOCKED
), lines AS (
    DELETE FROM queue_job_log USING old WHERE queue_job_log.job_uuid = old.uuid
), progress AS (
    DELETE FROM queue_job_progress USING old WHERE queue_job_progress.job_uuid = old.uuid
), messages AS (
    DELETE FROM connector_message AS message USING old
     WHERE message.model = 'queue.job' AND message.res_id = old.id
)
DELETE FROM queue_job USING old WHERE queue_job.id = old.id
"""


@dataclass(frozen=True)
class Rule:
    """Jobs of one channel in one state are kept for some days."""

    channel: str
    state: State
    days: float


def rules(cr: Any) -> list[Rule]:
    """What the channels say, each for itself and for those below that say nothing."""
    cr.execute_unflushed(_SETTINGS)
    kept = {
        (name, state): days
        for name, *settings in cr.fetchall()
        for state, days in zip((State.DONE, State.CANCELLED, State.FAILED), settings, strict=True)
        if days
    }
    return [
        Rule(channel, state, days)
        for channel in _channels(cr, ENDED)
        for state in ENDED
        if (days := _days(kept, channel, state)) is not None
    ]


def uniform_rules(cr: Any, states: Iterable[State], days: float, channel: str | None) -> list[Rule]:
    """One limit for all channels, or for one and those below it."""
    names = [name for name in _channels(cr, ENDED) if channel is None or channel in chain(name)]
    return [Rule(name, state, days) for name in names for state in states if state in ENDED]


def purge(cr: Any, limits: Iterable[Rule], commit: Callable[[], None]) -> Iterator[int]:
    """Remove what is older, with a *commit* after each chunk; tell how many it held."""
    for rule in limits:
        removed = CHUNK_JOBS
        while removed == CHUNK_JOBS:
            cr.execute(
                _REMOVE,
                {
                    "state": str(rule.state),
                    "channel": rule.channel,
                    "age": timedelta(days=rule.days),
                    "chunk": CHUNK_JOBS,
                },
            )
            removed = cr.rowcount
            commit()
            yield removed


def _channels(cr: Any, states: Iterable[State]) -> list[str]:
    cr.execute_unflushed(_CHANNELS, {"states": [str(state) for state in states]})
    return [row[0] for row in cr.fetchall()]


def _days(kept: Mapping[tuple[str, State], int], channel: str, state: State) -> float | None:
    for name in chain(channel):
        if (name, state) in kept:
            return kept[name, state]
    return KEEP_DAYS.get(state)
