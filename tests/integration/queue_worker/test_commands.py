"""The commands of the queue, as a person types them."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

from connector.core import sql
from connector.queue.job import delay_many


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


def test_a_running_job_is_stopped_by_command(queue):
    """
    `stop` ends a running job, says what it is then, and fails for one that does not run.
    """
    running = queue.delay(queue.jobs.leave_effect_slowly, "stopped", 60)
    waiting = queue.delay(queue.jobs.leave_effect, "later", eta=3600)
    here = ("-d", queue.database.name)

    with queue.workers():
        queue.wait_for_state(running, "started")
        cancelled = connector(queue, "jobs", "cancel", running, *here)
        stopped = connector(queue, "jobs", "stop", running, *here)
        refused = connector(queue, "jobs", "stop", waiting, *here)

    assert cancelled.stdout == "0 cancelled.\n"
    assert f"{running} is started: a running one is stopped with" in cancelled.stderr
    assert (stopped.returncode, stopped.stdout) == (0, f"{running} is failed.\n")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"{waiting} is pending: only a running job is stopped" in refused.stderr
    assert queue.job(running)["exc_message"] == "The job was stopped by a person."
    assert queue.effects() == []


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


def test_a_copy_runs_nothing_until_it_is_adopted(queue):
    """
    A database duplicated while 100 jobs wait runs none of them; adopted, it runs them all.
    """
    with queue.database.session() as session:
        rows = [(str(number),) for number in range(100)]
        delay_many(queue.jobs.leave_effect, session, "queue.sample.effect", rows)
    copy = f"{queue.database.name}_copy"
    sql.close_all(queue.database.name)
    sql.create_database(copy, template=queue.database.name)
    done = "SELECT count(*) FROM queue_job WHERE state = 'done'"
    try:
        with queue.workers(database=copy):
            time.sleep(4)
            with sql.connect(copy).cursor(sql.READ_COMMITTED) as cr:
                cr.execute(done)
                assert cr.fetchone() == (0,)
            told = connector(queue, "jobs", "stats", "-d", copy)
            assert "is a copy and asleep" in told.stderr
            assert "100" in told.stdout
            assert "crons run" in connector(queue, "adopt", copy).stdout
            queue.wait_until(lambda: _count(copy, done) == 100)
    finally:
        sql.close_all(copy)
        sql.drop_database(copy)
    assert queue.effects() == []


def test_a_neutralized_copy_has_nothing_left_to_do(queue):
    """
    `neutralize` cancels the jobs of a copy and stops its crons.
    """
    queue.delay(queue.jobs.leave_effect, "one")
    copy = f"{queue.database.name}_copy"
    sql.close_all(queue.database.name)
    sql.create_database(copy, template=queue.database.name)
    try:
        ended = connector(queue, "neutralize", copy)
        assert "1 jobs cancelled" in ended.stdout, ended.stderr
        assert _count(copy, "SELECT count(*) FROM queue_job WHERE state = 'cancelled'") == 1
        assert _count(copy, "SELECT count(*) FROM ir_cron WHERE active") == 0
        assert connector(queue, "jobs", "list", "-d", copy).stderr == ""
    finally:
        sql.close_all(copy)
        sql.drop_database(copy)


def test_channels_are_listed_set_and_paused(queue):
    """
    What is set by command is seen in the list, and said by `jobs why`.
    """
    here = ("-d", queue.database.name)
    uuid = queue.delay(queue.jobs.leave_effect, "one")

    limits = ("--capacity", "2", "--short")
    assert connector(queue, "channels", "set", "sample", *limits, *here).returncode == 0
    assert connector(queue, "channels", "pause", "root.sample", *here).returncode == 0
    made = connector(queue, "channels", "set", "misspelt", "--capacity", "1", *here).stdout
    assert made == "root.misspelt is made and set.\n"
    assert "capacity 2, short, PAUSED" in connector(queue, "channels", *here).stdout
    assert "root.sample is paused" in connector(queue, "jobs", "why", uuid, *here).stdout
    assert connector(queue, "channels", "resume", "sample", *here).returncode == 0
    assert "PAUSED" not in connector(queue, "channels", *here).stdout


def test_jobs_are_ended_and_removed_by_command(queue):
    """
    Jobs are cancelled or set done by what they are, and purged by age; naming nothing is refused.
    """
    here = ("-d", queue.database.name)
    for _ in range(2):
        queue.delay(queue.jobs.leave_effect, "one", eta=3600)
    queue.delay(queue.jobs.fail, "no", eta=3600)

    assert connector(queue, "jobs", "cancel", *here).returncode == 2
    cancelled = connector(queue, "jobs", "cancel", "--channel", "sample", *here).stdout
    done = connector(queue, "jobs", "set-done", "--state", "pending", *here).stdout
    purged = connector(queue, "jobs", "purge", "--older-than", "0", *here).stdout

    assert (cancelled, done, purged) == ("2 cancelled.\n", "1 set done.\n", "3 removed.\n")


def _count(database: str, query: str) -> int:
    with sql.connect(database).cursor(sql.READ_COMMITTED) as cr:
        cr.execute(query)
        return int(cr.fetchone()[0])
