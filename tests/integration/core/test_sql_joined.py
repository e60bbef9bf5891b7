"""A cursor whose BEGIN goes with the first statement, and whose COMMIT may go with the last."""

from __future__ import annotations

import io

import pytest

from connector.core import sql
from connector.core.sql import errors

ADD = "INSERT INTO thing (name) VALUES (%(name)s)"
LEVEL = "SELECT current_setting('transaction_isolation')"
TRANSACTION = "SELECT pg_current_xact_id()"


@pytest.fixture
def cr(things):
    cr = things.database.joined_cursor(sql.REPEATABLE_READ)
    yield cr
    cr.close()


def ask(cr, question):
    cr.execute(question)
    return cr.fetchone()[0]


def test_statements_are_one_transaction_until_its_end(cr, things):
    """
    What lies between two ends is one transaction, at the level that was asked for.
    """
    first = ask(cr, TRANSACTION)
    assert ask(cr, LEVEL) == "repeatable read"
    cr.execute(ADD, {"name": "100%"})
    assert ask(cr, TRANSACTION) == first
    assert things.names() == []

    cr.commit()

    assert things.names() == ["100%"]
    assert ask(cr, TRANSACTION) != first


def test_a_transaction_of_two_statements_takes_two_round_trips(cr, things):
    """
    BEGIN goes with the first statement and COMMIT with the last one.
    """
    cr.execute(ADD, {"name": "first"})
    cr.commit_with(ADD, {"name": "last"})
    cr.commit()

    assert cr.statement_count == 2
    assert things.names() == ["first", "last"]


def test_a_last_statement_alone_is_a_transaction(cr, things):
    """
    A transaction may have no statement but the one that ends it.
    """
    cr.commit_with(ADD, {"name": "alone"})

    assert cr.statement_count == 1
    assert things.names() == ["alone"]


def test_a_rollback_undoes_all(cr, things):
    """
    Rolled back is what came since the last commit, also after a statement that failed.
    """
    cr.commit_with(ADD, {"name": "kept"})
    cr.execute(ADD, {"name": "lost"})
    with pytest.raises(errors.UniqueViolation):
        cr.commit_with(ADD, {"name": "kept"})
    with pytest.raises(errors.Error):
        cr.execute(LEVEL)

    cr.rollback()
    cr.commit_with(ADD, {"name": "later"})

    assert things.names() == ["kept", "later"]


def test_a_copy_belongs_to_a_transaction(cr, things):
    """
    A COPY that comes first begins the transaction, and is undone with it.
    """
    cr.copy_expert("COPY thing (name) FROM STDIN", io.StringIO("lost\n"))
    cr.rollback()
    cr.copy_expert("COPY thing (name) FROM STDIN", io.StringIO("kept\n"))
    cr.commit()

    assert things.names() == ["kept"]


def test_a_savepoint_may_come_first(cr, things):
    """
    A savepoint begins the transaction that it belongs to.
    """
    with pytest.raises(ZeroDivisionError), cr.savepoint():
        cr.execute(ADD, {"name": "undone"})
        raise ZeroDivisionError
    cr.commit_with(ADD, {"name": "kept"})

    assert things.names() == ["kept"]


def test_the_next_borrower_finds_an_ordinary_connection(things):
    """
    A connection that comes back begins transactions by itself again.
    """
    joined = things.database.joined_cursor(sql.REPEATABLE_READ)
    backend = ask(joined, "SELECT pg_backend_pid()")
    joined.close()

    with things.database.cursor(sql.READ_COMMITTED) as cr:
        assert ask(cr, "SELECT pg_backend_pid()") == backend
        assert ask(cr, LEVEL) == "read committed"
        first = ask(cr, TRANSACTION)
        assert ask(cr, TRANSACTION) == first
