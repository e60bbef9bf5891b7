"""Why a job does not run: what stands in its way, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from connector.exception import NoSuchJobError
from connector.queue import channel_store
from connector.queue.broker import Broker, BrokerDownError
from connector.queue.channels import ChannelSettings, ChannelTree
from connector.queue.dispatcher import DISPATCHER_LOCK_CLASS, last_start
from connector.queue.state import SEATED, State

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

_DISPATCHER = """
SELECT EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2
       AND classid = %(class)s
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
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
            yield from _in_the_way(cr, job, channel_store.read_tree(cr, configured))
            yield from _machinery(cr, broker)
        case State.ENQUEUED:
            yield "Handed over: it waits for a worker to take it."
            yield from _machinery(cr, broker)
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
    if channel.capacity and seated >= channel.capacity:
        yield f"The channel {channel.name} is full: {seated} of {channel.capacity} seats taken."
    if channel.sequential and any(states.get(State.FAILED) for states in inside):
        yield f"The channel {channel.name} is sequential and has a failed job."
    if channel.throttle and (moment := last_start(cr, tree, channel.name)):
        cr.execute(_SINCE, {"moment": moment})
        if cr.fetchone()[0] < channel.throttle:
            yield f"The channel {channel.name} starts a job every {channel.throttle:g} seconds."


def _machinery(cr: Any, broker: Broker) -> Iterator[str]:
    cr.execute(_DISPATCHER, {"class": DISPATCHER_LOCK_CLASS})
    if not cr.fetchone()[0]:
        yield "No dispatcher serves this database; start `connector worker`."
    try:
        if not broker.live_workers():
            yield "No worker is there; start `connector worker`."
    except BrokerDownError as error:
        yield str(error)
