"""Watches the queue during a storm: who is taken up when, and whether seats are kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

from benchmarks.storm_faults import Victim
from benchmarks.storm_field import SEATS, Field

POLL_SECONDS = 0.2
_TAKEN_UP = """
SELECT hit.uuid, hit.attempt
  FROM unnest(%s::text[], %s::int[]) AS hit (uuid, attempt) JOIN queue_job AS job USING (uuid)
 WHERE job.attempt > hit.attempt OR job.state IN ('done', 'failed')
"""
_SEATED = """
SELECT channel, count(*) FROM queue_job
 WHERE state IN ('enqueued', 'started') AND channel = ANY(%s) GROUP BY channel
"""


class Watch:
    """A thread that looks a few times a second, until `end`."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._open: dict[Victim, float] = {}
        self._killed_by: dict[Victim, str] = {}
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="watch")
        #: seconds from its death to the next start of each killed job
        self.taken_up: dict[Victim, float] = {}
        #: the most jobs seen enqueued or started in each channel that has seats
        self.most_seated = dict.fromkeys(SEATS, 0)
        self._thread.start()

    def expect(self, victims: Iterable[Victim], fault: str) -> None:
        """These starts were killed now, by that fault."""
        with self._lock:
            for victim in victims:
                self._open.setdefault(victim, time.monotonic())
                self._killed_by.setdefault(victim, fault)

    def slowest(self) -> dict[str, float]:
        """For each fault that has killed jobs, the longest time until one was started again."""
        found: dict[str, float] = {}
        for victim, seconds in sorted({**self.taken_up, **self.left}.items()):
            fault = self._killed_by[victim]
            found[fault] = round(max(seconds, found.get(fault, 0)), 2)
        return found

    @property
    def left(self) -> dict[Victim, float]:
        """The killed jobs that nobody has started again, with the seconds since their death."""
        with self._lock:
            return {victim: time.monotonic() - since for victim, since in self._open.items()}

    def end(self) -> None:
        self._ending.set()
        self._thread.join()

    def _look_on(self) -> None:
        while not self._ending.wait(POLL_SECONDS):
            for channel, number in self._field.ask(_SEATED, list(SEATS)):
                self.most_seated[channel] = max(self.most_seated[channel], number)
            waiting = self.left
            uuids, attempts = [uuid for uuid, _ in waiting], [attempt for _, attempt in waiting]
            for uuid, attempt in self._field.ask(_TAKEN_UP, uuids, attempts):
                with self._lock:
                    since = self._open.pop((uuid, attempt))
                self.taken_up[uuid, attempt] = time.monotonic() - since
