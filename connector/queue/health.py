"""Whether a database's jobs can run: who serves it, what is stuck, and how many locks are left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from connector.core.modules import identity
from connector.queue import channel_store
from connector.queue.broker import Broker, BrokerDownError, message_id
from connector.queue.channels import ChannelSettings, ChannelTree
from connector.queue.dispatcher import DISPATCHER_LOCK_CLASS
from connector.queue.procedures import JOB_LOCK_CLASS
from connector.queue.state import SEATED, State

#: A job handed over for longer than this ought to be found in Redis or to run.
OVERDUE_SECONDS = 10
#: Share of the server's locks in use that is told as too many.
LOCKS_SHARE = 0.8

_KEEPS_JOBS = "SELECT to_regclass('queue_job') IS NOT NULL"

_HOLDER = """
SELECT coalesce(host(activity.client_addr), 'this machine') || ', backend ' || activity.pid
  FROM pg_locks JOIN pg_stat_activity AS activity USING (pid)
 WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = %(class)s
   AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

_UNHELD = """
    AND id NOT IN (
        SELECT objid::bigint FROM pg_locks
         WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = %(class)s
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
_DEAD = f"SELECT uuid FROM queue_job WHERE state = 'started' {_UNHELD}"  # noqa: S608  # constants
_OVERDUE = f"""
SELECT uuid FROM queue_job
 WHERE state = 'enqueued'
   AND date_enqueued < (clock_timestamp() AT TIME ZONE 'UTC') - %(age)s * interval '1 second'
   {_UNHELD}
"""  # noqa: S608  # constants

_LOCKS = """
SELECT (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
       current_setting('max_locks_per_transaction')::int
       * (current_setting('max_connections')::int
          + current_setting('max_prepared_transactions')::int)
"""


class Finding(NamedTuple):
    """One line of the report; what is not fine says what to do."""

    fine: bool
    line: str


def keeps_jobs(cr: Any) -> bool:
    """Whether the database has a table of jobs."""
    cr.execute(_KEEPS_JOBS)
    return bool(cr.fetchone()[0])


def dispatcher_of(cr: Any) -> str | None:
    """Where the elected dispatcher of the database works; None when there is none."""
    cr.execute(_HOLDER, {"class": DISPATCHER_LOCK_CLASS})
    row = cr.fetchone()
    return str(row[0]) if row else None


def missing(cr: Any, broker: Broker) -> Iterator[str]:
    """What the database lacks for any job to run."""
    if identity.is_asleep(cr):
        yield (
            "The database is a copy and asleep; use `connector adopt` or `connector neutralize`."
        )
    if dispatcher_of(cr) is None:
        yield "No dispatcher serves this database; start `connector worker`."
    try:
        if not broker.live_workers():
            yield "No worker is there; start `connector worker`."
    except BrokerDownError as error:
        yield str(error)


def report(
    cr: Any, database: str, configured: Iterable[ChannelSettings], broker: Broker
) -> Iterator[Finding]:
    """All that is to be told of the queue of one database."""
    tree = channel_store.read_tree(cr, configured)
    counts = channel_store.counts(cr)
    waiting = sum(states.get(State.PENDING, 0) for states in counts.values())
    for lack in missing(cr, broker):
        yield Finding(not waiting, f"{lack} ({waiting} jobs wait)")
    if holder := dispatcher_of(cr):
        yield Finding(True, f"The dispatcher works on {holder}.")
    yield from _channels(tree, counts)
    yield from _stuck(cr, database, broker)
    yield from _locks(cr)


def _channels(tree: ChannelTree, counts: dict[str, dict[State, int]]) -> Iterator[Finding]:
    for name, states in sorted(counts.items()):
        if name not in tree and states.get(State.PENDING):
            yield Finding(
                False,
                f"The channel {name} is unknown, its jobs run in root; `connector channels "
                f"set {name}` makes it.",
            )
    for channel in sorted(tree, key=lambda each: each.name):
        inside = [states for name, states in counts.items() if channel in tree.chain(name)]
        waiting = sum(states.get(State.PENDING, 0) for states in inside)
        seated = sum(states.get(state, 0) for states in inside for state in SEATED)
        failed = sum(states.get(State.FAILED, 0) for states in inside)
        told = f"Channel {channel.name}: {waiting} wait, {seated} handed over or running"
        if channel.sequential and failed:
            yield Finding(
                False,
                f"{told}; it is sequential and stands still behind {failed} "
                "failed. Put them back, or set them done.",
            )
        else:
            paused = ", PAUSED" if channel.paused else ""
            yield Finding(True, f"{told}, {failed} failed{paused}.")


def _stuck(cr: Any, database: str, broker: Broker) -> Iterator[Finding]:
    cr.execute(_DEAD, {"class": JOB_LOCK_CLASS})
    dead = cr.fetchall()
    cr.execute(_OVERDUE, {"class": JOB_LOCK_CLASS, "age": OVERDUE_SECONDS})
    overdue = [row[0] for row in cr.fetchall()]
    try:
        held = broker.waiting() if overdue else set()
    except BrokerDownError:
        held = set()
    lost = [uuid for uuid in overdue if message_id(database, uuid) not in held]
    yield Finding(
        not dead, f"{len(dead)} jobs were left by a worker that died" + _taken_up(bool(dead))
    )
    yield Finding(
        not lost, f"{len(lost)} jobs are handed over and lost by Redis" + _taken_up(bool(lost))
    )


def _taken_up(any_: bool) -> str:
    return "; a dispatcher takes them up within seconds." if any_ else "."


def _locks(cr: Any) -> Iterator[Finding]:
    cr.execute(_LOCKS)
    used, limit = cr.fetchone()
    fine = used < LOCKS_SHARE * limit
    hint = "." if fine else "; raise max_locks_per_transaction, or end what holds them."
    yield Finding(fine, f"{used} of about {limit} advisory locks of the server are in use{hint}")
