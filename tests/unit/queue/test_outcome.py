"""What becomes of a job whose function raised."""

import pytest

from connector.core import sql
from connector.exception import FailedJobError, NothingToDoJob, RetryableJobError
from connector.queue.call import Job
from connector.queue.job import job
from connector.queue.retry import CONFLICT_RUNS
from queue_worker.outcome import Failed, Finished, Lost, Postponed, Rerun, WorkerStops, decide


@job(retry_pattern={1: 10, 3: 60})
def sample(session, model_name):
    """Does nothing."""


def outcome(error, *, retry=1, max_retries=5, runs=1, is_lost=False, is_race=lambda e: False):
    tried = Job(sample, max_retries=max_retries)
    tried.retry = retry
    return decide(error, tried, runs=runs, is_lost=is_lost, is_race=is_race)


def test_a_retryable_error_waits_as_the_pattern_says():
    """
    The wait comes from the pattern of the function, and the try counts.
    """
    assert outcome(RetryableJobError("later"), retry=3) == Postponed(
        60, "later", "connector.exception.RetryableJobError", spent=True
    )


def test_the_last_try_fails():
    """
    When its tries are used up, a retryable error is a failure that says so.
    """
    failed = outcome(RetryableJobError("later"), retry=5)

    assert isinstance(failed, Failed)
    assert failed.message == "Max. retries (5) reached: later"
    assert "RetryableJobError: later" in failed.exc_info


def test_zero_tries_are_without_end():
    """
    A job whose number of tries is 0 is tried for ever.
    """
    assert isinstance(outcome(RetryableJobError("x"), retry=999, max_retries=0), Postponed)


def test_an_ignored_try_never_fails():
    """
    A retry that is not counted comes back even after the last try.
    """
    come_back = outcome(RetryableJobError("locked", seconds=2, ignore_retry=True), retry=9)

    assert isinstance(come_back, Postponed)
    assert not come_back.spent
    assert 2 <= come_back.seconds <= 2.5


def test_nothing_to_do_is_done():
    """
    NothingToDoJob finishes the job with its message as result.
    """
    assert outcome(NothingToDoJob("gone")) == Finished("gone")


@pytest.mark.parametrize("error", [FailedJobError("no"), KeyError("x"), SystemExit(3)])
def test_other_errors_fail(error):
    """
    Every other error fails the job at once, with its traceback.
    """
    failed = outcome(error)

    assert isinstance(failed, Failed)
    assert type(error).__name__ in failed.exc_info


def test_conflicts_run_again_a_few_times():
    """
    A conflict runs again in place; after the last run the job comes back and the try counts.
    """
    error = sql.errors.UniqueViolation()
    race = {"is_race": lambda cause: cause is error}

    assert outcome(error, runs=1, **race) == Rerun()
    late = outcome(error, runs=CONFLICT_RUNS, **race)
    assert isinstance(late, Postponed)
    assert late.spent
    assert 5 <= late.seconds <= 6.25


def test_a_race_behind_another_error_is_found():
    """
    A lost race counts as one when the core has wrapped it in an error of its own.
    """
    error = ValueError("wrapped")
    error.__cause__ = sql.errors.UniqueViolation()

    assert outcome(error, is_race=lambda e: isinstance(e, sql.errors.UniqueViolation)) == Rerun()


def test_a_lost_connection_is_never_written_down():
    """
    Whatever the error is, a job whose connection is gone is left to the sweep.
    """
    assert outcome(KeyError("x"), is_lost=True) == Lost()
    assert outcome(sql.errors.OperationalError("server closed the connection")) == Lost()


def test_a_stopping_worker_gives_the_try_back():
    """
    A job that is interrupted by the end of its worker comes back at once, uncounted.
    """
    back = outcome(WorkerStops())

    assert isinstance(back, Postponed)
    assert (back.seconds, back.spent) == (0, False)
