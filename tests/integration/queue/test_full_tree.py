"""A full tree of channels: order and memory do not depend on how many jobs wait."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from connector.core import sql
from connector.queue import broker
from connector.queue.broker import message_id
from connector.queue.channels import ChannelManager, settings_from_text
from connector.queue.clock import utc_now
from connector.queue.dispatcher import Dispatcher
from connector.queue.job import delay_many, job

MODEL = "res.partner"
CHANNELS = [f"root.c{number}" for number in range(10)]
#: Two levels: all together have twelve seats, each channel two; one is in order.
TREE = ",".join(["root:12", *(f"{name}:2" for name in CHANNELS[1:]), f"{CHANNELS[0]}:1:sequential"])


@job
def sample(session: Any, model_name: str, number: int) -> None:
    """A sample job."""


@contextmanager
def dispatching(database: Any, redis: broker.Broker) -> Iterator[Dispatcher]:
    made = Dispatcher(database.name, redis, settings_from_text(TREE))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def dispatcher(database: Any, redis: broker.Broker) -> Iterator[Dispatcher]:
    with dispatching(database, redis) as made:
        yield made


def fill(database: Any, number: int) -> None:
    """Let this many jobs wait, in all channels, with priorities that mix them."""
    with database.session() as session:
        for place, name in enumerate(CHANNELS):
            rows = [(n,) for n in range(number // len(CHANNELS))]
            delay_many(sample, session, MODEL, rows, channel=name, priority=place % 3)
    with database.cursor(sql.READ_COMMITTED) as cr:
        # Within a channel every seventh job is more urgent than those before it.
        cr.execute("UPDATE queue_job SET priority = -1 WHERE (args->>1)::int %% 7 = 6", ())


def end(cr: Any, uuids: list[str]) -> None:
    """Let jobs run and be done."""
    cr.execute("UPDATE queue_job SET state = 'done' WHERE uuid = ANY(%s)", (uuids,))
    cr.commit()


def handed_over(database: Any, redis: broker.Broker) -> list[str]:
    """The uuids in Redis, in their order, which are taken out."""
    prefix = message_id(database.name, "")
    ids = [raw.decode() for raw in redis.redis.lrange("rq:queue:connector", 0, -1)]
    redis.redis.delete("rq:queue:connector")
    return [id_.removeprefix(prefix) for id_ in ids]


def peak_of_steps(database: Any, redis: broker.Broker) -> int:
    """The most memory that a dispatcher takes in some steps, in which jobs end and others go."""
    cursor = database.cursor(sql.READ_COMMITTED)
    with dispatching(database, redis) as dispatcher, cursor as cr:
        dispatcher.step()
        taken = handed_over(database, redis)
        tracemalloc.start()
        try:
            for _ in range(5):
                end(cr, taken)
                dispatcher.step()
                taken = handed_over(database, redis)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


def test_fifty_thousand_waiting_jobs_keep_their_order_and_take_no_memory(database, redis):
    """
    With 50,000 waiting the full tree goes on in order, and takes the memory that 500 take.
    """
    fill(database, 500)
    with database.cursor(sql.READ_COMMITTED) as cr:
        small = peak_of_steps(database, redis)
        cr.execute("DELETE FROM queue_job")
    fill(database, 50_000)

    large = peak_of_steps(database, redis)

    assert large < small + 100_000
    with database.cursor(sql.READ_COMMITTED) as cr:
        cr.execute("SELECT channel, count(*) FROM queue_job WHERE state = 'enqueued' GROUP BY 1")
        seated = dict(cr.fetchall())
        assert sum(seated.values()) == 12
        assert max(seated.values()) <= 2
        assert seated.get(CHANNELS[0], 0) <= 1
        # What has gone comes, in its own channel, before all that still waits.
        cr.execute("""
            SELECT count(*) FROM queue_job AS gone JOIN queue_job AS waiting USING (channel)
             WHERE gone.state IN ('enqueued', 'done') AND waiting.state = 'pending'
               AND (waiting.priority, waiting.date_created, waiting.id)
                   < (gone.priority, gone.date_created, gone.id)
        """)
        assert cr.fetchone() == (0,)


def test_the_manager_in_memory_foretells_what_goes(database, redis, dispatcher):
    """
    `ChannelManager` with the same configuration and jobs lets the same jobs go, step by step.
    """
    fill(database, 200)
    manager = ChannelManager()
    manager.simple_configure(TREE)
    with database.cursor(sql.READ_COMMITTED) as cr:
        cr.execute("SELECT channel, uuid, id, date_created, priority, eta, state FROM queue_job")
        jobs = {row[1]: row for row in cr.fetchall()}
        for row in jobs.values():
            manager.notify(database.name, *row)
        for _ in range(4):
            foretold = {job.uuid for job in manager.get_jobs_to_run(utc_now())}
            dispatcher.step()
            gone = handed_over(database, redis)
            assert gone
            assert set(gone) == foretold
            end(cr, gone[::2])
            for uuid in gone[::2]:
                manager.notify(database.name, *jobs[uuid][:6], "done")


def test_jobs_that_are_moved_up_go_next(database, redis, dispatcher):
    """
    In a full tree a job that is given a smaller priority, or is cancelled, acts at the next seat.
    """
    fill(database, 2000)
    dispatcher.step()
    taken = handed_over(database, redis)
    with database.cursor(sql.READ_COMMITTED) as cr:
        cr.execute("SELECT uuid FROM queue_job WHERE state = 'pending' ORDER BY id DESC LIMIT 1")
        last = cr.fetchone()[0]
        cr.execute("UPDATE queue_job SET priority = -5 WHERE uuid = %s", (last,))
        end(cr, taken)
    dispatcher.step()

    assert handed_over(database, redis)[0] == last
