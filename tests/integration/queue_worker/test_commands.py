"""The commands of the queue, as a person types them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from connector.core import sql


def connector(queue: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "connector.cli.main", *arguments],
        env=queue.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_failed_jobs_are_listed_shown_and_put_back(queue):
    """
    A failed job is found by its state, shown with its traceback, and put back with all its tries.
    """
    failed = queue.delay(queue.jobs.fail, "no")
    queue.delay(queue.jobs.leave_effect, "later", eta=3600)
    with queue.workers():
        queue.wait_for_state(failed, "failed")
    here = ("-d", queue.database.name)

    listed = connector(queue, "jobs", "list", *here, "--state", "failed").stdout
    shown = connector(queue, "jobs", "show", failed, *here).stdout
    put_back = connector(queue, "jobs", "requeue", "--failed", *here).stdout

    assert listed.count("root") == 1
    assert failed in listed
    assert "A person is needed" in listed
    assert "Traceback" in shown
    assert put_back == "1 put back, 0 cancelled as superseded.\n"
    assert (queue.job(failed)["state"], queue.job(failed)["retry"]) == ("pending", 0)


def test_the_worker_stops_when_nothing_is_left(queue):
    """
    `worker --stop-when-idle` ends by itself when no job is left that could run now.
    """
    uuid = queue.delay(queue.jobs.leave_effect, "one")
    queue.delay(queue.jobs.leave_effect, "later", eta=3600)

    ended = connector(queue, "worker", "-n", "1", "-d", queue.database.name, "--stop-when-idle")

    assert ended.returncode == 0, ended.stderr
    assert queue.job(uuid)["state"] == "done"


def test_what_is_missing_is_told_in_one_line(queue):
    """
    No jobs' table, no database, no Redis, no such job, wrong channels: one message, no traceback.
    """
    queue.environment["CONNECTOR_LOG_LEVEL"] = "warning"
    bare = f"{queue.database.name}_bare"
    sql.create_database(bare)
    try:
        told = {
            "keeps no jobs": connector(queue, "worker", "-d", bare),
            "no database": connector(queue, "worker", "-d", "queue_no_such"),
            "There is no job": connector(queue, "jobs", "show", "x", "-d", queue.database.name),
        }
    finally:
        sql.drop_database(bare)
    queue.environment["CONNECTOR_CHANNELS"] = "root:many"
    told["'many'"] = connector(queue, "worker", "-d", queue.database.name)
    queue.environment["CONNECTOR_CHANNELS"] = "root"
    queue.environment["REDIS_URL"] = "unix:///nowhere/redis.sock"
    told["does not answer"] = connector(queue, "worker", "-d", queue.database.name)

    for words, ended in told.items():
        assert ended.returncode == 1
        assert words in ended.stderr
        assert "Traceback" not in ended.stderr
        assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr
