"""Dispatchers of several databases, step by step: what one cannot do, the others do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from connector.core import sql
from connector.queue import broker
from connector.queue.broker import Broker
from connector.queue.channels import settings_from_text
from connector.queue.dispatcher import LOCK_SECONDS
from connector.queue.job import delay_many
from connector.session import ConnectorSessionHandler
from connector.testing import templates
from queue_worker import dispatching, runner
from queue_worker import sweep as sweeping
from queue_worker.discovery import Named
from queue_worker.dispatching import Desk, Desks

SEATS = settings_from_text("root:3")
EFFECT = "queue.sample.effect"
NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture
def other(queue: Any, addons: tuple[str, ...]) -> Iterator[str]:
    """A second database."""
    name = templates.copy_of_template(addons)
    yield name
    templates.drop_copy(name)


def states(database: str) -> list[str]:
    with sql.connect(database).cursor(sql.READ_COMMITTED) as cr:
        cr.execute("SELECT state FROM queue_job ORDER BY id")
        return [row[0] for row in cr.fetchall()]


def test_a_locked_table_holds_up_its_own_database_only(queue, other):
    """
    While somebody changes the table of jobs of one database, the jobs of another are handed over.
    """
    queue.delay(queue.jobs.leave_effect, "held up")
    with ConnectorSessionHandler(other, 1).session() as session:
        queue.jobs.leave_effect.delay(session, EFFECT, "goes on")
    first, second = sorted([queue.database.name, other])
    desks = Desks(Named([first, second]), broker.current(), SEATS)

    with sql.connect(queue.database.name).cursor(sql.READ_COMMITTED) as holder:
        holder.execute("LOCK TABLE queue_job IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        desks.work()
        assert time.monotonic() - began < LOCK_SECONDS + 2
        assert states(other) == ["enqueued"]
        holder.rollback()

    queue.wait_until(lambda: desks.work() and states(queue.database.name) == ["enqueued"])
    desks.close()


def test_a_row_that_is_held_is_passed_over_when_jobs_are_taken_back(queue):
    """
    Of the jobs of a paused channel, those that somebody changes right now are left for later.
    """
    for label in ("one", "two"):
        queue.delay(queue.jobs.leave_effect, label)
    desk = Desk(queue.database.name, broker.current(), SEATS)
    desk.work()
    with queue.database.env() as env:
        env["queue.job.channel"].search([("complete_name", "=", "root.sample")]).write(
            {"paused": True}
        )

    with queue.database.cursor(sql.READ_COMMITTED) as holder:
        holder.execute("SELECT FROM queue_job WHERE args->>1 = 'one' FOR UPDATE")
        queue.wait_until(lambda: desk.work() and "pending" in states(queue.database.name))
        assert states(queue.database.name) == ["enqueued", "pending"]
        holder.rollback()

    queue.wait_until(lambda: desk.work() and states(queue.database.name) == ["pending"] * 2)
    desk.close()


def test_a_dispatcher_that_cannot_reach_redis_makes_room(queue):
    """
    Elected or not, without Redis it hands nothing over: one that reaches it takes its place.
    """
    queue.delay(queue.jobs.leave_effect, "one")
    cut_off = Desk(queue.database.name, Broker(NOBODY), SEATS)
    other = Desk(queue.database.name, broker.current(), SEATS)
    cut_off.work()
    assert states(queue.database.name) == ["pending"]

    other.work()

    assert states(queue.database.name) == ["enqueued"]
    cut_off.close()
    other.close()


def test_the_dead_are_found_while_redis_is_away(queue):
    """
    The sweep needs PostgreSQL only: a job without its worker is put back also without Redis.
    """
    queue.delay(queue.jobs.leave_effect, "one")
    desk = Desk(queue.database.name, Broker(NOBODY), SEATS)
    desk.work()
    with queue.database.cursor() as cr:
        cr.execute("UPDATE queue_job SET state = 'started', worker = 'gone:1', retry = 1")

    queue.wait_until(lambda: desk.work() and states(queue.database.name) == ["pending"])

    desk.close()


def test_a_silent_dispatcher_is_deposed(queue, monkeypatch):
    """
    One that is elected and says nothing for too long, stopped or hung, loses its session, and
    another one is elected; when it goes on, it stands by.
    """
    monkeypatch.setattr(
        "connector.queue.dispatcher._SESSION_ELECTED", "SET idle_session_timeout TO '1s'"
    )
    silent = Desk(queue.database.name, broker.current(), SEATS)
    standby = Desk(queue.database.name, broker.current(), SEATS)
    silent.work()
    standby.work()
    assert elected(silent, standby) == [True, False]

    queue.wait_until(lambda: standby.work() and elected(standby) == [True], seconds=5)
    silent.work()  # hears that its session has ended
    queue.wait_until(lambda: standby.work() and silent.work() and silent.readers, seconds=5)

    assert elected(silent, standby) == [False, True]
    silent.close()
    standby.close()


def elected(*desks: Desk) -> list[bool]:
    return [reader.elected for desk in desks for reader in desk.readers]


def test_a_dispatcher_may_lose_its_session_at_each_of_its_statements(queue, monkeypatch):
    """
    Whichever statement or commit its session ends at, the next one hands over what waits, what is
    lost and what was left by a dead worker, and each of these jobs runs once.
    """
    for module, name in (
        (dispatching, "RETRY_SECONDS"),
        (dispatching, "SWEEP_SECONDS"),
        (sweeping, "LOST_SECONDS"),
    ):
        monkeypatch.setattr(module, name, 0)
    database = queue.database.name
    labels: list[str] = []
    for point in range(100):
        labels += delay_in_each_state(queue, point)
        desk = Desk(database, broker.current(), SEATS)
        with session_ending_at(point, monkeypatch) as struck:
            desk.work()
        desk.close()

        healthy = Desk(database, broker.current(), SEATS)
        queue.wait_until(
            lambda healthy=healthy: healthy.work() + run_waiting(queue) and is_done(queue)
        )
        healthy.close()
        if not struck:
            break

    assert 15 < point < 99
    assert sorted(queue.effects()) == sorted(labels)
    retries = queue.rows("SELECT DISTINCT args->>1 LIKE 'started%%', retry FROM queue_job")
    assert sorted(retries) == [(False, 1), (True, 2)]


@contextmanager
def session_ending_at(point: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """In the block, end the session before the statement or commit of that number."""
    struck: list[int] = []
    count = iter(range(10_000))
    ending = False

    def before(cr: sql.Cursor) -> None:
        nonlocal ending
        if ending or next(count) != point:
            return
        ending = True
        struck.append(cr.connection.info.backend_pid)
        with sql.connect(cr.connection.info.dbname).cursor() as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", struck)

    def striking(method: Any) -> Any:
        def strike(cr: Any, *args: Any) -> Any:
            before(cr)
            return method(cr, *args)

        return strike

    with monkeypatch.context() as patch:
        for name in ("execute_unflushed", "_send_commit"):
            patch.setattr(sql.Cursor, name, striking(getattr(sql.Cursor, name)))
        yield struck


def delay_in_each_state(queue: Any, point: int) -> list[str]:
    """Delay a job that waits, one that Redis has lost and one whose worker is dead."""
    labels = [f"{state} {point:02}" for state in ("pending", "enqueued", "started")]
    with queue.database.session() as session:
        delay_many(queue.jobs.leave_effect, session, EFFECT, [(label,) for label in labels])
        session.cr.execute(
            "UPDATE queue_job SET state = split_part(args->>1, ' ', 1), worker = 'gone:1',"
            " date_enqueued = now() AT TIME ZONE 'UTC', retry = (args->>1 LIKE 'started%%')::int"
            " WHERE args->>1 = ANY(%s)",
            (labels,),
        )
    return labels


def run_waiting(queue: Any) -> float:
    """Run what Redis has for the workers, as one of them."""
    redis = broker.current().redis
    while id_ := redis.lpop(f"rq:queue:{broker.QUEUE_NAME}"):
        runner.run(queue.database.name, id_.decode().partition("-")[2])
    return 1.0


def is_done(queue: Any) -> bool:
    return set(states(queue.database.name)) == {"done"}
