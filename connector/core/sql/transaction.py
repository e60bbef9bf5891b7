"""What hangs on a transaction: pending writes of the models, and functions for its end."""

import logging
from collections.abc import Callable
from typing import Any, Protocol

logger = logging.getLogger(__name__)


class Transaction(Protocol):
    """What an environment hangs on its cursor: everything that is known but not yet sent."""

    def flush(self) -> None:
        """Send what waits, so that the next statement sees it."""

    def clear(self) -> None:
        """Forget everything; the transaction was rolled back."""

    def on_savepoint(self) -> Any:
        """A savepoint opens, after a flush; the token comes back when it is rolled back to."""

    def on_savepoint_rollback(self, token: Any) -> None:
        """Forget what came after the savepoint."""

    def on_commit(self) -> None:
        """The transaction is committed; other transactions may change the data from now on."""


class Callbacks:
    """Functions to be called once, at a moment of the transaction's life."""

    def __init__(self) -> None:
        self._functions: list[Callable[[], None]] = []

    def add(self, function: Callable[[], None]) -> None:
        self._functions.append(function)

    def add_once(self, function: Callable[[], None]) -> None:
        """Add a function unless it waits already."""
        if function not in self._functions:
            self._functions.append(function)

    def run(self) -> None:
        """Call each once, in the order of adding, also those added meanwhile."""
        while self._functions:
            self._functions.pop(0)()

    def run_all(self) -> None:
        """
        Call each once, also after one that fails: the failure is logged.

        For what follows a commit: that has happened, whatever a function raises.
        """
        while self._functions:
            function = self._functions.pop(0)
            try:
                function()
            except Exception:
                logger.exception("A function that follows a transaction failed")

    def clear(self) -> None:
        self._functions.clear()

    def __len__(self) -> int:
        return len(self._functions)

    def cut(self, length: int) -> "Callbacks":
        """Take out what was added after there were *length*."""
        later = Callbacks()
        later._functions = self._functions[length:]
        del self._functions[length:]
        return later
