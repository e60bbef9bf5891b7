"""Processes that are stopped, and statements that hang: what lives and says nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from connector import config
from connector.core import sql
from connector.queue import broker
from queue_worker import runner

#: `connector worker` with the limits of silence at a second or two.
IMPATIENT = """
import sys
from connector.queue import dispatcher
dispatcher._SESSION_ELECTED = dispatcher._SESSION_ELECTED.replace("15s", "2s")
from queue_worker import deadline, runner
runner.SERVER_MARGIN_SECONDS = 1
deadline.HOPELESS_SECONDS = 1
from connector.cli.main import main
sys.exit(main())
"""


@contextmanager
def impatient_workers(
    queue: Any, number: int = 1, options: Sequence[str] = (), **settings: object
) -> Iterator[int]:
    """Workers with these limits; gives the supervisor's process."""
    given = {f"CONNECTOR_{key.upper()}": str(value) for key, value in settings.items()}
    command = [sys.executable, "-c", IMPATIENT, "worker", "-n", str(number), *options]
    with queue.log.open("ab") as log:
        process = subprocess.Popen(
            [*command, "-d", queue.database.name],
            env={**queue.environment, **given},
            stdout=log,
            stderr=log,
        )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(15)


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """The process stands still meanwhile, and is there all the time."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_stopped_dispatcher_is_replaced(queue):
    """
    A dispatcher that stands still keeps its lock, until PostgreSQL ends its session; the one that
    stood by hands the next job over, and goes on when the other one is back.
    """
    with impatient_workers(queue), impatient_workers(queue):
        queue.wait_for_state(queue.delay(queue.jobs.leave_effect, "before"), "done")
        with stopped(dispatchers(queue)[0]):
            queue.wait_for_state(queue.delay(queue.jobs.leave_effect, "meanwhile"), "done", 10)
        queue.wait_for_state(queue.delay(queue.jobs.leave_effect, "after"), "done")

    assert len(set(dispatchers(queue))) == 2
    assert queue.effects() == ["before", "meanwhile", "after"]


def test_the_job_of_a_stopped_worker_is_taken_up(queue):
    """
    A worker stands still in a statement that hangs: neither its alarm nor its watchdog can act.
    PostgreSQL ends the statement and then the session, another worker runs the job, and the first
    one, when it goes on, writes nothing and works.
    """
    uuid = queue.delay(queue.jobs.hang_at_first, "once", 120)

    with impatient_workers(queue, 2, job_timeout=1):
        first = queue.wait_for_state(uuid, "started")
        queue.wait_until(lambda: queue.rows(HANGS))
        with stopped(int(first["worker"].partition(":")[2])):
            job = queue.wait_for_state(uuid, "done", seconds=15)
        labels = [str(number) for number in range(6)]
        for label in labels:
            queue.delay(queue.jobs.leave_effect_slowly, label, 0.3)
        queue.wait_until(lambda: len(queue.effects()) == 7)

    assert job["worker"] != first["worker"]
    assert (job["attempt"], job["retry"]) == (2, 2)
    assert sorted(queue.effects()) == [*labels, "once"]
    assert len(queue.rows("SELECT DISTINCT worker FROM queue_job")) == 2


def test_statement_timeout_alone_ends_a_hung_statement(queue, monkeypatch):
    """
    Without alarm and watchdog, as in a thread, PostgreSQL itself ends a statement that hangs, and
    the job is failed as one that took too long.
    """
    monkeypatch.setattr(runner, "SERVER_MARGIN_SECONDS", 0.2)
    limited = replace(config.current(), job_timeout=1)
    monkeypatch.setattr(config, "current", lambda: limited)
    uuid = queue.delay(queue.jobs.leave_effect_in_a_long_statement, "never", 30)
    with queue.database.cursor() as cr:
        cr.execute("UPDATE queue_job SET state = 'enqueued'")

    aside = threading.Thread(target=runner.run, args=(queue.database.name, uuid))
    aside.start()
    aside.join(10)

    assert not aside.is_alive()
    job = queue.job(uuid)
    assert (job["state"], job["exc_name"]) == (
        "failed",
        "connector.exception.JobTimeoutError",
    )
    assert "canceling statement due to statement timeout" in job["exc_info"]
    assert queue.effects() == []


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("refuse_to_end", ()),
        ("hold_the_interpreter", ()),
        ("hold_the_interpreter", ("--fork",)),
    ],
)
def test_a_job_that_refuses_to_end_takes_its_process_along(queue, name, options):
    """
    A job that swallows the error of its time limit, or lets no Python run, is ended with its
    process, and fails like any that kills its worker; the next worker goes on.
    """
    uuid = queue.delay(getattr(queue.jobs, name), "never", max_retries=1)

    with impatient_workers(queue, options=options, job_timeout=1):
        job = queue.wait_for_state(uuid, "failed")
        queue.wait_for_state(queue.delay(queue.jobs.leave_effect, "after"), "done")

    assert job["exc_name"] == "JobFoundDead"
    assert queue.effects() == ["after"]


def test_a_job_without_a_limit_has_none_of_the_servers_either(queue, monkeypatch):
    """
    With a job_timeout of 0 the limits of the server, or of the role, do not end a job.
    """
    unlimited = replace(config.current(), job_timeout=0)
    monkeypatch.setattr(config, "current", lambda: unlimited)
    with queue.database.cursor() as cr:
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            cr.execute(f"ALTER DATABASE {queue.database.name} SET {name} TO '700ms'")
    jobs = queue.jobs
    uuids = [
        queue.delay(jobs.leave_effect_slowly, "python", 1),
        queue.delay(jobs.leave_effect_in_a_long_statement, "statement", 1),
    ]
    with queue.database.cursor() as cr:
        cr.execute("UPDATE queue_job SET state = 'enqueued'")
    sql.close_all(queue.database.name)

    for uuid in uuids:
        runner.run(queue.database.name, uuid)

    assert queue.rows("SELECT state, attempt FROM queue_job") == [("done", 1)] * 2


def test_a_stopped_redis_holds_nothing_up_for_long(queue):
    """
    What a worker tells Redis about a job never keeps the job from its end.
    """
    labels = [str(number) for number in range(4)]
    pid = int(broker.current().redis.info("server")["process_id"])
    with queue.workers(2):
        uuids = [queue.delay(queue.jobs.leave_effect_slowly, label, 1) for label in labels]
        queue.wait_for_state(uuids[0], "started")
        running = queue.rows("SELECT uuid FROM queue_job WHERE state = 'started'")
        with stopped(pid):
            for (uuid,) in running:
                queue.wait_for_state(uuid, "done", seconds=4)
        queue.wait_until(lambda: len(queue.effects()) == 4)

    assert sorted(queue.effects()) == labels
    assert queue.rows("SELECT DISTINCT attempt FROM queue_job") == [(1,)]


HANGS = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"


def dispatchers(queue: Any) -> list[int]:
    """The processes of the elected dispatchers, by what the workers' log says."""
    lines = queue.log.read_text().splitlines()
    return [int(line.split()[2]) for line in lines if "Dispatcher elected" in line]
