"""What the fixtures of the plugin hand to a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from connector.core import modules, sql
from connector.core.environment import Environment
from connector.core.registry import SUPERUSER_ID, Registry
from connector.session import ConnectorSession

ADVICE = (
    "This test works in one transaction that is rolled back, so a second cursor would not see its "
    "data. Use the fixture `database` (or CommittedCase) where several transactions are needed."
)


class TestDatabase:
    """A database of a test's own: real commits, and as many connections as wanted."""

    __test__ = False  # not a test, for all that its name says

    def __init__(self, name: str, under_test: str) -> None:
        self.name = name
        self._under_test = under_test

    @property
    def registry(self) -> Registry:
        return Registry(self.name)

    def cursor(self, isolation_level: str | None = None) -> sql.Cursor:
        """A cursor on a connection of its own; the caller closes it."""
        return sql.connect(self.name).cursor(isolation_level)

    @contextmanager
    def env(self, isolation_level: str | None = None) -> Iterator[Any]:
        """An environment of the superuser; committed at the end, rolled back on an error."""
        with Environment.manage(), self.registry.cursor(isolation_level) as cr:
            yield Environment(cr, SUPERUSER_ID, {})

    @contextmanager
    def session(self, isolation_level: str | None = None) -> Iterator[ConnectorSession]:
        """A connector session of the superuser, over `env`."""
        with self.env(isolation_level) as env:
            yield ConnectorSession.from_env(env)

    def update(self, *addons: str) -> Registry:
        """
        Load anew with what is declared now, and make its tables; for classes of the test.

        Updates the *addons* that the classes were declared in, by default the one under test.
        """
        modules.update(self.name, addons or (self._under_test,))
        return self.registry

    def __repr__(self) -> str:
        return f"<TestDatabase {self.name}>"
