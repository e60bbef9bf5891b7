"""A cursor whose transactions follow each other without a round trip in between."""

from __future__ import annotations

import time

import pytest

from connector.core import sql
from connector.core.sql import errors

ADD = "INSERT INTO thing (name) VALUES (%(name)s)"
COUNT = "SELECT count(*) FROM thing"
LEVEL = "SELECT current_setting('transaction_isolation')"


@pytest.fixture
def cr(things):
    cr = things.database.chained_cursor(sql.READ_COMMITTED)
    yield cr
    cr.close()


def test_the_first_statement_is_committed_and_the_next_transaction_asked(cr, things):
    """
    What a chain begins with is committed by itself, and the answer is of the next transaction.
    """
    assert cr.begin(ADD, {"name": "first"}, COUNT) == 1
    cr.execute(ADD, {"name": "lost"})
    cr.rollback()

    assert things.names() == ["first"]


def test_a_commit_takes_a_last_statement_with_it_and_begins_again(cr, things):
    """
    One round trip ends a transaction with a statement and begins the next one with a question.
    """
    cr.begin(ADD, {"name": "first"}, COUNT)
    cr.execute(ADD, {"name": "second"})
    sent = cr.statement_count

    assert cr.commit_with(ADD, {"name": "third"}, COUNT) == 3

    assert cr.statement_count == sent + 1
    assert things.names() == ["first", "second", "third"]


def test_a_last_statement_that_fails_commits_nothing(cr, things):
    """
    When the statement of the end fails, what came before is undone, and the chain goes on.
    """
    cr.begin(ADD, {"name": "first"}, COUNT)
    cr.execute(ADD, {"name": "second"})
    with pytest.raises(errors.UniqueViolation):
        cr.end_with(ADD, {"name": "first"})
    cr.rollback()
    cr.execute(ADD, {"name": "third"})
    cr.commit()

    assert things.names() == ["first", "third"]


def test_the_end_gives_session_locks_back(cr, things):
    """
    After the last commit the connection holds no lock, and goes back to the pool for anybody.
    """
    cr.begin("SELECT pg_advisory_lock(%(one)s, 7)", {"one": 1}, COUNT)
    assert cr.may_hold_session_locks
    cr.end_with(ADD, {"name": "only"})
    assert not cr.may_hold_session_locks
    connection = cr.connection
    cr.close()

    with things.database.cursor() as other:
        assert other.connection is connection
        assert sql.locks.holders(other, 1) == {}
        other.execute(ADD, {"name": "undone"})
        other.rollback()
    assert things.names() == ["only"]


def test_every_transaction_of_the_chain_has_level_and_settings(things):
    """
    Level and settings hold in each transaction, and not for the next one who has the connection.
    """
    cr = things.database.chained_cursor(sql.REPEATABLE_READ)
    cr.set_in_each({"statement_timeout": 4321})
    asked = f"SELECT current_setting('statement_timeout') || ' ' || ({LEVEL})"

    answers = [cr.begin(ADD, {"name": "a"}, asked), cr.commit_with(ADD, {"name": "b"}, asked)]
    cr.rollback()
    cr.execute(asked)
    answers.append(cr.fetchone()[0])
    cr.close()

    assert answers == ["4321ms repeatable read"] * 3
    with things.database.cursor(sql.READ_COMMITTED) as other:
        other.execute(asked)
        assert other.fetchone()[0] == "0 read committed"


def test_what_follows_a_commit_does_not_change_the_answer(cr):
    """
    A function that runs after the commit may ask the database something.
    """
    cr.begin(ADD, {"name": "first"}, COUNT)
    cr.postcommit.add(lambda: cr.execute("SELECT 'other'"))

    assert cr.commit_with(ADD, {"name": "second"}, COUNT) == 2


def test_a_kept_setting_outlives_a_failed_statement(things):
    """
    A setting that is kept holds in a transaction that has failed, and not for the next borrower.
    """
    cr = things.database.chained_cursor(sql.READ_COMMITTED)
    cr.set_in_each({"idle_in_transaction_session_timeout": 300})
    cr.keep_set({"idle_in_transaction_session_timeout": 300})
    cr.begin(ADD, {"name": "a"}, COUNT)
    with pytest.raises(errors.UniqueViolation):
        cr.execute(ADD, {"name": "a"})
    time.sleep(1)
    with pytest.raises(errors.OperationalError):
        cr.execute("ROLLBACK")
    cr.close()

    asked = "SELECT current_setting('idle_in_transaction_session_timeout')"
    for end in (lambda cr: cr.end_with(ADD, {"name": "b"}), lambda cr: cr.rollback()):
        cr = things.database.chained_cursor(sql.READ_COMMITTED)
        cr.keep_set({"idle_in_transaction_session_timeout": 54321})
        assert cr.begin("SELECT 1", {}, asked) == "54321ms"
        end(cr)
        connection = cr.connection
        cr.close()
        with things.database.cursor() as other:
            assert other.connection is connection
            other.execute(asked)
            assert other.fetchone()[0] == "0"
