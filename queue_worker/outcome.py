"""
What becomes of a job whose function raised: a decision without effect.

    connection lost            Lost        nothing is written; the sweep finds the free lock
    other transactions         Rerun       in place, a few times; then Postponed
    RetryableJobError          Postponed   or Failed, when its tries are used up
    NothingToDoJob             Finished    with the message as result
    the process stops          Postponed   the try is given back
    anything else              Failed      waits for a person
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from connector.core import sql
from connector.exception import NothingToDoJob, RetryableJobError
from connector.queue.call import Job
from connector.queue.codec import printable
from connector.queue.retry import (
    CONFLICT_RETRY_SECONDS,
    CONFLICT_RUNS,
    chance,
    retry_seconds,
    with_jitter,
)


class WorkerStops(SystemExit):
    """The worker is to stop at once; a `SystemExit` of the job's own is its failure."""


@dataclass(frozen=True)
class Lost:
    """The connection is gone, and with it the knowledge of what was committed."""


@dataclass(frozen=True)
class Rerun:
    """Run again at once, in a new transaction under the same job lock."""


@dataclass(frozen=True)
class Finished:
    result: str


@dataclass(frozen=True)
class Postponed:
    seconds: float
    note: str
    exc_name: str
    #: the try counts
    spent: bool


@dataclass(frozen=True)
class Failed:
    exc_name: str
    message: str
    exc_info: str


Outcome: TypeAlias = Lost | Rerun | Finished | Postponed | Failed


def decide(
    error: BaseException,
    job: Job,
    *,
    runs: int,
    is_lost: bool,
    is_race: Callable[[BaseException], bool],
) -> Outcome:
    """
    The outcome of a job that raised *error* in its *runs*-th run.

    *is_lost* says that its connection is closed; *is_race* whether a unique violation means
    that another transaction made the same record first.
    """
    causes = list(_causes(error))
    if is_lost or any(sql.errors.is_connection_lost(cause) for cause in causes):
        return Lost()
    if isinstance(error, RetryableJobError):
        return _retry(error, job)
    if any(sql.errors.is_conflict(cause) or is_race(cause) for cause in causes):
        return _conflict(error, job, runs)
    if isinstance(error, NothingToDoJob):
        return Finished(_said(error) or "Nothing to do.")
    if isinstance(error, WorkerStops | KeyboardInterrupt):
        return Postponed(0, "Given back: the worker stops.", "WorkerStops", spent=False)
    return _failure(error)


def _retry(error: RetryableJobError, job: Job) -> Outcome:
    if not error.ignore_retry and _used_up(job):
        return _failure(error, f"Max. retries ({job.max_retries}) reached: {_said(error)}")
    seconds = retry_seconds(error.seconds, job.retry_pattern, job.retry, chance=chance)
    return Postponed(seconds, _said(error), _name(error), spent=not error.ignore_retry)


def _conflict(error: BaseException, job: Job, runs: int) -> Outcome:
    if runs < CONFLICT_RUNS:
        return Rerun()
    if _used_up(job):
        return _failure(error, f"Max. retries ({job.max_retries}) reached: {_said(error)}")
    wait = with_jitter(CONFLICT_RETRY_SECONDS, chance)
    return Postponed(wait, _said(error), _name(error), spent=True)


def _used_up(job: Job) -> bool:
    return job.max_retries > 0 and job.retry >= job.max_retries


def _failure(error: BaseException, message: str | None = None) -> Failed:
    trace = printable("".join(traceback.format_exception(error)))
    return Failed(_name(error), message or _said(error), trace)


def _said(error: BaseException) -> str:
    """What an error says; a class of an author may not be able to."""
    try:
        return printable(str(error))
    except Exception:
        return f"An error of the class {_name(error)}, which has no text."


def _name(error: BaseException) -> str:
    kind = type(error)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was raised from; an error that hides its cause hides it here too."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
