"""
The end of a job that takes too long.

Three things end it, each where the one before cannot: an alarm interrupts Python code, the
watchdog cancels a statement that PostgreSQL is still working on, and ends the process when
even that does not help.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from connector.exception import JobTimeoutError

logger = logging.getLogger(__name__)

#: After this time beyond the end the process goes: neither alarm nor cancel reached the job.
HOPELESS_SECONDS = 30


class Deadline:
    """
    Limits a block of work to *seconds*, 0 is no limit; *cancel* interrupts its statement.

    It works in the main thread, where Python delivers signals; elsewhere only `watch` acts.
    """

    def __init__(self, seconds: float, cancel: Callable[[], None]) -> None:
        self.seconds = seconds
        self._cancel = cancel
        self._end = 0.0
        self._armed = False

    @property
    def passed(self) -> bool:
        return self.seconds > 0 and self._end > 0 and time.monotonic() >= self._end

    @contextmanager
    def armed(self) -> Iterator[None]:
        """
        Limit the block, with a full measure of time.

        Raises:
            JobTimeoutError: in the block, when the time is over.
        """
        global _current
        alarm = threading.current_thread() is threading.main_thread()
        if alarm:
            signal.signal(signal.SIGALRM, self._ring)
        _current = self
        self.renew()
        try:
            yield
        finally:
            self._disarm()
            _current = None
            if alarm:
                signal.signal(signal.SIGALRM, signal.SIG_DFL)

    def renew(self) -> None:
        """Give the block its full time again."""
        self._end = time.monotonic() + self.seconds
        self._armed = True
        self._set_alarm(self.seconds)

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """
        Let a commit or a clean-up come to its end, then go on with a full measure of time.

        A flag and not a blocked signal: with several threads the kernel gives the signal to
        another one, and Python runs the handler in the main thread all the same.
        """
        self._disarm()
        try:
            yield
        finally:
            self.renew()

    def watch(self) -> None:
        """Look from another thread, about once a second, whether the job is stuck."""
        if not self._armed or not self.passed:
            return
        if time.monotonic() > self._end + HOPELESS_SECONDS:
            logger.critical("A job cannot be interrupted; its process ends")
            os._exit(70)
        self._cancel()

    def _disarm(self) -> None:
        self._armed = False
        self._set_alarm(0)

    def _set_alarm(self, seconds: float) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.setitimer(signal.ITIMER_REAL, seconds)

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        if self._armed:
            raise JobTimeoutError(f"The job takes longer than {self.seconds:g} seconds.")


_current: Deadline | None = None


def watch_current() -> None:
    """Watch the job that this process runs, if any."""
    deadline = _current
    if deadline is not None:
        deadline.watch()
