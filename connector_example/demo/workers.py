"""The worker processes of the demo: `connector worker`, as a user would start it."""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from connector.embedded import Services
from connector.exception import ConnectorException
from connector.queue import broker
from connector_example.demo.child_process import environment, say_farewell

START_SECONDS = 15
STOP_SECONDS = 15
POLL_SECONDS = 0.05


class Workers:
    """
    A supervisor with *count* worker processes, running from `with` to the end of its block.

    What it says goes to *log*.
    """

    def __init__(self, services: Services, database: str, count: int, log: Path) -> None:
        self._services = services
        self._arguments = [
            *("worker", "-n", str(count), "-d", database),
            "--stop-with-input",  # so that they never outlive a demo that is killed
        ]
        self._count = count
        self._log = log

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "connector.cli.main", *self._arguments]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, this package
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment(self._services),
                # Ctrl-C is for the demo, which then stops the workers.
                start_new_session=True,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        say_farewell(self._process, STOP_SECONDS)

    def wait(self) -> None:
        """
        Wait until all workers are there. Jobs would wait for them anyway.

        Raises:
            ConnectorException: the supervisor has ended.
        """
        deadline = time.monotonic() + START_SECONDS
        while broker.current().live_workers() < self._count and time.monotonic() < deadline:
            self.check()
            time.sleep(POLL_SECONDS)

    def include(self, pid: int) -> bool:
        """Say whether a process is one of these workers."""
        try:
            return os.getpgid(pid) == self._process.pid
        except ProcessLookupError:
            return False

    def check(self) -> None:
        """
        Raises:
            ConnectorException: the supervisor has ended.
        """
        status = self._process.poll()
        if status is not None:
            raise ConnectorException(
                f"The workers ended with status {status}; nothing is lost, their jobs wait. "
                f"Their last words:\n{self._last_words()}\nThe rest is in {self._log}."
            )

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-5:])
