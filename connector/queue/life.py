"""
What becomes of a job, kept on the job object: state, tries, dates, result.

The names of 8.0.  Only the object changes; `OpenERPJobStorage.store` writes what a person may
change.  Dispatcher and workers change rows themselves, fenced (see `transitions`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from connector.queue.clock import Eta, eta_time, utc_now
from connector.queue.retry import RetryPattern, chance, retry_seconds
from connector.queue.state import State

CANCELLED_NOTE = "Canceled. Nothing to do."


class JobLife:
    """The changing half of a job."""

    #: See `Job`, which knows its function.
    retry_pattern: RetryPattern | None

    def __init__(self) -> None:
        self.state = State.PENDING
        #: Tries begun; a requeue sets it back.
        self.retry = 0
        #: Starts ever; never goes back, so it tells one start from all others.
        self.attempt = 0
        self._eta: datetime | None = None
        self.date_created = utc_now()
        self.date_enqueued: datetime | None = None
        self.date_started: datetime | None = None
        self.date_done: datetime | None = None
        self.result: Any = None
        self.exc_info: str | None = None
        #: Host and process that run it, or ran it last.
        self.worker_uuid: str | None = None

    @property
    def eta(self) -> datetime | None:
        """The moment before which the job does not start."""
        return self._eta

    @eta.setter
    def eta(self, eta: Eta) -> None:
        self._eta = eta_time(eta)

    @property
    def canceled(self) -> bool:
        return self.state == State.CANCELLED

    def set_pending(self, result: Any = None, reset_retry: bool = True) -> None:
        """Let the job wait again, by default with all its tries."""
        self.state = State.PENDING
        self.date_enqueued = self.date_started = self.date_done = None
        self.worker_uuid = None
        if reset_retry:
            self.retry = 0
        if result is not None:
            self.result = result

    def set_enqueued(self, worker: Any = None) -> None:
        """Note that the job was handed over."""
        self.state = State.ENQUEUED
        self.date_enqueued = utc_now()
        self.date_started = None
        self.worker_uuid = getattr(worker, "uuid", worker)

    def set_started(self) -> None:
        """Note that a worker has begun."""
        self.state = State.STARTED
        self.date_started = utc_now()

    def set_done(self, result: Any = None) -> None:
        """Note that the work is done; an error of before is forgotten."""
        self.state = State.DONE
        self.exc_info = None
        self.date_done = utc_now()
        if result is not None:
            self.result = result

    def set_failed(self, exc_info: str | None = None) -> None:
        """Note that a person is needed."""
        self.state = State.FAILED
        if exc_info is not None:
            self.exc_info = exc_info

    def cancel(self, msg: str | None = None) -> None:
        """Note that the job will not run."""
        self.state = State.CANCELLED
        self.date_done = utc_now()
        self.result = msg or CANCELLED_NOTE

    def postpone(self, result: Any = None, seconds: float | None = None) -> None:
        """Let the job come later: after *seconds*, else as its retry pattern says."""
        self.eta = timedelta(seconds=self._get_retry_seconds(seconds))
        self.exc_info = None
        if result is not None:
            self.result = result

    def _get_retry_seconds(self, seconds: float | None = None) -> float:
        if seconds:
            return seconds
        return retry_seconds(None, self.retry_pattern, self.retry, chance=chance)
