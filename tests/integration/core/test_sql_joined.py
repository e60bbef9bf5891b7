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
def database(empty_database):
    with sql.connect(empty_database).cursor() as cr:
        sql.schema.create_table(cr, "thing", columns=[("name", "varchar UNIQUE")])
    return sql.connect(empty_database)


@pytest.fixture
def cr(database):
    cr = database.joined_cursor(sql.REPEATABLE_READ)
    yield cr
    cr.close()


def names(database):
    with database.cursor() as cr:
        cr.execute("SELECT name FROM thing ORDER BY id")
        return [name for (name,) in cr.fetchall()]


def ask(cr, question):
    cr.execute(question)
    return cr.fetchone()[0]


def test_statements_are_one_transaction_until_its_end(cr, database):
    """
    What lies between two ends is one transaction, at the level that was asked for.
    """
    first = ask(cr, TRANSACTION)
    assert ask(cr, LEVEL) == "repeatable read"
    cr.execute(ADD, {"name": "100%"})
    assert ask(cr, TRANSACTION) == first
    assert names(database) == []

    cr.commit()

    assert names(database) == ["100%"]
    assert ask(cr, TRANSACTION) != first


def test_a_transaction_of_two_statements_takes_two_round_trips(cr, database):
    """
    BEGIN goes with the first statement and COMMIT with the last one.
    """
    cr.execute(ADD, {"name": "first"})
    cr.commit_with(ADD, {"name": "last"})
    cr.commit()

    assert cr.statement_count == 2
    assert names(database) == ["first", "last"]


def test_a_last_statement_alone_is_a_transaction(cr, database):
    """
    A transaction may have no statement but the one that ends it.
    """
    cr.commit_with(ADD, {"name": "alone"})

    assert cr.statement_count == 1
    assert names(database) == ["alone"]


def test_a_rollback_undoes_all(cr, database):
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

    assert names(database) == ["kept", "later"]


def test_a_copy_belongs_to_a_transaction(cr, database):
    """
    A COPY that comes first begins the transaction, and is undone with it.
    """
    cr.copy_expert("COPY thing (name) FROM STDIN", io.StringIO("lost\n"))
    cr.rollback()
    cr.copy_expert("COPY thing (name) FROM STDIN", io.StringIO("kept\n"))
    cr.commit()

    assert names(database) == ["kept"]


def test_a_savepoint_may_come_first(cr, database):
    """
    A savepoint begins the transaction that it belongs to.
    """
    with pytest.raises(ZeroDivisionError), cr.savepoint():
        cr.execute(ADD, {"name": "undone"})
        raise ZeroDivisionError
    cr.commit_with(ADD, {"name": "kept"})

    assert names(database) == ["kept"]


def test_the_next_borrower_finds_an_ordinary_connection(database):
    """
    A connection that comes back begins transactions by itself again.
    """
    joined = database.joined_cursor(sql.REPEATABLE_READ)
    backend = ask(joined, "SELECT pg_backend_pid()")
    joined.close()

    with database.cursor(sql.READ_COMMITTED) as cr:
        assert ask(cr, "SELECT pg_backend_pid()") == backend
        assert ask(cr, LEVEL) == "read committed"
        first = ask(cr, TRANSACTION)
        assert ask(cr, TRANSACTION) == first
