"""
What a job costs, and short channels: jobs taken in groups, each started in the commit that ends
the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from connector import config
from connector.core import sql
from connector.queue import broker
from connector.queue.channels import SHORT_GROUP
from queue_worker import runner
from queue_worker.inbox import Inbox

JOBS = 12


def delay_group(queue: Any, functions: Sequence[str]) -> list[str]:
    """A job of each of these functions, enqueued and in their order."""
    uuids = [
        queue.delay(getattr(queue.jobs, name), str(number)) for number, name in enumerate(functions)
    ]
    execute(queue, "UPDATE queue_job SET state = 'enqueued'")
    return uuids


def execute(queue: Any, statement: str, *params: Any) -> None:
    with queue.database.cursor(sql.READ_COMMITTED) as cr:
        cr.execute(statement, params or None)


def run(queue: Any, uuids: Sequence[str], is_to_end: Callable[[], bool] = lambda: False) -> int:
    return len(list(runner.run_group(queue.database.name, uuids, is_to_end)))


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The round trips in which the runner's cursor begins and ends transactions."""
    sent: list[str] = []
    send = sql.ChainedCursor._send

    def noted(cr: sql.ChainedCursor, *statements: str) -> None:
        sent.extend(filter(None, ["; ".join(filter(None, statements))]))
        send(cr, *statements)

    monkeypatch.setattr(sql.ChainedCursor, "_send", noted)
    return sent


def test_an_ordinary_job_takes_two_round_trips(queue, sent):
    """
    Beside the job's own statements PostgreSQL is asked twice, with a commit each time.
    """
    (uuid,) = delay_group(queue, ["leave_effect"])
    runner.run(queue.database.name, uuid)
    sent.clear()
    (uuid,) = delay_group(queue, ["leave_effect"])

    runner.run(queue.database.name, uuid)

    assert queue.job(uuid)["state"] == "done"
    assert [statements.count("COMMIT") for statements in sent] == [1, 1]


def test_a_group_takes_one_commit_a_job(queue, sent):
    """
    The start of a job is in the commit that ends the one before; only the first has its own.
    """
    uuids = delay_group(queue, ["leave_effect"] * JOBS)

    assert run(queue, uuids) == JOBS

    assert sum(statements.count("COMMIT") for statements in sent) == JOBS + 1
    assert queue.effects() == [str(number) for number in range(JOBS)]
    assert queue.rows("SELECT DISTINCT state, attempt, retry FROM queue_job") == [("done", 1, 1)]
    assert queue.rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'") == []


@pytest.mark.parametrize("isolation", [sql.READ_COMMITTED, sql.REPEATABLE_READ])
def test_each_job_of_a_group_has_its_own_outcome(queue, isolation, monkeypatch):
    """
    What a job of the group comes to is its own: its neighbours are done, and it alone is not.
    """
    configured = replace(config.current(), job_isolation_level=isolation)
    monkeypatch.setattr(config, "current", lambda: configured)
    uuids = delay_group(queue, ["leave_effect", "fail", "leave_effect", "conflict", "leave_effect"])

    assert run(queue, uuids) == 5

    states = [queue.job(uuid)["state"] for uuid in uuids]
    assert states == ["done", "failed", "done", "done", "done"]
    assert queue.effects() == ["0", "2", "3", "4"]


def test_a_group_passes_over_what_was_cancelled(queue):
    """
    A job that a person cancels while the group waits for it is not run.
    """
    uuids = delay_group(queue, ["leave_effect"] * 3)
    begun = runner.run_group(queue.database.name, uuids, lambda: False)

    assert next(begun) == uuids[0]
    execute(queue, "UPDATE queue_job SET state = 'cancelled' WHERE uuid = %s", uuids[1])
    assert list(begun) == [uuids[2]]

    assert queue.effects() == ["0", "2"]


def test_a_row_that_somebody_holds_does_not_keep_the_effect_of_the_job_before(queue):
    """
    The end of a job never waits for the row of the next one, which is started when it is free.
    """
    uuids = delay_group(queue, ["leave_effect"] * 2)
    begun = runner.run_group(queue.database.name, uuids, lambda: False)
    next(begun)
    with queue.database.cursor(sql.READ_COMMITTED) as holder:
        holder.execute("SELECT 1 FROM queue_job WHERE uuid = %s FOR UPDATE", (uuids[1],))
        original = runner.transitions.start_and_begin

        def after_release(*args: Any) -> Any:
            assert queue.effects() == ["0"]
            holder.rollback()
            return original(*args)

        runner.transitions.start_and_begin = after_release
        try:
            assert list(begun) == [uuids[1]]
        finally:
            runner.transitions.start_and_begin = original

    assert queue.effects() == ["0", "1"]


def test_a_worker_that_stops_gives_the_rest_back(queue):
    """
    Between two jobs of a group a worker may end: what has not begun is pending, unspent.
    """
    uuids = delay_group(queue, ["leave_effect"] * 4)
    asked = iter([False, False, True])

    assert run(queue, uuids, lambda: next(asked, True)) == 2

    found = [(queue.job(u)["state"], queue.job(u)["attempt"]) for u in uuids]
    assert found == [("done", 1), ("done", 1), ("pending", 0), ("pending", 0)]


def test_only_the_job_that_ran_is_spent_when_its_worker_dies(queue):
    """
    A job kills its worker in the middle of a group: an attempt is counted for it alone, and the
    others are run once each by the next worker.
    """
    with queue.database.session() as session:
        for number in range(2 * JOBS):
            func = queue.jobs.die if number == JOBS else queue.jobs.leave_effect
            options = {"max_retries": 1, "channel": "root.quick"}
            func.delay(session, "queue.sample.effect", f"{number:02}", **options)

    with queue.workers(1, channels="root.quick:0:short"):
        waiting = "SELECT 1 FROM queue_job WHERE state NOT IN ('done', 'failed')"
        queue.wait_until(lambda: not queue.rows(waiting))

    assert queue.effects() == [f"{number:02}" for number in range(2 * JOBS) if number != JOBS]
    spent = queue.rows(
        "SELECT state, attempt, retry, count(*) FROM queue_job"
        " WHERE channel = 'root.quick' GROUP BY 1, 2, 3"
    )
    assert sorted(spent) == [("done", 1, 1, 2 * JOBS - 1), ("failed", 1, 1, 1)]


def inbox(most: int) -> Inbox:
    redis = broker.current()
    return Inbox(redis.redis, redis._queue, most)


def test_short_jobs_come_in_groups_and_others_alone(queue):
    """
    A worker takes what is short and next to each other, of one database; all else one by one.
    """
    redis = broker.current()
    redis.push("one", ["a", "b"])
    redis.push("one", ["c", "d", "e"], short={"c", "d"})
    redis.push("two", ["f", "g"], short={"f", "g"})
    redis.push("one", ["h"], short={"h"})
    worker = inbox(SHORT_GROUP)

    groups = iter(lambda: [message.call for message in worker.take(None)], [])

    assert [[uuid for _, uuid in calls] for calls in groups] == [
        ["a"],
        ["b"],
        ["c", "d"],
        ["e"],
        ["f", "g"],
        ["h"],
    ]


def test_a_group_is_a_worker_s_share(queue):
    """
    Of what waits, a worker leaves the others theirs, and takes no more than its limit.
    """
    redis = broker.current()
    for name in ("one", "two", "three"):
        with redis.redis.pipeline() as pipeline:
            broker.beat(pipeline, name)
            pipeline.execute()
    uuids = [str(number) for number in range(3 * SHORT_GROUP)]
    redis.push("one", uuids[:30], short=set(uuids))

    assert len(inbox(SHORT_GROUP).take(None)) == 10
    assert len(inbox(5).take(None)) == 5


@pytest.fixture
def heard(queue) -> Iterator[Callable[[], list[bytes]]]:
    """What the dispatcher was told since it was asked last."""
    with broker.current().redis.pubsub(ignore_subscribe_messages=True) as calls:
        calls.subscribe(broker.WAKE_CHANNEL)
        calls.get_message(timeout=1)
        yield lambda: [call["data"] for call in iter(lambda: calls.get_message(timeout=0.05), None)]


def test_what_has_ended_is_told_with_the_next_taking(queue, heard):
    """
    The messages of jobs that have ended go, and the dispatcher is woken, in the one round trip
    that takes the next ones.
    """
    redis = broker.current()
    redis.push("one", ["a", "b"])
    worker = inbox(1)

    first = worker.take(None)
    worker.end(first, "one")
    assert redis.redis.exists(first[0].key)
    (second,) = worker.take(None)

    assert second.call == ("one", "b")
    assert not redis.redis.exists(first[0].key)
    assert heard() == [b"one"]


@pytest.mark.parametrize(("short", "most"), [(False, 1), (True, 5)])
def test_an_end_wakes_the_dispatcher_once_somebody_may_find_nothing(queue, heard, short, most):
    """
    While there are more messages than workers take next, a job claimed now would wait behind them.
    """
    redis = broker.current()
    with redis.redis.pipeline() as pipeline:
        broker.beat(pipeline, "this")
        broker.beat(pipeline, "other")
        pipeline.execute()
    uuids = [str(number) for number in range(5 * most)]
    redis.push("one", uuids, short=set(uuids) if short else ())
    worker = inbox(most)

    told = []
    while messages := worker.take(None):
        told.append((len(redis.waiting()), heard()))
        worker.end(messages, "one")

    assert told[:3] == [(4 * most, []), (3 * most, []), (2 * most, [b"one"])]
    assert [calls for _, calls in told[3:]] == [[b"one"]] * len(told[3:])
    assert heard() == [b"one"]
