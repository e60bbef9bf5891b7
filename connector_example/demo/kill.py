"""What `--kill` does: workers and Redis end without warning while jobs are started."""

import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

from connector.core import sql
from connector.embedded import Services

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


@dataclass(frozen=True)
class Kill:
    """One process that ended, and the job that was started at that moment."""

    seconds: float  #: since the run began
    victim: str
    uuid: str
    name: str

    def __str__(self) -> str:
        return (
            f"kill -9 at {self.seconds:.1f} s: {self.victim}, "
            f"while job {self.uuid[:8]} was started ({self.name})"
        )


@dataclass
class Killer:
    """Follows PLAN; `strike` is called again and again while the run goes on."""

    database: str
    services: Services
    tell: Callable[[str], None]
    kills: list[Kill] = field(default_factory=list)
    _start: float = field(default_factory=time.monotonic)

    @property
    def missed(self) -> int:
        """How many of the plan have not happened."""
        return len(PLAN) - len(self.kills)

    def strike(self, share_done: float) -> None:
        """Kill the next victim when its time has come and a job is started."""
        if not self.missed or share_done < PLAN[len(self.kills)][0]:
            return
        database = sql.connect(self.database)
        with closing(database.cursor(sql.READ_COMMITTED)) as cr:
            cr.execute(STARTED_JOB, {"ours": f"{socket.gethostname()}:%"})
            job = cr.dictfetchone()
            if job is None:
                return
            worker = int(job["worker"].rpartition(":")[2])
            victim = self._kill(PLAN[len(self.kills)][1], worker)
        self.kills.append(
            Kill(time.monotonic() - self._start, victim, job["uuid"], job["name"] or "")
        )
        self.tell(str(self.kills[-1]))

    def _kill(self, kind: str, worker: int) -> str:
        if kind == WORKER:
            os.kill(worker, signal.SIGKILL)
            return f"worker {worker}"
        pid = self.services.pids()["redis"]
        os.kill(pid, signal.SIGKILL)
        self.services.ensure_redis()
        return f"Redis {pid}"
