"""
Who changes the models of a registry is alone with it.

The threads of the server share one registry for each database. A call that makes a custom field
sets its models up anew, in which no other call may be at work.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from connector.server.errors import CallTimeoutError

#: Models whose records are definitions; their other methods only read.
DEFINITIONS = frozenset({"ir.model", "ir.model.fields", "ir.module.module", "base.module.upgrade"})
READING = frozenset(
    {
        "check_access_rights", "default_get", "exists", "fields_get", "name_get", "name_search",
        "read", "search", "search_count", "search_read",
    }
)  # fmt: skip


def changes_models(model: object, method: object) -> bool:
    """Whether a call may change the models themselves."""
    return model in DEFINITIONS and method not in READING


class Gate:
    """Lets many calls through together, or one alone; who is to be alone goes before newcomers."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._inside = 0
        self._waiting_alone = 0
        self._is_alone = False

    @contextmanager
    def entered(self, alone: bool, seconds: float) -> Iterator[None]:
        """
        Be inside, with others or alone.

        Raises:
            CallTimeoutError: others did not leave in time.
        """
        with self._changed:
            self._enter(alone, time.monotonic() + seconds)
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._is_alone = False
                self._changed.notify_all()

    def _enter(self, alone: bool, end: float) -> None:
        self._waiting_alone += alone
        try:
            while self._must_wait(alone):
                if not self._changed.wait(max(0.0, end - time.monotonic())):
                    raise CallTimeoutError(
                        "Other calls change the models, or would not end so that this one could. "
                        "It changed nothing; try again."
                    )
        finally:
            self._waiting_alone -= alone
        self._inside += 1
        self._is_alone = alone

    def _must_wait(self, alone: bool) -> bool:
        if alone:
            return self._inside > 0
        return self._is_alone or self._waiting_alone > 0
