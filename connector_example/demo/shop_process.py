"""The example shop as the demo sees it: a process to start, and the keys of its back door."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from connector.exception import ConnectorException
from connector_example.demo.child_process import say_farewell

START_SECONDS = 10
STOP_SECONDS = 5
#: Properties of a fault that say which requests it meets.
SELECTING = frozenset({"kind", "route", "method", "after", "times"})


@dataclass(frozen=True)
class Traffic:
    """What the shop has answered so far."""

    requests: int
    throttled: int

    def __str__(self) -> str:
        return f"{self.requests} and {self.throttled}"

    def __add__(self, other: "Traffic") -> "Traffic":
        return Traffic(self.requests + other.requests, self.throttled + other.throttled)

    def __sub__(self, earlier: "Traffic") -> "Traffic":
        return Traffic(self.requests - earlier.requests, self.throttled - earlier.throttled)


@dataclass
class ShopProcess:
    """
    The shop, running from `with` to the end of its block.

    Raises:
        ConnectorException: the process ends before it tells its address.
    """

    state_file: Path | None = None
    port: int = 0
    token: str = field(default_factory=secrets.token_urlsafe, repr=False)
    admin_token: str = field(default_factory=secrets.token_urlsafe, repr=False)
    url: str = ""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "connector_example.shop", "--port", str(self.port)]
        if self.state_file is not None:
            command += ["--state", str(self.state_file)]
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter, this package
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"SHOP_TOKEN": self.token, "SHOP_ADMIN_TOKEN": self.admin_token},
            # Ctrl-C is for the demo, which then closes the shop.
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise ConnectorException(
                f"The example shop did not start: {' '.join(command)}\n"
                "What it said stands above. Is the extra installed: pip install 'connector[demo]'?"
            )
        return self

    def check(self) -> None:
        """
        Raises:
            ConnectorException: the shop's process has ended.
        """
        status = self._process.poll()
        if status is not None:
            raise ConnectorException(
                f"The shop ended with status {status}; nothing is lost, the jobs wait for it. "
                "Run the demo again to go on."
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Close the shop; a second time does nothing."""
        say_farewell(self._process, STOP_SECONDS)

    def traffic(self) -> Traffic:
        stats = self._admin("GET", "stats")
        return Traffic(stats["requests"], stats["throttled"])

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """Every record by table, as the shop's JSON has it."""
        tables: dict[str, list[dict[str, Any]]] = self._admin("GET", "dump")
        return tables

    def change(self, count: int, seed: int) -> dict[str, int]:
        """Let *count* records change; returns how many of each table."""
        changed: dict[str, int] = self._admin("POST", "change", {"count": count, "seed": seed})[
            "changed"
        ]
        return changed

    def misbehave(self, *faults: Mapping[str, Any]) -> None:
        """Show these faults from now on; none to behave again."""
        self._admin("PUT", "faults", list(faults))

    def faults(self) -> list[dict[str, Any]]:
        """The faults that are switched on, with what they have met."""
        faults: list[dict[str, Any]] = self._admin("GET", "faults")
        return faults

    @contextmanager
    def fault(self, name: str, **properties: Any) -> Iterator[None]:
        """
        Show one more fault in the block.

        *properties* are `kind`, `route`, `method`, `after`, `times`; the others are options of
        the fault.
        """
        fault: dict[str, Any] = {"name": name, "options": {}}
        for key, value in properties.items():
            (fault if key in SELECTING else fault["options"])[key] = value
        known = len(self.faults())
        self._admin("POST", "faults", [fault])
        try:
            yield
        finally:
            self._admin("PUT", "faults", self.faults()[:known])

    def reset(self) -> None:
        """Be as on the first day: no changes, no faults, no requests."""
        self._admin("POST", "reset")

    def _admin(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(
            method,
            f"{self.url}/admin/{path}",
            headers={"Authorization": f"Bearer {self.admin_token}"},
            json=body,
            timeout=START_SECONDS,
        )
        if not answer.ok:
            raise ConnectorException(f"The shop refuses: {answer.json()['error']}")
        return answer.json() if answer.content else None
