"""Dispatchers of several databases, step by step: what one cannot do, the others do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from connector.core import sql
from connector.queue import broker
from connector.queue.broker import Broker
from connector.queue.channels import settings_from_text
from connector.queue.dispatcher import LOCK_SECONDS
from connector.testing import templates
from queue_worker.discovery import Named
from queue_worker.dispatching import Desk, Desks

SEATS = settings_from_text("root:3")
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
    with type(queue.database)(other).session() as session:
        queue.jobs.leave_effect.delay(session, "queue.sample.effect", "goes on")
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
