"""The way of a job, from `delay` to done, through real processes."""

import time


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
