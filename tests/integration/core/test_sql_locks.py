"""Advisory locks on a real server."""

import pytest

from connector.core import sql
from connector.core.sql import locks


@pytest.fixture
def cursors(empty_database):
    database = sql.connect(empty_database)
    with database.cursor() as first, database.cursor() as second:
        yield first, second


def test_second_transaction_cannot_take_the_lock(cursors):
    """
    A lock held by one transaction is refused to another until it ends.
    """
    first, second = cursors
    assert locks.try_transaction_lock(first, "partner:7")
    assert not locks.try_transaction_lock(second, "partner:7")
    assert locks.try_transaction_lock(second, "partner:8")
    first.rollback()
    assert locks.try_transaction_lock(second, "partner:7")


def test_many_locks_take_one_statement(cursors):
    """
    Of many locks those that are free are granted, by one statement, and named.
    """
    first, second = cursors
    assert locks.try_transaction_lock(first, "b")
    before = second.statement_count
    assert locks.try_transaction_locks(second, ["c", "a", "b", "a"]) == {"a", "c"}
    assert second.statement_count == before + 1
    assert locks.try_transaction_locks(second, []) == set()


def test_session_lock_survives_the_transaction(cursors):
    """
    A session lock outlives commit and rollback, is seen by others, and ends when released.
    """
    first, second = cursors
    assert locks.try_session_lock(first, -5, -6)
    first.commit()
    first.rollback()
    assert not locks.try_session_lock(second, -5, -6)
    first.execute("SELECT pg_backend_pid()")
    (pid,) = first.fetchone()
    assert locks.holders(second, -5) == {-6: pid}
    assert locks.release_session_lock(first, -5, -6)
    assert locks.holders(second, -5) == {}
    assert locks.try_session_lock(second, -5, -6)
    assert locks.release_session_lock(second, -5, -6)
