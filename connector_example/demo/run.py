"""The jobs of one run, from the first one enqueued to the last one done."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connector.core import sql
from connector.exception import ConnectorException
from connector.queue import by_hand
from connector.session import ConnectorSession
from connector_example.demo.counts import Counts
from connector_example.demo.kinds import MODELS
from connector_example.importer import import_shop

TABLES = {model: table for table, model in MODELS.items()}
ENDED = ("done", "failed", "cancelled")
POLL_SECONDS = 0.1

#: Longer than a job of a killed worker waits for another one, and than any pause of the shop.
STALLED_SECONDS = 90

LAST_JOB = "SELECT coalesce(max(id), 0) FROM queue_job"

LEFT_OVER = """
    SELECT uuid FROM queue_job
    WHERE state NOT IN %(ended)s AND func_name LIKE 'connector.unit.batch.%%'
"""

#: The jobs of this run, and those that an interrupted one left behind.
JOBS = """
    SELECT id > %(before)s AS is_new, uuid, name, state, func_name, model_name, attempt, result,
        exc_message, CASE WHEN func_name LIKE '%%.import_chunk'
            THEN jsonb_array_length(args -> 2) ELSE 1 END AS records
    FROM queue_job
    WHERE id > %(before)s OR state NOT IN %(ended)s
"""


@dataclass(frozen=True)
class Snapshot:
    """Where the run stands."""

    counts: Mapping[str, Counts]  #: per table of the shop
    failures: list[str]  #: jobs that wait for a person, each with its reason
    waiting: int  #: jobs that have not ended
    is_over: bool  #: nothing runs any more, and nothing will

    def done(self, totals: Mapping[str, int]) -> dict[str, int]:
        """Records done per table; a record needed early is met twice before the run is over."""
        return {table: min(counts.done, totals[table]) for table, counts in self.counts.items()}

    def share_done(self, totals: Mapping[str, int]) -> float:
        return sum(self.done(totals).values()) / sum(totals.values())


class JobRun:
    """
    The jobs that one run of the demo makes in its database.

    A job's result is committed with its effect, so the sum of the results is exact: a job that
    was killed and started again counts once.
    """

    def __init__(self, database: str) -> None:
        self._database = sql.connect(database)
        self._before = 0
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._start

    def begin(self, session: ConnectorSession, backend_id: int) -> int:
        """
        Enqueue the import of everything.

        It does what an interrupted run has left undone, too; returns how many of its jobs are
        cancelled for that.
        """
        session.cr.execute(LEFT_OVER, {"ended": ENDED})
        left_over = [uuid for (uuid,) in session.cr.fetchall()]
        cancelled = by_hand.cancel(session.cr, left_over, "A new run of the demo does it.")
        session.cr.execute(LAST_JOB)
        (self._before,) = session.cr.fetchone()
        self._start = time.monotonic()
        import_shop(session, backend_id)
        return len(cancelled)

    def watch(self) -> Iterator[Snapshot]:
        """
        Where the run stands, again and again until it is over.

        Raises:
            ConnectorException: nothing has moved for a long time.
        """
        moved, last = time.monotonic(), None
        while True:
            snapshot = self.snapshot()
            yield snapshot
            if snapshot.is_over:
                return
            now = time.monotonic()
            moved, last = (moved, last) if snapshot == last else (now, snapshot)
            if now - moved > STALLED_SECONDS:
                raise ConnectorException(
                    f"{snapshot.waiting} jobs wait and none has ended for {STALLED_SECONDS} s. "
                    "Nothing is lost: run the demo again to go on."
                )
            time.sleep(POLL_SECONDS)

    def snapshot(self) -> Snapshot:
        with self._database.cursor(sql.READ_COMMITTED) as cr:
            cr.execute(JOBS, {"before": self._before, "ended": ENDED})
            jobs = cr.dictfetchall()
        mine = [job for job in jobs if job["is_new"]]
        failures = [f"{job['name']}: {job['exc_message']}" for job in mine if _has_failed(job)]
        states = Counter(job["state"] for job in jobs)
        blocked = states["wait_dependencies"]
        waiting = sum(number for state, number in states.items() if state not in ENDED)
        # What a failed job holds up waits for a person, as that job does.
        is_over = waiting == (blocked if failures else 0)
        counts = _counted(mine)
        if is_over:
            counts = {table: found.settled() for table, found in counts.items()}
        return Snapshot(counts, failures, waiting, is_over)


def _has_failed(job: dict[str, Any]) -> bool:
    return bool(job["state"] == "failed")


def _counted(jobs: list[dict[str, Any]]) -> dict[str, Counts]:
    counts = {table: Counts() for table in MODELS}
    for job in jobs:
        for table, found in _counts_of(job):
            counts[table] += found
    return counts


def _counts_of(job: dict[str, Any]) -> Iterator[tuple[str, Counts]]:
    table = TABLES[job["model_name"]]
    yield table, Counts(retried=max(0, job["attempt"] - 1))
    if _has_failed(job) and not job["func_name"].endswith(".import_batch"):
        yield table, Counts(failed=job["records"])
    if job["state"] == "done":
        yield from _counts_in(table, json.loads(job["result"]))


def _counts_in(table: str, result: dict[str, Any]) -> Iterator[tuple[str, Counts]]:
    yield table, Counts(read=result.get("read", 0))
    for model, outcomes in result.get("counts", {}).items():
        yield TABLES[model], Counts.of(outcomes)
        if TABLES[model] == "invoice_lines":
            # Lines are read with their invoices, never by a page of their own.
            yield "invoice_lines", Counts(read=sum(outcomes.values()))
