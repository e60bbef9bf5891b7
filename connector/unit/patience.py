"""Waiting in place for a short pause that the backend asks for in the middle of some work."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from connector.exception import RateLimitError

T = TypeVar("T")

#: What a pause takes where the backend does not say how long.
PAUSE_SECONDS = 1.0
#: A task waits so long in all; then its job comes back, and begins anew.
PATIENCE_SECONDS = 60.0


@dataclass
class Patience:
    """
    How long a task may still wait.

    A record with more dependencies than the backend answers at once would never be imported if
    each pause gave up what was read before it.
    """

    seconds: float = PATIENCE_SECONDS

    def read(self, reading: Callable[[], T]) -> T:
        """
        Read, again after each pause that the backend asks for.

        Raises:
            RateLimitError: the patience is at its end.
        """
        while True:
            try:
                return reading()
            except RateLimitError as pause:
                seconds = pause.seconds or PAUSE_SECONDS
                if seconds > self.seconds:
                    raise
                self.seconds -= seconds
                time.sleep(seconds)
