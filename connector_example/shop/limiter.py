"""How many requests the shop takes: a bucket of tokens for each caller."""

import math
import time
from collections.abc import Callable


class RateLimiter:
    """*rate* requests a second in the long run, *burst* of them at once."""

    def __init__(
        self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def seconds_to_wait(self, caller: str) -> int:
        """Zero takes a token; else whole seconds, as Retry-After wants them."""
        now = self._clock()
        tokens, seen = self._buckets.get(caller, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - seen) * self._rate)
        allowed = tokens >= 1
        self._buckets[caller] = (tokens - 1 if allowed else tokens, now)
        return 0 if allowed else math.ceil((1 - tokens) / self._rate)
