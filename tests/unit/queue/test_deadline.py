"""The limit on the time of a job."""

import threading
import time

import pytest

from connector.core import sql
from connector.exception import JobStoppedError, JobTimeoutError
from queue_worker.deadline import Deadline, current, watch_current


def test_python_code_is_interrupted():
    """
    A block that takes too long raises, soon after its time.
    """
    began = time.monotonic()

    with pytest.raises(JobTimeoutError), Deadline(0.1, lambda: None).armed():
        time.sleep(5)

    assert time.monotonic() - began < 4


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


@pytest.mark.parametrize("seconds", [0, 60])
def test_a_stopped_block_ends_at_once(seconds):
    """
    A stop from another thread raises into the block and cancels its statement, whatever its limit.
    """
    cancelled = []
    deadline = Deadline(seconds, lambda: cancelled.append(True))
    with pytest.raises(JobStoppedError), deadline.armed():
        threading.Timer(0.1, deadline.stop).start()
        try:
            time.sleep(5)
        finally:
            watch_current()

    assert cancelled


def test_a_stop_waits_for_a_commit():
    """
    A part that may not be interrupted comes to its end before the stop takes effect.
    """
    ended = []
    deadline = Deadline(60, lambda: None)
    with pytest.raises(JobStoppedError), deadline.armed(), deadline.lifted():
        deadline.stop()
        ended.append(True)

    assert ended


def test_a_stop_after_the_end_does_nothing():
    """
    A stop that comes too late hurts neither the process nor its next block.
    """
    ended = []
    deadline = Deadline(60, lambda: None)
    with deadline.armed():
        pass
    deadline.stop()

    with Deadline(60, lambda: None).armed():
        time.sleep(0.01)
        ended.append(True)

    assert ended


def test_a_cancel_that_fails_does_no_harm():
    """
    The watchdog goes on where the statement cannot be cancelled, the server being away.
    """

    def cancel() -> None:
        raise sql.errors.OperationalError("the server is away")

    deadline = Deadline(60, cancel)
    with deadline.armed():
        deadline._end = time.monotonic() - 1
        watch_current()


def test_a_cancel_on_its_way_meets_no_other_statement():
    """
    The block does not end before a cancel that has begun is through.
    """
    begun, told = threading.Event(), []

    def cancel() -> None:
        begun.set()
        time.sleep(0.2)
        told.append("cancelled")

    deadline = Deadline(60, cancel)
    with deadline.armed():
        deadline._end = time.monotonic() - 1
        watchdog = threading.Thread(target=watch_current)
        watchdog.start()
        begun.wait(5)
    told.append("ended")
    watchdog.join()

    assert told == ["cancelled", "ended"]


def test_an_alarm_at_the_end_of_the_block_leaves_nothing_armed(monkeypatch):
    """
    Where the time is over on the very way out, the block raises, and nobody is watched any more.
    """
    deadline = Deadline(60, lambda: None)

    def strike() -> None:
        raise deadline.error()

    with pytest.raises(JobTimeoutError), deadline.armed():
        monkeypatch.setattr(deadline, "_disarm", strike)

    assert current() is None
    assert not deadline._armed
