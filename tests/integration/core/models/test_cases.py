"""TransactionCase and CommittedCase: test cases for those who write unittest."""

from __future__ import annotations

import unittest
from typing import Any

import pytest

from connector.core import testing
from connector.core.exceptions import CoreError
from connector.testing import templates


@pytest.fixture
def database(servers: Any) -> Any:
    name = templates.copy_of_template(["base"])
    testing.use_database(name)
    yield name
    testing.use_database(None)
    templates.drop_copy(name)


def run(case: type[unittest.TestCase]) -> unittest.TestResult:
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    assert result.testsRun
    return result


def test_transaction_case_rolls_back(database: str) -> None:
    """
    What one test does is not there for the next, and a second cursor is refused with advice.
    """

    class Case(testing.TransactionCase):
        def test_one(self) -> None:
            self.env["res.groups"].create({"name": "mine"})
            assert self.env["res.groups"].search_count([("name", "=", "mine")]) == 1
            with pytest.raises(CoreError, match="CommittedCase"):
                self.registry.cursor()

        def test_two(self) -> None:
            self.test_one()
            assert self.ref("base.user_root") == 1
            assert self.browse_ref("base.user_root") == self.env.user

    result = run(Case)
    assert not (result.failures + result.errors)


def test_committed_case_commits_to_a_copy(database: str) -> None:
    """
    A second environment sees what the first has committed, in a database of the test's own.
    """

    class Case(testing.CommittedCase):
        def test_commit(self) -> None:
            with self.open_env() as env:
                env["res.groups"].create({"name": "mine"})
            with self.open_env() as env:
                assert env["res.groups"].search_count([("name", "=", "mine")]) == 1
                assert env.cr.dbname != database

    result = run(Case)
    assert not (result.failures + result.errors)
