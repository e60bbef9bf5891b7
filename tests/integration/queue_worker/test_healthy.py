"""A job may take as long as it likes: no limit of the queue is a limit on it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connector.queue import broker

SECONDS = 10
#: What the sweep says of a message that waits nowhere.
SENT_AGAIN = "Redis has lost"
#: `connector worker` with each limit by which something counts as dead or lost at a second or less.
IMPATIENT = """
import sys
from connector.queue import broker
broker.WORKER_ALIVE_SECONDS = 1
from connector.core.sql import pool
pool._DURING_STATEMENTS = pool._DURING_STATEMENTS.replace("2s", "100ms")
from queue_worker import dispatching, sweep, worker
dispatching.SWEEP_SECONDS = 0.2
sweep.LOST_SECONDS = 0.5
worker.WORKER_TTL_SECONDS = 1
worker.BEAT_SECONDS = 0.3
from connector.cli.main import main
sys.exit(main())
"""


def test_a_healthy_job_is_never_declared_dead(queue):
    """
    Jobs ten times longer than every limit, in Python and in a statement, run once; so do those
    that wait in Redis behind them for as long.
    """
    uuids = [
        queue.delay(queue.jobs.leave_effect_slowly, "python", SECONDS),
        queue.delay(queue.jobs.leave_effect_in_a_long_statement, "statement", SECONDS),
        *[queue.delay(queue.jobs.leave_effect, f"behind {number}") for number in range(4)],
    ]

    with impatient_workers(queue):
        queue.wait_until(lambda: queue.rows(STARTED) == [(2,)])
        queue.wait_until(lambda: len(broker.current().waiting()) == 4)
        before = queue.log.read_text().count(SENT_AGAIN)
        time.sleep(SECONDS / 2)
        assert queue.log.read_text().count(SENT_AGAIN) == before
        for uuid in uuids:
            queue.wait_for_state(uuid, "done")

    assert [queue.job(uuid)["attempt"] for uuid in uuids] == [1] * len(uuids)
    assert "died" not in queue.log.read_text()
    assert len(queue.effects()) == len(uuids)


def test_the_limits_are_what_the_test_takes_them_for(queue):
    """
    With these limits a job whose worker dies is taken up at once, so they are in force.
    """
    uuid = queue.delay(queue.jobs.hang_at_first, "once", 120)

    with impatient_workers(queue):
        first = queue.wait_for_state(uuid, "started")
        subprocess.run(["kill", "-9", first["worker"].partition(":")[2]], check=True)
        queue.wait_for_state(uuid, "done", seconds=3)

    assert queue.effects() == ["once"]


STARTED = "SELECT count(*) FROM queue_job WHERE state = 'started'"


@contextmanager
def impatient_workers(queue: Any) -> Iterator[None]:
    command = [sys.executable, "-c", IMPATIENT, "worker", "-n", "2", "-d", queue.database.name]
    with queue.log.open("ab") as log:
        process = subprocess.Popen(command, env=queue.environment, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)
