"""The limit on the time of a job."""

import time

import pytest

from connector.exception import JobTimeoutError
from queue_worker.deadline import Deadline, watch_current


def test_python_code_is_interrupted():
    """
    A block that takes too long raises, soon after its time.
    """
    began = time.monotonic()

    with pytest.raises(JobTimeoutError), Deadline(0.1, lambda: None).armed():
        time.sleep(5)

    assert time.monotonic() - began < 1


def test_a_lifted_part_runs_to_its_end_and_the_time_begins_again():
    """
    A commit may take longer than the job; afterwards the full time is there again.
    """
    deadline = Deadline(0.2, lambda: None)
    with deadline.armed():
        with deadline.lifted():
            time.sleep(0.3)
        time.sleep(0.1)

    assert not deadline._armed


def test_a_running_statement_is_cancelled():
    """
    The watchdog cancels the statement of a job whose time is over, and of no other.
    """
    cancelled = []
    deadline = Deadline(60, lambda: cancelled.append(True))

    with deadline.armed():
        watch_current()
        assert not cancelled
        deadline._end = time.monotonic() - 1
        watch_current()
        assert cancelled
    watch_current()

    assert len(cancelled) == 1


def test_zero_seconds_are_no_limit():
    """
    A job whose limit is 0 is never interrupted.
    """
    cancelled = []
    with Deadline(0, lambda: cancelled.append(True)).armed():
        time.sleep(0.05)
        watch_current()

    assert not cancelled
