"""The dispatcher and the sweep, step by step and without workers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from connector.core import sql
from connector.queue import broker, transitions
from connector.queue.broker import message_id
from connector.queue.channels import settings_from_text
from connector.queue.dispatcher import Dispatcher
from connector.queue.job import delay_many, job
from queue_worker.sweep import sweep

MODEL = "res.partner"


@job
def sample(session: Any, model_name: str, *args: Any) -> None:
    """A sample job."""


@pytest.fixture
def dispatcher(database: Any, redis: broker.Broker) -> Iterator[Dispatcher]:
    made = Dispatcher(database.name, redis, settings_from_text("root:3"))
    yield made
    made.close()


def delay(database: Any, number: int, **options: Any) -> list[str]:
    with database.session() as session:
        return delay_many(sample, session, MODEL, [(n,) for n in range(number)], **options)


def waiting(database: Any, redis: broker.Broker) -> list[str]:
    """The uuids in Redis, in their order."""
    ids = [raw.decode() for raw in redis.redis.lrange("rq:queue:connector", 0, -1)]
    prefix = message_id(database.name, "")
    return [id_.removeprefix(prefix) for id_ in ids]


def rows(database: Any, query: str) -> list[Any]:
    with database.cursor(sql.READ_COMMITTED) as cr:
        cr.execute(query)
        return cr.fetchall()


def test_a_portion_of_jobs_takes_three_round_trips(database, dispatcher, monkeypatch):
    """
    To look, to choose and to claim are a statement each; two when nothing waits.
    """
    delay(database, 20)
    dispatcher.step()
    monkeypatch.setattr("connector.queue.dispatcher.POLL_SECONDS", 1000)  # channels are not due
    sent = dispatcher.cr.statement_count

    dispatcher.step()
    assert dispatcher.cr.statement_count - sent == 2

    with database.cursor(sql.READ_COMMITTED) as cr:
        cr.execute("UPDATE queue_job SET state = 'done' WHERE state = 'enqueued'")
    dispatcher.step()
    assert dispatcher.cr.statement_count - sent == 2 + 3


def test_what_is_pushed_is_committed_and_shallow(database, redis, dispatcher):
    """
    Of many waiting jobs as many are enqueued as there are seats, and just these are in Redis.
    """
    delay(database, 20)

    dispatcher.step()

    enqueued = {
        uuid for (uuid,) in rows(database, "SELECT uuid FROM queue_job WHERE state = 'enqueued'")
    }
    assert len(enqueued) == 3
    assert set(waiting(database, redis)) == enqueued


def test_order_is_kept_with_fifty_thousand_waiting(database, redis, dispatcher):
    """
    Smaller priorities come first, then the older job, whatever waits behind; quickly.
    """
    delay(database, 50_000, priority=20)
    first, second = delay(database, 2, priority=5)
    late = delay(database, 1, priority=10)
    delay(database, 1, priority=1, eta=3600)

    began = time.monotonic()
    dispatcher.step()

    assert time.monotonic() - began < 2
    assert waiting(database, redis) == [first, second, *late]


def test_a_throttle_holds_for_jobs_that_come_back(database, redis):
    """
    A job that fails at once and comes back lets no other start sooner; the table is asked once.
    """
    delay(database, 3, channel="root.slow")
    made = Dispatcher(database.name, redis, settings_from_text("root:0,slow:9:throttle=2"))
    try:
        made.step()
        with database.cursor(sql.READ_COMMITTED) as cr:
            (uuid,) = waiting(database, redis)
            row = transitions.start(cr, uuid, "host:1")
            fence = transitions.Start(row["id"], row["attempt"])
            assert transitions.postpone(cr, fence, seconds=60, note="", exc_name="")
            transitions.release_locks(cr)
        sent = made.cr.statement_count
        made.step()
        assert made.cr.statement_count - sent <= 3
        assert waiting(database, redis) == [uuid]
        time.sleep(2)
        made.step()
        assert len(waiting(database, redis)) == 2
    finally:
        made.close()


def test_a_locked_job_is_passed_over(database, redis, dispatcher):
    """
    A job whose row another transaction holds is left for the next time, and nobody waits.
    """
    uuids = delay(database, 2)
    with database.cursor(sql.READ_COMMITTED) as cr:
        cr.execute("SELECT 1 FROM queue_job WHERE uuid = %s FOR UPDATE", (uuids[0],))
        dispatcher.step()
        assert waiting(database, redis) == uuids[1:]

    dispatcher.step()
    assert waiting(database, redis) == [uuids[1], uuids[0]]


def test_one_is_elected_and_another_follows(database, redis, dispatcher):
    """
    While one dispatcher is elected the others do nothing; when it steps down, one follows.
    """
    dispatcher.step()
    standby = Dispatcher(database.name, redis)
    standby.step()
    assert (dispatcher.elected, standby.elected) == (True, False)

    dispatcher.close()
    standby.step()

    assert standby.elected
    standby.close()


def test_nothing_is_claimed_while_redis_is_down(database, redis, dispatcher, monkeypatch):
    """
    Without Redis no job leaves `pending`; when only the push fails, the jobs go back.
    """
    delay(database, 3)

    def down(*_args: Any) -> None:
        raise broker.BrokerDownError("down")

    for method in ("live_workers", "push"):
        with monkeypatch.context() as patch:
            patch.setattr(redis, method, down)
            with pytest.raises(broker.BrokerDownError):
                dispatcher.step()
        assert rows(database, "SELECT DISTINCT state FROM queue_job") == [("pending",)]


def test_a_transaction_notifies_once(database):
    """
    However many statements delay jobs in a transaction, it sends one notification.
    """
    with database.cursor(sql.READ_COMMITTED) as listener:
        listener.execute("LISTEN queue_job")
        listener.commit()
        with database.session() as session:
            for _ in range(3):
                delay_many(sample, session, MODEL, [(1,), (2,)])

        assert len(listener.poll_notifies(2)) == 1
        with database.cursor(sql.READ_COMMITTED) as cr:
            cr.execute("UPDATE queue_job SET state = 'done'")
        assert listener.poll_notifies(0.3) == []
        listener.execute("UNLISTEN *")


def test_the_sweep_spares_what_is_alive(database, redis, dispatcher):
    """
    A started job whose lock is held, and an enqueued one that waits in Redis, are left alone.
    """
    delay(database, 2)
    dispatcher.step()
    running, _ = waiting(database, redis)
    with database.cursor(sql.READ_COMMITTED) as worker:
        transitions.start(worker, running, "host:1")
        worker.commit()
        with database.cursor() as cr:
            cr.execute("UPDATE queue_job SET date_enqueued = date_enqueued - interval '1 hour'")

        assert sweep(dispatcher.cr, database.name, redis) == 0
        transitions.release_locks(worker)

    assert sweep(dispatcher.cr, database.name, redis) == 1
    states = rows(database, "SELECT state, retry FROM queue_job ORDER BY id")
    assert states == [("pending", 1), ("enqueued", 0)]


def test_the_sweep_finds_children_that_were_forgotten(database, redis, dispatcher):
    """
    A job whose parents are all done by the time it is stored is released by the sweep.
    """
    parent, child = delay(database, 2)
    with database.cursor() as cr:
        cr.execute("UPDATE queue_job SET state = 'done' WHERE uuid = %s", (parent,))
        cr.execute("UPDATE queue_job SET state = 'wait_dependencies' WHERE uuid = %s", (child,))
        cr.execute(
            "INSERT INTO queue_job_dependency (child_id, parent_id)"
            " SELECT max(id), min(id) FROM queue_job"
        )

    sweep(dispatcher.cr, database.name, redis)

    assert ("pending",) in rows(database, "SELECT state FROM queue_job")
