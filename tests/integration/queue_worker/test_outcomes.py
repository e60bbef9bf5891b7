"""What becomes of jobs that do not simply succeed."""

import os
import signal
from datetime import timedelta

import pytest


def test_a_failed_job_leaves_nothing_but_its_traceback(queue):
    """
    An error rolls the job's work back and is kept in its row.
    """
    uuid = queue.delay(queue.jobs.fail, "gone")

    with queue.workers():
        job = queue.wait_for_state(uuid, "failed")
        queue.wait_until(lambda: queue.rows("SELECT id FROM connector_message"))

    assert queue.effects() == []
    assert job["exc_name"] == "connector.exception.FailedJobError"
    assert job["exc_message"] == "A person is needed"
    assert 'raise FailedJobError("A person is needed")' in job["exc_info"]
    assert queue.rows("SELECT subtype FROM connector_message") == [("connector.mt_job_failed",)]


def test_a_retry_rolls_back_and_counts(queue):
    """
    A job that asks for a retry comes back after its pattern's wait, and only its last run counts.
    """
    uuid = queue.delay(queue.jobs.succeed_at_try, "third", 3)

    with queue.workers():
        job = queue.wait_for_state(uuid, "done")

    assert queue.effects() == ["third"]
    assert (job["retry"], job["attempt"]) == (3, 3)


def test_the_last_try_fails(queue):
    """
    A job that asks for more tries than it has is failed.
    """
    uuid = queue.delay(queue.jobs.succeed_at_try, "never", 9, max_retries=2)

    with queue.workers():
        job = queue.wait_for_state(uuid, "failed")

    assert job["retry"] == 2
    assert job["exc_message"] == "Max. retries (2) reached: Not yet"


@pytest.mark.parametrize(("ignore", "retry"), [(False, 1), (True, 0)])
def test_the_wait_of_the_error_counts_from_its_end(queue, ignore, retry):
    """
    A retry with seconds sets an eta that far ahead; one that is ignored gives the try back.
    """
    uuid = queue.delay(queue.jobs.ask_for_seconds, 60, ignore)

    with queue.workers():
        queue.wait_until(lambda: queue.job(uuid)["eta"] is not None)
    job = queue.job(uuid)

    wait = job["eta"] - job["date_created"]
    assert timedelta(seconds=60) <= wait <= timedelta(seconds=60 * 1.25 + 20)
    assert job["retry"] == retry
    assert job["state"] == "pending"


def test_nothing_to_do_is_done(queue):
    """
    A job that has nothing to do is done and says so.
    """
    uuid = queue.delay(queue.jobs.find_nothing)

    with queue.workers():
        assert queue.wait_for_state(uuid, "done")["result"] == "The record is gone"


def test_a_conflict_runs_again_in_place(queue):
    """
    A serialization failure is run again at once; it costs no try and leaves one effect.
    """
    uuid = queue.delay(queue.jobs.conflict, "again")

    with queue.workers():
        job = queue.wait_for_state(uuid, "done")

    assert queue.effects() == ["again"]
    assert (job["attempt"], job["retry"]) == (1, 1)


def test_a_lost_race_runs_again_and_finds_the_record(queue):
    """
    Of two jobs that make one record, the second meets its natural key, runs again and finds it.
    """
    model = "queue.sample.unique"
    uuids = [queue.delay(queue.jobs.make_unique, "7", 0.5, model=model) for _ in range(2)]

    with queue.workers(2):
        results = {queue.wait_for_state(uuid, "done")["result"] for uuid in uuids}

    assert queue.rows("SELECT code FROM queue_sample_unique") == [("7",)]
    assert "made" in results


def test_a_checkpoint_keeps_what_was_done(queue):
    """
    What a job commits in between stays when its worker then dies, and the job runs again.
    """
    uuid = queue.delay(queue.jobs.commit_in_between, "kept", 2)

    with queue.workers():
        queue.wait_until(lambda: queue.effects() == ["kept before"])
        os.kill(int(queue.job(uuid)["worker"].partition(":")[2]), signal.SIGKILL)
        job = queue.wait_for_state(uuid, "done")

    assert job["attempt"] == 2
    assert queue.effects() == ["kept before", "kept before", "kept after"]


def test_a_time_limit_does_not_strike_in_a_commit(queue):
    """
    A commit that takes longer than the job may take comes to its end, and the job is done.
    """
    with queue.database.cursor() as cr:
        cr.execute(SLOW_COMMIT)
    uuid = queue.delay(queue.jobs.leave_effect, "slowly committed")

    with queue.workers(job_timeout=1):
        job = queue.wait_for_state(uuid, "done")

    assert job["date_done"] - job["date_started"] < timedelta(seconds=1)
    assert job["attempt"] == 1
    assert queue.effects() == ["slowly committed"]


#: Two and a half seconds in the commit of whoever leaves an effect.
SLOW_COMMIT = """
CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_sleep(2.5); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER take_time AFTER INSERT ON queue_sample_effect
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION take_time()
"""


@pytest.mark.parametrize("name", ["leave_effect_slowly", "leave_effect_in_a_long_statement"])
def test_a_job_that_takes_too_long_fails(queue, name):
    """
    The time limit ends a job in Python code and in a statement alike; nothing stays of it.
    """
    uuid = queue.delay(getattr(queue.jobs, name), "slow", 25)

    with queue.workers(job_timeout=1):
        job = queue.wait_for_state(uuid, "failed", seconds=10)

    assert job["exc_name"] == "connector.exception.JobTimeoutError"
    assert queue.effects() == []


def test_an_eta_is_waited_for_and_then_met(queue):
    """
    A job with an eta starts at it, not before and not much later.
    """
    uuid = queue.delay(queue.jobs.leave_effect, "at two", eta=2)

    with queue.workers():
        job = queue.wait_for_state(uuid, "done")

    assert job["date_started"] >= job["eta"]
    assert job["date_started"] - job["date_created"] < timedelta(seconds=8)


def test_priority_decides_who_is_first(queue):
    """
    Of jobs that wait, the one with the smaller priority runs first.
    """
    for priority in (30, 10, 20):
        queue.delay(queue.jobs.leave_effect, f"p{priority}", priority=priority)

    with queue.workers(channels="root:1"):
        queue.wait_until(lambda: len(queue.effects()) == 3)

    assert queue.effects() == ["p10", "p20", "p30"]
