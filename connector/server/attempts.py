"""Slows down who guesses passwords: after some wrong ones each next one has to wait longer."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from connector.core.exceptions import AccessDenied
from connector.server.errors import TooManyAttemptsError

FREE_ATTEMPTS = 5
LONGEST_WAIT_SECONDS = 60.0
#: Without an attempt for so long, the ones before are forgotten.
FORGOTTEN_AFTER_SECONDS = 900.0
#: Guessers with many names must not fill the memory; the oldest are forgotten first.
MOST_KEYS = 10_000


@dataclass
class _Tries:
    failures: int = 0
    last: float = 0.0


class Attempts:
    """
    Counts wrong passwords by who tries them: user and address, or address alone.

    The caller is refused at once instead of being kept waiting, so that guessing holds no thread.
    """

    def __init__(
        self, free: int = FREE_ATTEMPTS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._free = free
        self._clock = clock
        self._tries: OrderedDict[Hashable, _Tries] = OrderedDict()
        self._lock = Lock()

    @contextmanager
    def attempt(self, key: Hashable) -> Iterator[None]:
        """
        The block checks a password; it raises when the password is wrong.

        The attempt counts from its beginning, so that many at once win nothing. Only AccessDenied
        says that it failed: another error says nothing of the password.

        Raises:
            TooManyAttemptsError: the block is not entered.
        """
        self._begin(key)
        try:
            yield
        except AccessDenied:
            raise
        except BaseException:
            self._take_back(key)
            raise
        else:
            with self._lock:
                self._tries.pop(key, None)

    def _take_back(self, key: Hashable) -> None:
        with self._lock:
            if key in self._tries:
                self._tries[key].failures -= 1

    def _begin(self, key: Hashable) -> None:
        now = self._clock()
        with self._lock:
            tries = self._tries.setdefault(key, _Tries())
            self._tries.move_to_end(key)
            if now - tries.last > FORGOTTEN_AFTER_SECONDS:
                tries.failures = 0
            left = tries.last + self._wait_after(tries.failures) - now
            if left > 0:
                raise TooManyAttemptsError(left)
            tries.failures += 1
            tries.last = now
            while len(self._tries) > MOST_KEYS:
                self._tries.popitem(last=False)

    def _wait_after(self, failures: int) -> float:
        beyond = failures - self._free
        return min(LONGEST_WAIT_SECONDS, 2.0 ** min(beyond, 10)) if beyond >= 0 else 0.0
