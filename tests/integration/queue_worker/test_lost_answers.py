"""A worker loses its connection at each thing it says to PostgreSQL, before it or after it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from connector.core import sql
from connector.queue import broker
from queue_worker import runner
from queue_worker import sweep as sweeping

POINTS = 60
LOST = "server closed the connection unexpectedly"


@pytest.mark.parametrize("answered", [False, True])
def test_a_job_runs_once_wherever_its_worker_loses_the_connection(queue, monkeypatch, answered):
    """
    The answer to a COMMIT may be lost on its way, so that its worker cannot know whether the job
    is done: it writes nothing more, and the job, if it is not done, is started again.
    """
    monkeypatch.setattr(sweeping, "LOST_SECONDS", 0)
    runner.run(queue.database.name, enqueued(queue, "warm"))
    labels = ["warm"]
    attempts = set()
    for point in range(POINTS):
        labels.append(f"{point:02}")
        uuid = enqueued(queue, labels[-1])
        with connection_lost_at(point, answered, monkeypatch) as struck:
            runner.run(queue.database.name, uuid)
        while queue.job(uuid)["state"] != "done":
            with queue.database.cursor(sql.READ_COMMITTED) as cr:
                sweeping.sweep(cr, queue.database.name, broker.current())
                cr.execute("UPDATE queue_job SET state = 'enqueued' WHERE state = 'pending'")
            runner.run(queue.database.name, uuid)
        attempts.add(queue.job(uuid)["attempt"])
        if not struck:
            break

    assert 4 <= point < POINTS - 1
    assert queue.effects() == labels
    assert attempts == {1, 2}


@contextmanager
def connection_lost_at(
    point: int, answered: bool, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    """In the block, lose the connection at that round trip: when it is done, or before it is."""
    struck: list[str] = []
    count = iter(range(10_000))

    def losing(method: Any) -> Any:
        def lose(cr: Any, *args: Any) -> Any:
            hit = next(count) == point
            if answered or not hit:
                answer = method(cr, *args)
            if hit:
                struck.append(str(args))
                cr.connection.close()
                raise sql.errors.OperationalError(LOST)
            return answer

        return lose

    with monkeypatch.context() as patch:
        for name in ("execute_unflushed", "_send"):
            patch.setattr(sql.ChainedCursor, name, losing(getattr(sql.ChainedCursor, name)))
        yield struck


def enqueued(queue: Any, label: str) -> str:
    uuid: str = queue.delay(queue.jobs.leave_effect, label)
    with queue.database.cursor() as cr:
        cr.execute("UPDATE queue_job SET state = 'enqueued' WHERE uuid = %s", (uuid,))
    return uuid
