"""The way of a job, from `delay` to done, through real processes."""

import time

import pytest

from connector.core import modules


def test_a_job_runs_after_its_commit(queue):
    """
    A delayed job runs in a worker process; its effect and its result are there when it is done.
    """
    uuid = queue.delay(queue.jobs.leave_effect, "one")

    with queue.workers():
        job = queue.wait_for_state(uuid, "done")

    assert queue.effects() == ["one"]
    assert job["result"] == "left one"
    assert (job["attempt"], job["retry"]) == (1, 1)
    assert job["channel"] == "root.sample"
    host, _, process = job["worker"].partition(":")
    assert host
    assert queue.rows("SELECT process FROM queue_sample_effect") == [(int(process),)]


def test_a_rollback_leaves_no_job(queue):
    """
    A job delayed in a transaction that is rolled back never was.
    """
    with queue.database.session() as session:
        uuid = queue.jobs.leave_effect.delay(session, "queue.sample.effect", "never")
        session.rollback()

    assert queue.rows("SELECT count(*) FROM queue_job WHERE uuid = %s", uuid) == [(0,)]


def test_no_job_starts_before_its_commit(queue):
    """
    While the transaction that delays a job is open, the job does not start.
    """
    with queue.workers(), queue.database.session() as session:
        uuid = queue.jobs.leave_effect.delay(session, "queue.sample.effect", "late")
        time.sleep(3)
        assert queue.effects() == []
        session.commit()

        queue.wait_for_state(uuid, "done")
    assert queue.effects() == ["late"]


@pytest.mark.parametrize("options", [(), ("--fork",)])
def test_running_workers_follow_an_installation(queue, options):
    """
    Workers that have a database's models in memory run jobs of an addon that another process
    installs, with its models and fields, and go on with jobs that were there before.
    """
    with queue.workers(options=options) as supervisor:
        queue.wait_for_state(queue.delay(queue.jobs.leave_effect, "before"), "done")
        modules.install(queue.database.name, ["queue_late"])
        from connector.addons.queue_late import late

        queue.wait_for_state(queue.delay(late.leave_both, "new"), "done")
        queue.wait_for_state(queue.delay(queue.jobs.leave_effect, "after"), "done")
        assert supervisor.poll() is None

    assert queue.rows("SELECT label, note FROM queue_sample_effect ORDER BY id") == [
        ("before", None),
        ("new", "new"),
        ("after", None),
    ]
    assert queue.rows("SELECT DISTINCT attempt, retry FROM queue_job") == [(1, 1)]
    assert "WARNING" not in queue.log.read_text()
