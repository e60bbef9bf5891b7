"""When a job that could not finish is tried again."""

import math
import random
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from connector.exception import JobDefinitionError

#: Tries of a job that does not say otherwise; 0 means without end.
DEFAULT_MAX_RETRIES = 5
#: Wait of a job whose error and whose function name none.
RETRY_INTERVAL_SECONDS = 600
#: Runs of one try that conflicts with other transactions.
CONFLICT_RUNS = 5
#: Wait of a job that conflicts in every run of a try.
CONFLICT_RETRY_SECONDS = 5
#: First wait between two runs; it doubles with each.
CONFLICT_WAIT_SECONDS = 0.05
#: Share of a wait that is added at random, so that jobs refused together come back apart.
JITTER = 0.25
#: No job waits longer, so that every wait ends at a date: ten years.
LONGEST_WAIT_SECONDS = 10 * 366 * 24 * 3600

#: Spreads waits; it guards nothing.
chance = random.Random()  # noqa: S311

#: A number of seconds, or the bounds of a random one.
Seconds: TypeAlias = float | Sequence[float]
#: From the number of a try on: the wait after it.
RetryPattern: TypeAlias = Mapping[int, Seconds]


def check_pattern(pattern: RetryPattern | None) -> None:
    """
    Refuse a retry pattern that could not be followed.

    Raises:
        JobDefinitionError: a key is no positive number, or a value is neither seconds nor
            a pair of bounds.
    """
    for tries, wait in (pattern or {}).items():
        if not isinstance(tries, int) or tries < 1:
            raise JobDefinitionError(f"A retry pattern counts tries from 1; {tries!r} is none.")
        bounds = wait if isinstance(wait, list | tuple) else (wait, wait)
        is_known = len(bounds) == 2 and all(isinstance(each, int | float) for each in bounds)
        if not is_known or not 0 <= bounds[0] <= bounds[1] <= LONGEST_WAIT_SECONDS:
            raise JobDefinitionError(
                f"A retry pattern waits seconds, or between two bounds, at most ten years; "
                f"{wait!r} is neither."
            )


def retry_seconds(
    asked: float | None, pattern: RetryPattern | None, tries: int, *, chance: random.Random
) -> float:
    """
    The wait before the next try, after *tries* tries.

    What the error asks for wins (zero, and what is no number, counts as not asked); it is
    lengthened by a random share, and shortened to ten years alone.  Then comes the pattern's
    entry with the largest key that is not above *tries*, then `RETRY_INTERVAL_SECONDS`.
    """
    if seconds := _bounded(asked):
        return with_jitter(seconds, chance)
    reached = [key for key in pattern or {} if key <= tries]
    if not pattern or not reached:
        return RETRY_INTERVAL_SECONDS
    wait = pattern[max(reached)]
    return chance.uniform(*wait) if isinstance(wait, Sequence) else float(wait)


def _bounded(asked: float | None) -> float:
    try:
        seconds = float(asked or 0)
    except (TypeError, ValueError, OverflowError):
        return 0
    return 0 if math.isnan(seconds) else min(seconds, LONGEST_WAIT_SECONDS)


def with_jitter(seconds: float, chance: random.Random) -> float:
    """Lengthen a wait by a random share of it."""
    return seconds * chance.uniform(1, 1 + JITTER)


def conflict_wait(run: int, chance: random.Random) -> float:
    """The wait after the *run*-th run (from 0) that met a conflict."""
    return chance.uniform(0, CONFLICT_WAIT_SECONDS * 2**run)
