"""
A budget of calls per second that all workers share, such as an API's limit for one account.

It is a bucket of tokens in Redis, by the server's clock: each call takes one, and they come back
at the rate given.  A call that finds none takes one of the next and waits for it.

While Redis is away each process spends its share from a bucket of its own: the rate divided by
the number of workers seen last, beginning with none, so that all together stay below the rate.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from connector import config
from connector.exception import ConfigurationError, JobDefinitionError, RateLimitError
from connector.queue import broker
from connector.queue.broker import BrokerDownError

logger = logging.getLogger(__name__)

#: A wait up to this is slept through; for a longer one the job comes back.
LONGEST_WAIT_SECONDS = 5.0
#: After Redis was away, this long nobody asks it again.
RETRY_SECONDS = 5.0


class LocalBucket:
    """The tokens of one process; it begins empty."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tokens = 0.0
        self._filled = clock()
        self._lock = threading.Lock()

    def take(self, per_second: float, burst: float, longest_wait: float) -> tuple[bool, float]:
        """Take a token; whether it was taken, and the seconds until it is there."""
        with self._lock:
            now = self._clock()
            grown = (now - self._filled) * per_second
            self._tokens, self._filled = min(burst, self._tokens + grown), now
            wait = max(0.0, (1 - self._tokens) / per_second)
            if wait > longest_wait:
                return False, wait
            self._tokens -= 1
            return True, wait


class RateBudget:
    """
    At most *burst* calls at once and *per_second* on the average, of all that name this *key*.

    Raises:
        JobDefinitionError: a rate that is not above zero, or a burst below one.
    """

    def __init__(self, key: str, per_second: float, burst: int = 1) -> None:
        if per_second <= 0 or burst < 1:
            raise JobDefinitionError(
                f"The budget {key!r} needs a rate above 0 and a burst of 1 or more, not "
                f"{per_second!r} and {burst!r}."
            )
        self.key = key
        self.per_second = per_second
        self.burst = burst

    def take(self, longest_wait: float = LONGEST_WAIT_SECONDS) -> float:
        """
        Wait for the turn of one call; give the seconds waited.

        Raises:
            RateLimitError: the turn would come only after *longest_wait*; nothing is spent, and
                the job comes back then, without a try being counted.
        """
        taken, wait = self._take(longest_wait)
        if not taken:
            raise RateLimitError(
                f"The budget {self.key!r} of {self.per_second:g} calls a second is spent for "
                f"{wait:.1f} seconds.",
                seconds=wait,
                ignore_retry=True,
            )
        if wait:
            time.sleep(wait)
        return wait

    def _take(self, longest_wait: float) -> tuple[bool, float]:
        if time.monotonic() >= _away.until:
            try:
                answer = broker.current().take_token(
                    self.key, self.per_second, self.burst, longest_wait
                )
                _away.workers = max(1, answer.workers)
                return answer.taken, answer.wait
            except (BrokerDownError, ConfigurationError) as error:
                _away.until = time.monotonic() + RETRY_SECONDS
                logger.warning("The budget %r is shared out without Redis: %s", self.key, error)
        share = self.per_second / (_away.workers or max(1, config.current().workers))
        bucket = _buckets.setdefault(self.key, LocalBucket())
        return bucket.take(share, 1, longest_wait)


class _Away:
    """What a process knows while Redis is away."""

    until = 0.0
    #: live workers, when Redis answered last
    workers = 0


_away = _Away()
_buckets: dict[str, LocalBucket] = {}
