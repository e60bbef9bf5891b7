"""What `--kill` does: workers and Redis end without warning while jobs are started."""

import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace

from connector.core import sql
from connector.embedded import Services
from connector.exception import ConnectorException
from connector_example.demo.workers import Workers

WORKER = "worker"
REDIS = "Redis"

#: Who is killed, and when: the share of the records that is done by then.
PLAN = ((0.05, WORKER), (0.15, REDIS), (0.25, WORKER), (0.45, WORKER))

#: The row is locked so that the job cannot end between the look at it and the kill.
STARTED_JOB = """
    SELECT uuid, name, worker FROM queue_job
    WHERE state = 'started' AND worker LIKE %(ours)s
    ORDER BY date_started DESC LIMIT 1 FOR UPDATE SKIP LOCKED
"""

STARTS = "SELECT uuid, attempt FROM queue_job WHERE uuid = ANY(%(uuids)s)"


@dataclass(frozen=True)
class Kill:
    """One process that ended, and the job that was started at that moment."""

    seconds: float  #: since the run began
    victim: str
    uuid: str
    name: str
    starts: int = 1  #: how often the job has been started by now

    def __str__(self) -> str:
        again = f"; done at its start {self.starts}" if self.starts > 1 else ""
        return (
            f"kill -9 at {self.seconds:.1f} s: {self.victim}, "
            f"while job {self.uuid[:8]} was started ({self.name}){again}"
        )


@dataclass
class Killer:
    """
    Follows PLAN; `strike` is called again and again while the run goes on.

    Raises:
        ConnectorException: Redis is not of this machine, so nobody here can kill it.
    """

    database: str
    services: Services
    workers: Workers
    tell: Callable[[str], None]
    kills: list[Kill] = field(default_factory=list)
    _start: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        if "redis" not in self.services.pids():
            raise ConnectorException(
                "--kill kills the embedded Redis, and REDIS_URL names another one. "
                "Run it without REDIS_URL."
            )

    @property
    def missed(self) -> int:
        """How many of the plan have not happened."""
        return len(PLAN) - len(self.kills)

    def strike(self, share_done: float) -> None:
        """Kill the next victim when its time has come and a job is started."""
        if not self.missed or share_done < PLAN[len(self.kills)][0]:
            return
        with closing(self._cursor()) as cr:
            cr.execute(STARTED_JOB, {"ours": f"{socket.gethostname()}:%"})
            job = cr.dictfetchone()
            worker = int(job["worker"].rpartition(":")[2]) if job else 0
            if job is None or not self.workers.include(worker):
                return
            victim = self._kill(PLAN[len(self.kills)][1], worker)
        seconds = time.monotonic() - self._start
        self.kills.append(Kill(seconds, victim, job["uuid"], job["name"]))
        self.tell(str(self.kills[-1]))

    def told_in_the_end(self) -> list[Kill]:
        """The kills, with what has become of their jobs."""
        with self._cursor() as cr:
            cr.execute(STARTS, {"uuids": [kill.uuid for kill in self.kills]})
            starts = dict(cr.fetchall())
        return [replace(kill, starts=starts[kill.uuid]) for kill in self.kills]

    def _cursor(self) -> sql.Cursor:
        return sql.connect(self.database).cursor(sql.READ_COMMITTED)

    def _kill(self, kind: str, worker: int) -> str:
        if kind == WORKER:
            os.kill(worker, signal.SIGKILL)
            return f"worker {worker}"
        pid = self.services.pids()["redis"]
        os.kill(pid, signal.SIGKILL)
        self.services.ensure_redis()
        return f"Redis {pid}"
