"""Why a job does not run: what stands in its way, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from connector.exception import NoSuchJobError
from connector.queue import channel_store, health
from connector.queue.broker import Broker
from connector.queue.channels import JOBS_PER_WORKER, ChannelSettings, ChannelTree
from connector.queue.state import SEATED, State
from connector.queue.throttle import last_start

_JOB = """
SELECT id, uuid, state, channel, eta, eta > clock_timestamp() AT TIME ZONE 'UTC' AS early,
       worker, attempt, priority, date_created, exc_message, result
  FROM queue_job WHERE uuid = %(uuid)s
"""

_PARENTS = """
SELECT parent.uuid, parent.state, parent.name
  FROM queue_job_dependency JOIN queue_job AS parent ON parent.id = parent_id
 WHERE child_id = %(id)s AND parent.state <> 'done'
"""

_BEFORE = """
SELECT count(*) FROM queue_job
 WHERE state = 'pending' AND channel = %(channel)s
   AND (eta IS NULL OR eta <= clock_timestamp() AT TIME ZONE 'UTC')
   AND (priority, date_created, id) < (%(priority)s, %(date_created)s, %(id)s)
"""

_AHEAD = """
SELECT uuid, eta FROM queue_job
 WHERE state = 'pending' AND channel = %(channel)s AND eta > clock_timestamp() AT TIME ZONE 'UTC'
   AND (priority, date_created, id) < (%(priority)s, %(date_created)s, %(id)s)
 ORDER BY priority, date_created, id LIMIT 1
"""

_FAILED = """
SELECT uuid FROM queue_job
 WHERE state = 'failed' AND (channel = %(channel)s OR starts_with(channel, %(channel)s || '.'))
 ORDER BY id LIMIT 1
"""

_SINCE = "SELECT extract(epoch FROM clock_timestamp() AT TIME ZONE 'UTC' - %(moment)s)"


def reasons(
    cr: Any, uuid: str, configured: Iterable[ChannelSettings], broker: Broker
) -> Iterator[str]:
    """
    What keeps a job from running, the most telling first.

    Raises:
        NoSuchJobError: there is no such job.
    """
    cr.execute(_JOB, {"uuid": uuid})
    job = cr.dictfetchone()
    if job is None:
        raise NoSuchJobError(f"There is no job {uuid}. `connector jobs list` names them.")
    match State(job["state"]):
        case State.WAIT_DEPENDENCIES:
            yield from _parents(cr, job)
        case State.PENDING:
            lacks = list(health.missing(cr, broker))
            yield from lacks
            yield from _in_the_way(cr, job, channel_store.read_tree(cr, configured))
            if not lacks:
                yield from _many_handed_over(cr, job, configured, broker)
        case State.ENQUEUED:
            yield "Handed over: it waits for a worker to take it."
            yield from health.missing(cr, broker)
        case State.STARTED:
            yield f"It runs: start {job['attempt']}, in worker {job['worker']}."
        case State.FAILED:
            yield f"It has failed and waits for a person: {job['exc_message']}"
        case ended:
            yield f"It is {ended}" + (f": {job['result']}" if job["result"] else ".")


def _parents(cr: Any, job: dict[str, Any]) -> Iterator[str]:
    cr.execute(_PARENTS, job)
    for uuid, state, name in cr.fetchall():
        hint = "; put that back, or set it done" if state == State.FAILED else ""
        yield f"It waits for job {uuid} ({name}), which is {state}{hint}."


def _in_the_way(cr: Any, job: dict[str, Any], tree: ChannelTree) -> Iterator[str]:
    if job["early"]:
        yield f"It does not start before {job['eta']:%Y-%m-%d %H:%M:%S} UTC."
    if job["channel"] not in tree:
        yield f"Its channel {job['channel']} is unknown: it runs in root."
    counts = channel_store.counts(cr)
    for channel in tree.chain(job["channel"]):
        yield from _closed(cr, channel, tree, counts)
    if tree.settings(job["channel"]).sequential:
        cr.execute(_AHEAD, job)
        if ahead := cr.fetchone():
            yield (
                f"Its channel is sequential, and job {ahead[0]} before it waits until "
                f"{ahead[1]:%Y-%m-%d %H:%M:%S} UTC."
            )
    cr.execute(_BEFORE, job)
    before = cr.fetchone()[0]
    if before:
        yield f"{before} jobs of its channel come before it."


def _closed(
    cr: Any, channel: ChannelSettings, tree: ChannelTree, counts: dict[str, dict[State, int]]
) -> Iterator[str]:
    inside = [states for name, states in counts.items() if channel in tree.chain(name)]
    seated = sum(states.get(state, 0) for states in inside for state in SEATED)
    if channel.paused:
        yield f"The channel {channel.name} is paused."
    if channel.seats and channel.seats < 0:
        yield f"The channel {channel.name} has no seats: its capacity is {channel.capacity}."
    elif channel.seats and seated >= channel.seats:
        yield f"The channel {channel.name} is full: {seated} of {channel.seats} seats taken."
    if channel.sequential and any(states.get(State.FAILED) for states in inside):
        cr.execute(_FAILED, {"channel": channel.name})
        yield (
            f"The channel {channel.name} is sequential and has the failed job "
            f"{_only(cr.fetchone())}: put that back, or set it done."
        )
    if channel.throttle and (moment := last_start(cr, tree, channel.name)):
        cr.execute(_SINCE, {"moment": moment})
        if cr.fetchone()[0] < channel.throttle:
            yield f"The channel {channel.name} starts a job every {channel.throttle:g} seconds."


def _many_handed_over(
    cr: Any, job: dict[str, Any], configured: Iterable[ChannelSettings], broker: Broker
) -> Iterator[str]:
    """Where no capacity says how many, the number of workers does."""
    chain = channel_store.read_tree(cr, configured).chain(job["channel"])
    if any(channel.seats for channel in chain):
        return
    own = channel_store.counts(cr).get(job["channel"], {})
    seated = sum(own.get(state, 0) for state in SEATED)
    workers = broker.live_workers()
    if seated >= JOBS_PER_WORKER * workers:
        yield f"{seated} jobs of its channel are handed over to {workers} workers already."


def _only(row: Any) -> Any:
    return row[0] if row else "of a moment ago"
