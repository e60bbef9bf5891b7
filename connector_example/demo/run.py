"""The jobs of one run, from the first one enqueued to the last one done."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connector.core import sql
from connector.exception import ConnectorException
from connector.session import ConnectorSession
from connector.unit.batch import import_batch
from connector_example.demo.counts import Counts
from connector_example.demo.kinds import BATCHES, MODELS

TABLES = {model: table for table, model in MODELS.items()}
ENDED = ("done", "failed", "cancelled")
POLL_SECONDS = 0.1

#: Longer than a job of a killed worker waits for another one, and than any pause of the shop.
STALLED_SECONDS = 90

LAST_JOB = "SELECT coalesce(max(id), 0) FROM queue_job"

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

    def begin(self, session: ConnectorSession, backend_id: int) -> None:
        """Enqueue one batch per kind, dependencies first."""
        session.cr.execute(LAST_JOB)
        (self._before,) = session.cr.fetchone()
        self._start = time.monotonic()
        for model in BATCHES:
            # Listings come before imports: while the shop asks for a pause, there is work.
            import_batch.delay(session, model, backend_id, priority=0)

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
            if not snapshot.waiting:
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
        waiting = sum(job["state"] not in ENDED for job in jobs)
        counts = _counted(mine)
        if not waiting:
            counts = {table: found.settled() for table, found in counts.items()}
        failures = [f"{job['name']}: {job['exc_message']}" for job in _failed(mine)]
        return Snapshot(counts, failures, waiting)


def _failed(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [job for job in jobs if job["state"] == "failed"]


def _counted(jobs: list[dict[str, Any]]) -> dict[str, Counts]:
    counts = {table: Counts() for table in MODELS}
    for job in jobs:
        for table, found in _counts_of(job):
            counts[table] += found
    return counts


def _counts_of(job: dict[str, Any]) -> Iterator[tuple[str, Counts]]:
    table = TABLES[job["model_name"]]
    yield table, Counts(retried=max(0, job["attempt"] - 1))
    if job["state"] == "failed" and not job["func_name"].endswith(".import_batch"):
        yield table, Counts(failed=job["records"])
    if job["state"] == "done":
        yield from _counts_in(table, json.loads(job["result"]))


def _counts_in(table: str, result: dict[str, Any]) -> Iterator[tuple[str, Counts]]:
    yield table, Counts(read=result.get("read", 0))
    for model, outcomes in result.get("counts", {}).items():
        yield TABLES[model], Counts(**outcomes)
        if TABLES[model] == "invoice_lines":
            # Lines are read with their invoices, never by a page of their own.
            yield "invoice_lines", Counts(read=sum(outcomes.values()))
