"""Record locks: refused to another transaction, kept for a checkpoint, forgotten at its end."""

import pytest

from connector.connector import held_locks, pg_try_advisory_lock, try_locks


@pytest.fixture
def other(database):
    with database.env() as env:
        yield env


@pytest.fixture
def mine(database):
    with database.env("read committed") as env:
        yield env


def test_second_transaction_cannot_take_the_lock(mine, other):
    """
    A lock held by one transaction is refused to another until it ends, and free to itself.
    """
    assert pg_try_advisory_lock(mine, "partner:7")
    assert pg_try_advisory_lock(mine, "partner:7")
    assert not pg_try_advisory_lock(other, "partner:7")

    mine.cr.rollback()

    assert pg_try_advisory_lock(other, "partner:7")


def test_many_locks_are_taken_in_one_statement(mine, other):
    """
    Those that are free are granted, by one statement, whatever became of the others.
    """
    assert pg_try_advisory_lock(other, "b")

    before = mine.cr.statement_count
    assert try_locks(mine, ["c", "b", "a"]) == {"a", "c"}
    assert mine.cr.statement_count == before + 1


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_held_locks_are_known_until_the_transaction_ends(mine, end):
    """
    The locks of a transaction are known to whoever must take them again after a commit.
    """
    assert held_locks(mine.cr) == frozenset()
    for _ in range(2):
        try_locks(mine, ["a", "b"])
        assert held_locks(mine.cr) == {"a", "b"}

        getattr(mine.cr, end)()

        assert held_locks(mine.cr) == frozenset()


def test_lock_forgets_remembered_misses(mine, other):
    """
    What was looked for in vain before the lock is looked for again after it.
    """
    models = mine["ir.model.data"]
    names = ("module", "name")
    assert not models._lookup_by_key(names, ("test", "x"))
    partner = other["res.partner"].create({"name": "x"})
    other["ir.model.data"].create(
        {"module": "test", "name": "x", "model": "res.partner", "res_id": partner.id}
    )
    other.cr.commit()
    assert not models._lookup_by_key(names, ("test", "x"))

    assert pg_try_advisory_lock(mine, "test:x")

    assert models._lookup_by_key(names, ("test", "x"))
