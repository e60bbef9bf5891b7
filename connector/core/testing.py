"""
Test cases for unittest, on a database of the server in use.

    TransactionCase    each test in one transaction, which is rolled back
    CommittedCase      each test in a copy of the database: real commits, several cursors

Which database: the class's ``db_name``, else what the test runner says through
``use_database``, else the server's default one.
"""

from __future__ import annotations

import itertools
import os
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from connector.core import sql
from connector.core.environment import Environment
from connector.core.modules import identity
from connector.core.registry import Registry

__all__ = ["CommittedCase", "TransactionCase", "one_transaction", "use_database"]

SUPERUSER_ID = 1
ADVICE = (
    "This test works in one transaction that is rolled back, so a second cursor would not see its "
    "data. Derive the test from CommittedCase where several transactions are needed."
)

_numbers = itertools.count(1)
_database: str | None = None


def use_database(name: str | None) -> None:
    """Have test cases that name no database of their own use this one."""
    global _database
    _database = name


@contextmanager
def one_transaction(db_name: str, advice: str = ADVICE) -> Iterator[Any]:
    """
    An environment of the superuser in one transaction, which is rolled back at the end.

    Opening a second cursor in the block raises with *advice*.
    """
    registry = Registry(db_name)
    cr = sql.RolledBackCursor(sql.current_server().pool, db_name)
    registry.enter_test_mode(cr)
    try:
        with Environment.manage(), sql.connect(db_name).forbid_cursors(advice):
            yield Environment(cr, SUPERUSER_ID, {})
    finally:
        registry.leave_test_mode()
        cr.close()


class Case(unittest.TestCase):
    """What both kinds of case offer; not a case itself."""

    db_name: ClassVar[str | None] = None
    #: the user that tests work for
    uid: ClassVar[int] = SUPERUSER_ID

    @classmethod
    def _source(cls) -> str:
        return cls.db_name or _database or sql.default_database()

    def ref(self, xml_id: str) -> int:
        """The id of the record that an external id names."""
        return int(self.browse_ref(xml_id).id)

    def browse_ref(self, xml_id: str) -> Any:
        """The record that an external id names."""
        return self.env.ref(xml_id)

    env: Any


class TransactionCase(Case):
    """Each test has ``self.env`` and ``self.cr``; what it does is rolled back."""

    def setUp(self) -> None:
        super().setUp()
        opened = one_transaction(self._source())
        root = opened.__enter__()
        self.addCleanup(opened.__exit__, None, None, None)
        self.cr = root.cr
        self.registry = root.registry
        self.env = root(user=self.uid)


class CommittedCase(Case):
    """Each test has a copy of the database, and opens environments on it with ``open_env``."""

    def setUp(self) -> None:
        super().setUp()
        source = self._source()
        self.database = f"{source}_case_{os.getpid()}_{next(_numbers)}"
        sql.close_all(source)
        sql.create_database(self.database, source)
        self.addCleanup(self._drop)
        with sql.connect(self.database).cursor() as cr:
            identity.adopt(cr)  # a copy would sleep otherwise: it runs no job
        self.registry = Registry(self.database)

    def _drop(self) -> None:
        Registry.delete(self.database)
        sql.drop_database(self.database)

    @contextmanager
    def open_env(self, isolation_level: str | None = None) -> Iterator[Any]:
        """An environment; committed at the end of the block, rolled back on an error."""
        with Environment.manage(), self.registry.cursor(isolation_level) as cr:
            yield Environment(cr, self.uid, {})
