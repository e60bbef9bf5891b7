"""
The end of a job that takes too long, or that a person stops.

Four things end it, each where the one before cannot: an alarm interrupts Python code, the
watchdog cancels a statement that PostgreSQL is still working on, and ends the process when
even that does not help.  C code that holds the interpreter lets none of them run: a timer of the
process, which the watchdog winds up again and again, ends it then.
"""

from __future__ import annotations

import faulthandler
import logging
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from connector.core import sql
from connector.exception import ConnectorException, JobStoppedError, JobTimeoutError

logger = logging.getLogger(__name__)

#: After this time beyond the end the process goes: neither alarm nor cancel reached the job.
HOPELESS_SECONDS = 30
STANDARD_ERROR = 2


class Deadline:
    """
    Limits a block of work to *seconds*, 0 is no limit; *cancel* interrupts its statement.

    It works in the main thread, where Python delivers signals; elsewhere only `watch` acts.
    """

    def __init__(self, seconds: float, cancel: Callable[[], None]) -> None:
        self.seconds = seconds
        self._cancel = cancel
        self._end = math.inf
        self._armed = False
        self._is_stopped = False
        self._cancelling = threading.Lock()

    @property
    def passed(self) -> bool:
        """Whether the job is to end now."""
        return time.monotonic() >= self._end

    def error(self) -> ConnectorException:
        """Why the job ends."""
        if self._is_stopped:
            return JobStoppedError("The job was stopped by a person.")
        return JobTimeoutError(f"The job takes longer than {self.seconds:g} seconds.")

    @contextmanager
    def armed(self) -> Iterator[None]:
        """
        Limit the block, with a full measure of time.

        Raises:
            JobTimeoutError: in the block, when the time is over.
            JobStoppedError: in the block, when a person stops the job.
        """
        global _current
        if threading.current_thread() is threading.main_thread():
            # It stays afterwards: with the default a stop that comes late would end the process.
            signal.signal(signal.SIGALRM, _ring)
        _current = self
        self.renew()
        try:
            yield
        finally:
            try:
                self._disarm()
            finally:  # the alarm may strike on the way there
                self._armed = False
                _current = None

    def renew(self) -> None:
        """Give the block its full time again."""
        self._end = time.monotonic() + self.seconds if self.seconds else math.inf
        self._armed = True
        self._set_alarm(self.seconds)
        if self._is_stopped:
            self._end = time.monotonic()
            raise self.error()

    def stop(self) -> None:
        """
        End the block, from any thread: now, or when a part that may not be interrupted is over.

        A statement of PostgreSQL in progress is cancelled by `watch`.
        """
        self._is_stopped = True
        if self._armed:
            self._end = time.monotonic()
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)

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
        with self._cancelling:
            if self._armed:
                self._cancel_statement()

    def _cancel_statement(self) -> None:
        try:
            self._cancel()
        except sql.errors.Error as error:
            logger.debug("The statement of a job could not be cancelled: %s", error)

    def _disarm(self) -> None:
        self._armed = False
        self._set_alarm(0)
        with self._cancelling:
            pass  # a cancel that is on its way must not meet the statement of another job

    def _set_alarm(self, seconds: float) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.setitimer(signal.ITIMER_REAL, seconds)

    def ring(self) -> None:
        """End the block here and now, unless it may not be interrupted."""
        if self._armed:
            raise self.error()


_current: Deadline | None = None


def _ring(_number: int, _frame: FrameType | None) -> None:
    if _current is not None:
        _current.ring()


def watch_current() -> None:
    """Watch the job that this process runs, if any."""
    deadline = _current
    if deadline is not None:
        deadline.watch()


def current() -> Deadline | None:
    """The limit of the job that this process runs, if any."""
    return _current


def wind_up(seconds: float) -> None:
    """
    End the process, with a traceback, unless this is called again in time; 0 is no limit.

    *seconds* are those of a job: the interpreter is held for longer only by one that is over.
    """
    if seconds:
        limit = seconds + HOPELESS_SECONDS
        faulthandler.dump_traceback_later(limit, file=STANDARD_ERROR, exit=True)


def stop_timer() -> None:
    """Let the process live without winding up."""
    faulthandler.cancel_dump_traceback_later()


# A child would wait for the timer's thread, which it has not, as soon as it winds up or ends.
os.register_at_fork(before=stop_timer)
