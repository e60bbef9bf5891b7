"""A database with the sample addon, and real worker processes on it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connector.core import addon, sql
from connector.embedded import Services
from connector.queue import broker

ADDONS_PATH = Path(__file__).parent / "addons"
ADDONS = ("queue_worker", "queue_sample")
TIMEOUT_SECONDS = 30


class Queue:
    """What a test does with the queue: delay jobs, run workers, look at rows."""

    def __init__(self, database: Any, environment: dict[str, str], log: Path) -> None:
        self.database = database
        self.environment = environment
        self.log = log

    @property
    def jobs(self) -> Any:
        from connector.addons.queue_sample import jobs

        return jobs

    def delay(
        self, func: Any, *args: Any, model: str = "queue.sample.effect", **options: Any
    ) -> str:
        """Delay a job and commit."""
        with self.database.session() as session:
            uuid: str = func.delay(session, model, *args, **options)
            return uuid

    def rows(self, query: str, *params: Any) -> list[Any]:
        with self.database.cursor(sql.READ_COMMITTED) as cr:
            cr.execute(query, params or None)
            return cr.fetchall()

    def job(self, uuid: str) -> dict[str, Any]:
        with self.database.cursor(sql.READ_COMMITTED) as cr:
            cr.execute("SELECT * FROM queue_job WHERE uuid = %s", (uuid,))
            row = cr.dictfetchone()
        assert row is not None
        return row

    def effects(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT label FROM queue_sample_effect ORDER BY id")]

    def wait_for_state(self, uuid: str, *states: str, seconds: float = TIMEOUT_SECONDS) -> Any:
        """Wait until the job is in one of the states; give its row."""
        self.wait_until(lambda: self.job(uuid)["state"] in states, seconds)
        return self.job(uuid)

    def wait_until(self, condition: Callable[[], Any], seconds: float = TIMEOUT_SECONDS) -> None:
        """Wait until the condition holds; fail when it does not within *seconds*."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                pytest.fail(f"Not within {seconds} seconds.\n{self.log.read_text()[-5000:]}")
            time.sleep(0.05)

    @contextmanager
    def workers(
        self,
        number: int = 1,
        database: str | None = None,
        options: Sequence[str] = (),
        **settings: object,
    ) -> Iterator[subprocess.Popen[bytes]]:
        """
        Run `connector worker` with these settings; stop it as a person would.

        It serves *database*, else the one of the test, and all of the server where that is "".
        """
        served = self.database.name if database is None else database
        given = {f"CONNECTOR_{key.upper()}": str(value) for key, value in settings.items()}
        command = [sys.executable, "-m", "connector.cli.main", "worker", "-n", str(number)]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [*command, *(("-d", served) if served else ()), *options],
                env={**self.environment, **given},
                stdout=log,
                stderr=log,
            )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                pytest.fail(f"The workers do not stop.\n{self.log.read_text()[-5000:]}")


@pytest.fixture(scope="session")
def own_servers() -> Iterator[Services]:
    """Servers of these tests' own, because they are killed and set up otherwise."""
    home = Path("/var/tmp") / f"connector-queue-tests-{os.getpid()}"
    with Services(home) as own:
        yield own
        sql.close_all()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def addons() -> tuple[str, ...]:
    return ADDONS


@pytest.fixture(scope="session", autouse=True)
def sample_addon() -> Iterator[None]:
    """The sample addon is found, by the tests and by the workers that they start."""
    addon.use_addons_path([ADDONS_PATH])
    yield
    addon.use_addons_path(())


@pytest.fixture
def queue(sample_addon: None, database: Any, servers: Any, tmp_path: Path) -> Queue:
    environment = {
        **os.environ,
        "DATABASE_URL": servers.database_url,
        "REDIS_URL": servers.redis_url,
        "CONNECTOR_ADDONS_PATH": str(ADDONS_PATH),
        "CONNECTOR_LOG_LEVEL": "info",
    }
    broker.current().redis.flushdb()
    return Queue(database, environment, tmp_path / "workers.log")
