"""The places for child processes that the supervisor keeps filled."""

import signal
import time
from collections.abc import Iterator

import pytest

from queue_worker.supervisor import Slot


@pytest.fixture
def deaf() -> Iterator[None]:
    """Handlers like the supervisor's, which a child must not keep."""
    before = {
        number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_child_hears_a_signal_from_its_first_moment(deaf: None) -> None:
    """
    A stop that comes right after a child was started ends it, and is not lost.
    """
    for _ in range(10):
        slot = Slot("sleeper", lambda: time.sleep(20))
        slot.keep_filled()
        slot.signal(signal.SIGTERM)
        assert slot.process is not None
        slot.process.join(5)
        assert slot.process.exitcode == -signal.SIGTERM


def test_the_supervisor_keeps_its_own_handlers(deaf: None) -> None:
    """
    Starting a child leaves the handlers and the signal mask of the parent as they were.
    """
    handler, mask = signal.getsignal(signal.SIGTERM), signal.pthread_sigmask(signal.SIG_BLOCK, [])
    slot = Slot("short", lambda: None)
    slot.keep_filled()
    assert slot.process is not None
    slot.process.join(5)

    assert signal.getsignal(signal.SIGTERM) is handler
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == mask
