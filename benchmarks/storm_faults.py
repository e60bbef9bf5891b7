"""
The faults of the storm: each hits something at random and tells whom it has killed.

A victim is one start of one job, `(uuid, attempt)`; it is to be taken up again in time.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from benchmarks.storm_field import SUPERVISORS, Field, _parent
from connector.queue.procedures import JOB_LOCK_CLASS

Victim = tuple[str, int]

_STARTED = "SELECT uuid, attempt, worker, func_name FROM queue_job WHERE state = 'started'"
_RAN_IN = "SELECT uuid, attempt FROM queue_job WHERE state = 'started' AND worker LIKE %s"
_TERMINATE = """
WITH hit AS (
    SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.5
)
SELECT uuid, attempt FROM queue_job WHERE state = 'started' AND id IN (
    SELECT objid::bigint FROM pg_locks JOIN hit USING (pid)
     WHERE locktype = 'advisory' AND objsubid = 2 AND classid = %s)
"""


class Faults:
    """All faults, by name; `delay` stores some jobs while Redis is away and keeps count of them."""

    def __init__(self, field: Field, chance: random.Random, delay: Callable[[], None]) -> None:
        self._field = field
        self._chance = chance
        self._delay = delay
        self.by_name: dict[str, Callable[[], list[Victim]]] = {
            "kill a worker": self._kill_a_worker,
            "kill a forked child": self._kill_a_child,
            "kill the worker of a child": self._kill_a_forking_worker,
            "kill a job in its statement": self._kill_in_statement,
            "kill the dispatchers": self._kill_dispatchers,
            "kill a supervisor": self._kill_a_supervisor,
            "kill Redis and start it": self._kill_redis,
            "flush Redis": self._flush,
            "terminate backends": self._terminate,
            "stop PostgreSQL and start it": lambda: self._restart(signal.SIGINT),
            "kill PostgreSQL and start it": lambda: self._restart(signal.SIGKILL),
        }

    def _kill_a_worker(self) -> list[Victim]:
        workers = self._field.processes("plain", "worker")
        busy = set(self._running()).intersection(workers)
        return self._kill(list(busy) or workers)

    def _kill_a_child(self) -> list[Victim]:
        workers = self._field.processes("forking", "worker")
        return self._kill([pid for pid in self._running() if _parent(pid) in workers])

    def _kill_a_forking_worker(self) -> list[Victim]:
        # Nobody is a victim: a child that has lost its worker brings its job to its end.
        workers = self._field.processes("forking", "worker")
        busy = {_parent(pid) for pid in self._running()}.intersection(workers)
        self._kill(list(busy) or workers)
        return []

    def hanging(self) -> list[int]:
        """The living processes that run a job which hangs until it is killed."""
        running = self._field.ask(_STARTED)
        hanging = [
            _process(worker)
            for _, attempt, worker, func in running
            if func.endswith(".hang") and attempt == 1
        ]
        return [pid for pid in hanging if _parent(pid)]

    def _kill_in_statement(self) -> list[Victim]:
        return self._kill(self.hanging())

    def _kill_dispatchers(self) -> list[Victim]:
        name = self._chance.choice(sorted(SUPERVISORS))
        self._kill(self._field.processes(name, "dispatcher"))
        return []

    def _kill_a_supervisor(self) -> list[Victim]:
        # Its workers end in order when they see it; what they run comes to its end.
        self._field.kill_supervisor(self._chance.choice(sorted(SUPERVISORS)))
        return []

    def _kill_redis(self) -> list[Victim]:
        os.kill(self._field.services.pids()["redis"], signal.SIGKILL)
        self._delay()
        time.sleep(self._chance.uniform(0.2, 2.0))
        self._field.services.ensure_redis()
        return []

    def _flush(self) -> list[Victim]:
        self._field.redis.flushall()
        return []

    def _terminate(self) -> list[Victim]:
        return [(uuid, attempt) for uuid, attempt in self._field.ask(_TERMINATE, JOB_LOCK_CLASS)]

    def _restart(self, how: signal.Signals) -> list[Victim]:
        os.kill(self._field.services.pids()["postgres"], how)
        while "postgres" in self._field.services.pids():
            time.sleep(0.05)
        time.sleep(self._chance.uniform(0.0, 1.0))
        self._field.services.ensure_postgres()
        # All locks are gone with the old server.
        return [(uuid, attempt) for uuid, attempt, *_ in self._field.ask(_STARTED)]

    def _running(self) -> list[int]:
        return [_process(worker) for _, _, worker, _ in self._field.ask(_STARTED)]

    def _kill(self, processes: list[int]) -> list[Victim]:
        """Kill one of them; the jobs that are started there now were killed with it."""
        if not processes:
            return []
        chosen = self._chance.choice(sorted(processes))
        with suppress(ProcessLookupError):
            os.kill(chosen, signal.SIGKILL)
        return [(uuid, attempt) for uuid, attempt in self._field.ask(_RAN_IN, f"%:{chosen}")]


def _process(worker: str) -> int:
    return int(worker.rpartition(":")[2])
