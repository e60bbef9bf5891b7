"""Where the storm rages: servers of its own, a database with its jobs, and workers of two kinds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connector.core import modules, sql
from connector.core.addon import use_addons_path
from connector.core.exceptions import CoreError
from connector.embedded import Services
from connector.queue import broker

DATABASE = "storm"
MODEL = "storm.effect"
ADDONS = Path(__file__).parent / "queue_addons"
#: `think` has three seats and `hang` one; the rest has none to keep.
SEATS = {"root.think": 3, "root.hang": 1}
CHANNELS = ",".join([*(f"{name}:{seats}" for name, seats in SEATS.items()), "root.quick:0:short"])
#: Two supervisors, so that a dispatcher stands by: one of plain workers, one of forking ones.
SUPERVISORS = {"plain": (), "forking": ("--fork",)}
WORKERS_EACH = 2
WORKERS = WORKERS_EACH * len(SUPERVISORS)
PATIENCE_SECONDS = 30.0

_STARTED = re.compile(r"supervisor (dispatcher|worker \d+) \(pid (\d+)\) started")


class Field:
    """The servers, the database and the workers, as the storm finds and hits them."""

    def __init__(self, services: Services, home: Path) -> None:
        self.services = services
        self._home = home
        self._supervisors: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def redis(self) -> Any:
        return broker.current().redis

    def log(self, name: str) -> Path:
        return self._home / f"{name}.log"

    def start_supervisor(self, name: str) -> None:
        command = [sys.executable, "-P", "-m", "connector.cli.main", "-d", DATABASE, "worker"]
        settings = {
            "DATABASE_URL": self.services.database_url,
            "REDIS_URL": self.services.redis_url,
            "CONNECTOR_ADDONS_PATH": str(ADDONS),
            "CONNECTOR_CHANNELS": CHANNELS,
            "CONNECTOR_LOG_LEVEL": "info",
        }
        with self.log(name).open("ab") as log:
            self._supervisors[name] = subprocess.Popen(
                [*command, "-n", str(WORKERS_EACH), *SUPERVISORS[name]],
                env={**os.environ, **settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def wait_for_workers(self) -> None:
        """Wait until all have come, so that a fault has somebody to hit."""
        end = time.monotonic() + PATIENCE_SECONDS
        while broker.current().live_workers() < WORKERS:
            if time.monotonic() > end:
                raise TimeoutError(f"{WORKERS} workers did not come: see {self._home}/*.log.")
            time.sleep(0.1)

    def stop_supervisors(self) -> list[int]:
        """Stop all as a person would; answer how they ended."""
        for process in self._supervisors.values():
            process.terminate()
        return [process.wait(60) for process in self._supervisors.values()]

    def kill_supervisor(self, name: str) -> None:
        """Kill one and start another in its place; its children end by themselves."""
        self._supervisors[name].kill()
        self._supervisors[name].wait()
        self.start_supervisor(name)

    def keep_supervisors(self) -> None:
        """Start those again that ended because a server was away, as an init system does."""
        for name, process in list(self._supervisors.items()):
            if process.poll() is not None:
                self.start_supervisor(name)

    def processes(self, supervisor: str, kind: str) -> list[int]:
        """The living children of a supervisor: `worker` or `dispatcher`."""
        found = _STARTED.findall(self.log(supervisor).read_text())
        parent = self._supervisors[supervisor].pid
        return [int(pid) for name, pid in found if name.startswith(kind) and _parent(pid) == parent]

    def ask(self, query: str, *params: Any) -> list[Any]:
        """
        The rows of a query, asked again while PostgreSQL is away; what it changes is committed.

        A change may come twice: the outcome of a lost commit is not known.
        """
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                with sql.connect(DATABASE).cursor(sql.READ_COMMITTED) as cr:
                    cr.execute(query, params or None)
                    found = cr.fetchall()
                    cr.commit()
                    return found
            except (CoreError, sql.errors.Error):
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)


def delay(session: Any, calls: Iterable[tuple[str, tuple[Any, ...]]]) -> None:
    """
    Delay calls of the storm's jobs, `(name, arguments)`; their tries have no limit.

    `after` waits for the job before it that succeeds, if there is one; `keyed` is delayed twice.
    """
    from connector.addons.storm_jobs import jobs  # the addons path names it

    before: list[str] = []
    for name, arguments in calls:
        options: dict[str, Any] = {"max_retries": 0}
        if name == "after":
            options["depends_on"] = before
        if name == "keyed":
            options["identity_key"] = arguments[0]
            getattr(jobs, name).delay(session, MODEL, *arguments, **options)
        uuid = getattr(jobs, name).delay(session, MODEL, *arguments, **options)
        before = before if name in ("refuse", "hang") else [uuid]


@contextmanager
def field() -> Iterator[Field]:
    """Set everything up, and take it down again."""
    home = Path(tempfile.mkdtemp(prefix="connector-storm-", dir="/var/tmp"))
    home.chmod(0o711)  # as root, the servers' own user must get in
    try:
        with Services(home) as services:
            sql.use_server(services.database_url)
            broker.use_redis(services.redis_url)
            use_addons_path([ADDONS])
            sql.create_database(DATABASE)
            modules.initialise(DATABASE)
            modules.install(DATABASE, ["queue_worker", "storm_jobs"])
            found = Field(services, home)
            for name in SUPERVISORS:
                found.start_supervisor(name)
            try:
                yield found
            finally:
                found.stop_supervisors()
                sql.close_all()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _parent(pid: str | int) -> int:
    """The parent of a living process, 0 where there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return 0 if fields[0] == "Z" else int(fields[1])
