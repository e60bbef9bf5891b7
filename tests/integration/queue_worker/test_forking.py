"""The worker that runs each job in a child process of its own."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from connector.core import sql
from connector.queue.procedures import JOB_LOCK_CLASS

FORK = ("--fork",)


def test_each_job_has_a_process_of_its_own(queue):
    """
    Every job runs in another process, whose parent is the worker.
    """
    uuids = [queue.delay(queue.jobs.leave_effect, str(number)) for number in range(3)]

    with queue.workers(options=FORK) as supervisor:
        jobs = [queue.wait_for_state(uuid, "done") for uuid in uuids]
        workers = set(children_of(supervisor.pid))

    processes = {process_of(job) for job in jobs}
    assert len(processes) == 3
    assert not processes & workers
    assert sorted(queue.effects()) == ["0", "1", "2"]


def test_the_worker_holds_no_connection_while_its_child_works(queue):
    """
    Beside the dispatcher's connection there is one, that of the child, and it holds the lock.
    """
    queue_of_two = [queue.delay(queue.jobs.leave_effect_slowly, str(n), 1.5) for n in range(2)]

    with queue.workers(options=FORK):
        for uuid in queue_of_two:
            queue.wait_for_state(uuid, "started")
            sql.close_all()
            assert queue.rows(HOLD_THE_JOB_LOCK) == [(1,)]
            assert queue.rows(NEITHER_DISPATCHER_NOR_CHILD) == [(0,)]
            queue.wait_for_state(uuid, "done")


def test_the_job_of_a_killed_child_is_taken_up(queue):
    """
    A child is killed inside a long statement; its worker lives, and the job runs again soon.
    """
    uuid = queue.delay(queue.jobs.hang_at_first, "once", 120)

    with queue.workers(options=FORK):
        child = process_of(queue.wait_for_state(uuid, "started"))
        worker = parent_of(child)
        time.sleep(0.5)
        os.kill(child, signal.SIGKILL)
        job = queue.wait_for_state(uuid, "done", seconds=15)
        assert Path(f"/proc/{worker}").exists()

    assert queue.effects() == ["once"]
    assert (job["attempt"], job["retry"]) == (2, 2)


def test_an_orphaned_child_ends_its_job_and_nobody_runs_it_again(queue):
    """
    The worker is killed while its child works: the child ends the job, once, in its first attempt.
    """
    uuid = queue.delay(queue.jobs.leave_effect_slowly, "once", 8)

    with queue.workers(2, options=FORK):
        child = process_of(queue.wait_for_state(uuid, "started"))
        os.kill(parent_of(child), signal.SIGKILL)
        job = queue.wait_for_state(uuid, "done")
        queue.wait_until(lambda: not Path(f"/proc/{child}").exists())

    assert process_of(job) == child
    assert job["attempt"] == 1
    assert queue.effects() == ["once"]


def test_a_forced_stop_gives_the_childs_job_back(queue):
    """
    A second signal to the worker makes the child give its job back with its try unspent.
    """
    uuid = queue.delay(queue.jobs.leave_effect_slowly, "interrupted", 8)

    with queue.workers(options=FORK):
        child = process_of(queue.wait_for_state(uuid, "started"))
        worker = parent_of(child)
        os.kill(worker, signal.SIGTERM)
        time.sleep(1.5)
        os.kill(worker, signal.SIGTERM)
        queue.wait_until(lambda: queue.job(uuid)["attempt"] == 2)
        assert queue.job(uuid)["retry"] == 1
        assert queue.effects() == []


def test_a_stop_lets_the_child_end(queue):
    """
    SIGTERM to the supervisor waits for the child, as it waits for a job in the worker itself.
    """
    uuid = queue.delay(queue.jobs.leave_effect_slowly, "first", 2)

    with queue.workers(options=FORK) as supervisor:
        queue.wait_for_state(uuid, "started")
        supervisor.send_signal(signal.SIGTERM)
        assert supervisor.wait(15) == 0

    assert queue.job(uuid)["state"] == "done"
    assert queue.effects() == ["first"]


HOLD_THE_JOB_LOCK = f"""
SELECT count(DISTINCT pid) FROM pg_locks
 WHERE locktype = 'advisory' AND classid = {JOB_LOCK_CLASS}
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

NEITHER_DISPATCHER_NOR_CHILD = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND backend_type = 'client backend'
   AND pid <> pg_backend_pid()
   AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')
"""


def process_of(job: dict[str, Any]) -> int:
    return int(job["worker"].partition(":")[2])


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
