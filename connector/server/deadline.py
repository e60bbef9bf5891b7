"""The time limit of one call: either it is cut off and changes nothing, or it commits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from connector.core.sql import Cursor
from connector.server.errors import CallTimeoutError


class Deadline:
    """
    Shared by the thread that works and the loop that waits for it.

    Expiry and commit exclude each other: a caller who is told that time ran out can rely on it
    that nothing was changed.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        self._lock = Lock()
        self._cursor: Cursor | None = None
        self._is_expired = False
        self._is_committing = False

    def expire(self) -> bool:
        """Cut the work off, unless it commits already; says whether it is cut off."""
        with self._lock:
            if self._is_committing:
                return False
            self._is_expired = True
            if self._cursor is not None:
                self._cursor.cancel()
            return True

    @contextmanager
    def watching(self, cr: Cursor) -> Iterator[None]:
        """In the block, expiry also cancels the statement that *cr* is at."""
        with self._lock:
            self._refuse_if_over()
            self._cursor = cr
        try:
            yield
        finally:
            with self._lock:
                self._cursor = None

    def begin_commit(self) -> None:
        """
        From here on the work is done to its end.

        Raises:
            CallTimeoutError: it is too late.
        """
        with self._lock:
            self._refuse_if_over()
            self._is_committing = True

    def check(self) -> None:
        """Raise CallTimeoutError when time has run out."""
        with self._lock:
            self._refuse_if_over()

    def begin_again(self) -> None:
        """The commit failed, and the work is tried once more: it may expire again."""
        with self._lock:
            self._is_committing = False
            self._refuse_if_over()

    def _refuse_if_over(self) -> None:
        if self._is_expired or time.monotonic() > self._end:
            raise self.error()

    def error(self) -> CallTimeoutError:
        return CallTimeoutError(
            f"The call took longer than {self.seconds:g} seconds and was cut off; it changed "
            "nothing. Ask for less at once, or let the server allow more time."
        )
