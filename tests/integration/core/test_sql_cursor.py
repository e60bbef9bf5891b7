"""Cursor and pool on a real server."""

import asyncio
import contextvars
import logging
import multiprocessing
import threading
from datetime import datetime

import pytest

from connector.core import sql
from connector.core.exceptions import (
    CursorError,
    DatabaseExistsError,
    DatabaseMissingError,
    PoolExhaustedError,
)
from connector.core.sql import errors, locks, pool


@pytest.fixture
def database(empty_database):
    with sql.connect(empty_database).cursor() as cr:
        sql.schema.create_table(cr, "thing", columns=[("name", "varchar"), ("price", "numeric")])
    return sql.connect(empty_database)


@pytest.fixture
def cr(database):
    with database.cursor() as cr:
        yield cr


def names(database):
    with database.cursor() as cr:
        cr.execute("SELECT name FROM thing ORDER BY id")
        return [name for (name,) in cr.fetchall()]


def run(cr, statements):
    for statement in statements:
        cr.execute(statement)


class Recorder:
    """A transaction that notes what the cursor calls."""

    def __init__(self):
        self.calls = []

    def flush(self):
        self.calls.append("flush")

    def clear(self):
        self.calls.append("clear")

    def on_savepoint(self):
        self.calls.append("on_savepoint")
        return len(self.calls)

    def on_savepoint_rollback(self, token):
        self.calls.append(("on_savepoint_rollback", token))

    def on_commit(self):
        self.calls.append("on_commit")


def test_block_commits(database):
    """
    Leaving the block of a cursor commits its work.
    """
    with database.cursor() as cr:
        cr.execute("INSERT INTO thing (name) VALUES (%s)", ("kept",))
    assert names(database) == ["kept"]
    assert cr.closed


def test_error_rolls_back(database):
    """
    An error that leaves the block undoes its work.
    """
    statements = "INSERT INTO thing (name) VALUES ('lost')", "SELECT * FROM nothing"
    with pytest.raises(errors.UndefinedTable), database.cursor() as cr:
        run(cr, statements)
    assert names(database) == []


def test_savepoint_undoes_its_block_alone(database):
    """
    What came before a savepoint stays when its block fails, and the transaction goes on.
    """
    with database.cursor() as cr:
        cr.execute("INSERT INTO thing (name) VALUES ('before')")
        statements = "INSERT INTO thing (name) VALUES ('within')", "SELECT 1 / 0"
        with pytest.raises(errors.DataError), cr.savepoint():
            run(cr, statements)
        cr.execute("INSERT INTO thing (name) VALUES ('after')")
    assert names(database) == ["before", "after"]


def test_callbacks_of_a_failed_savepoint_are_forgotten(cr):
    """
    Rolled back to a savepoint, what was to follow the commit is forgotten, and what was to
    follow a rollback follows this one.
    """
    ran = []

    def within():
        cr.postcommit.add(lambda: ran.append("inner"))
        cr.postrollback.add(lambda: ran.append("undone"))
        raise LookupError

    cr.postcommit.add(lambda: ran.append("outer"))
    cr.postrollback.add(lambda: ran.append("never"))
    with pytest.raises(LookupError), cr.savepoint():
        within()
    assert ran == ["undone"]
    cr.commit()
    assert ran == ["undone", "outer"]


def test_commit_inside_a_savepoint_is_refused(cr):
    """
    A commit inside a savepoint raises, and the savepoint still stands.
    """
    with cr.savepoint():
        with pytest.raises(CursorError, match="inside a savepoint"):
            cr.commit()
        cr.execute("SELECT 1")


def test_pending_writes_go_out_first(cr):
    """
    Statements, COPY, savepoints and the commit flush; what the storage layer sends does not.
    """
    cr.transaction = recorder = Recorder()
    cr.execute("SELECT 1")
    cr.execute_unflushed("SELECT 1")
    with cr.savepoint():
        pass
    cr.commit()
    assert recorder.calls == ["flush", "flush", "on_savepoint", "flush", "flush", "on_commit"]


def test_rollbacks_tell_the_transaction(cr):
    """
    A rollback to a savepoint gives back its token, a whole one clears everything.
    """
    cr.transaction = recorder = Recorder()
    with pytest.raises(LookupError), cr.savepoint():
        raise LookupError
    assert recorder.calls == ["flush", "on_savepoint", ("on_savepoint_rollback", 2)]
    cr.rollback()
    assert recorder.calls[-1] == "clear"


def test_callbacks(cr):
    """
    Each kind of callback runs once, at its moment; a rollback forgets those of a commit.
    """
    ran = []
    cr.precommit.add(lambda: ran.append("precommit"))
    cr.postcommit.add(lambda: ran.append("postcommit"))
    cr.commit()
    cr.commit()
    assert ran == ["precommit", "postcommit"]
    cr.postcommit.add(lambda: ran.append("never"))
    cr.postrollback.add(lambda: ran.append("postrollback"))
    cr.rollback()
    cr.commit()
    assert ran == ["precommit", "postcommit", "postrollback"]


def test_failing_callback_after_the_commit(database, caplog):
    """
    A function that fails after the commit is logged: the commit stands, and the others run.
    """
    ran = []
    with database.cursor() as cr:
        cr.execute("INSERT INTO thing (name) VALUES ('kept')")
        cr.postcommit.add(lambda: 1 / 0)
        cr.postcommit.add(lambda: ran.append("next"))
    assert ran == ["next"]
    assert "ZeroDivisionError" in caplog.text
    assert names(database) == ["kept"]


def test_isolation_levels(database):
    """
    READ COMMITTED sees what others commit meanwhile, REPEATABLE READ does not.
    """
    with (
        database.cursor(sql.READ_COMMITTED) as newest,
        database.cursor(sql.REPEATABLE_READ) as stable,
    ):
        for cr in (newest, stable):
            cr.execute("SELECT count(*) FROM thing")
        with database.cursor() as other:
            other.execute("INSERT INTO thing (name) VALUES ('new')")
        counts = []
        for cr in (newest, stable):
            cr.execute("SELECT count(*) FROM thing")
            counts.append(cr.fetchone()[0])
    assert counts == [1, 0]


def test_unknown_isolation_level(database):
    """
    A level that the project does not use is refused before a connection is taken.
    """
    with pytest.raises(CursorError, match="read committed"):
        database.cursor("serializable")


def test_closed_cursor(database):
    """
    A closed cursor refuses every use; closing it again is fine.
    """
    cr = database.cursor()
    cr.close()
    cr.close()
    with pytest.raises(CursorError, match="closed"):
        cr.execute("SELECT 1")


def test_other_thread(cr):
    """
    A second thread that uses the cursor gets an error at once, with a copied context too.
    """
    raised = []

    def use():
        try:
            cr.execute("SELECT 1")
        except CursorError as error:
            raised.append(error)

    for target in (use, lambda: contextvars.copy_context().run(use)):
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
    assert len(raised) == 2


def test_other_task(database):
    """
    A cursor opened by one task is refused to the tasks it starts, and to threads of theirs.
    """

    async def main():
        cr = database.cursor()
        try:
            cr.execute("SELECT 1")

            async def use():
                cr.execute("SELECT 1")

            results = await asyncio.gather(
                use(), asyncio.to_thread(cr.execute, "SELECT 1"), return_exceptions=True
            )
        finally:
            cr.close()
        return results

    results = asyncio.run(main())
    assert [type(result) for result in results] == [CursorError, CursorError]


def test_values(cr):
    """
    Numerics read as floats, the time of the transaction as a naive datetime that stands still.
    """
    cr.execute("INSERT INTO thing (name, price) VALUES ('a', 1.25) RETURNING name, price")
    assert cr.dictfetchall() == [{"name": "a", "price": 1.25}]
    cr.execute("SELECT 7 AS seven")
    assert cr.dictfetchone() == {"seven": 7}
    assert cr.dictfetchone() is None
    moment = cr.now()
    assert isinstance(moment, datetime)
    assert moment.tzinfo is None
    assert cr.now() == moment


def test_statement_count(cr):
    """
    Every statement sent is counted.
    """
    before = cr.statement_count
    cr.execute("SELECT 1")
    cr.executemany("INSERT INTO thing (name) VALUES (%s)", [("a",), ("b",)])
    assert cr.statement_count - before == 3


def test_connection_settings(cr):
    """
    The server notices within seconds that a client of a running statement is gone.
    """
    cr.execute("SHOW client_connection_check_interval")
    assert cr.fetchone()[0] == "2s"
    parameters = cr.connection.get_dsn_parameters()
    assert parameters["tcp_user_timeout"] == "8000"
    assert parameters["keepalives_idle"] == "2"


def test_connection_is_used_again_with_what_it_remembers(database):
    """
    The next cursor gets the same connection, its prepared statements, and its memory.
    """
    with database.cursor() as cr:
        cr.execute("PREPARE one AS SELECT 1")
        cr.memory["prepared"] = {"one"}
        first = cr.connection
    with database.cursor() as cr:
        assert cr.connection is first
        assert cr.memory["prepared"] == {"one"}
        cr.execute("EXECUTE one")


def test_connection_with_a_session_lock_is_closed(database, caplog):
    """
    A connection that still holds a session lock never reaches the next borrower.
    """
    with database.cursor() as cr:
        assert locks.try_session_lock(cr, 7, 1)
        locked = cr.connection
    assert locked.closed
    with database.cursor() as cr:
        assert locks.try_session_lock(cr, 7, 1)
        assert locks.release_session_lock(cr, 7, 1)
        released = cr.connection
    assert not released.closed


def test_terminated_connection_is_replaced(database):
    """
    A connection that the server ended while it was idle is not given out.
    """
    with database.cursor() as cr:
        cr.execute("SELECT pg_backend_pid()")
        (pid,) = cr.fetchone()
    with sql.current_server().maintenance() as raw:
        raw.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
    with database.cursor() as cr:
        cr.execute("SELECT pg_backend_pid()")
        assert cr.fetchone()[0] != pid


def test_lost_connection_is_told_apart(database):
    """
    A statement on a terminated connection raises an error that counts as a lost connection.
    """
    cr = database.cursor()
    cr.execute("SELECT pg_backend_pid()")
    with sql.current_server().maintenance() as raw:
        raw.execute("SELECT pg_terminate_backend(%s, 5000)", cr.fetchone())
    with pytest.raises(errors.Error) as caught:
        cr.execute("SELECT 1")
    assert errors.is_connection_lost(caught.value)
    assert not errors.is_conflict(caught.value)
    with pytest.raises(errors.Error) as caught:
        cr.execute("SELECT 1")
    assert errors.is_connection_lost(caught.value)
    cr.close()


def test_conflict_is_told_apart(database):
    """
    Two REPEATABLE READ transactions that change one row: the second fails with a conflict.
    """
    with database.cursor() as cr:
        cr.execute("INSERT INTO thing (name) VALUES ('a')")
    first, second = database.cursor(), database.cursor()
    for cr in (first, second):
        cr.execute("SELECT * FROM thing")
    first.execute("UPDATE thing SET name = 'b'")
    first.commit()
    with pytest.raises(errors.SerializationFailure) as caught:
        second.execute("UPDATE thing SET name = 'c'")
    assert errors.is_conflict(caught.value)
    assert not errors.is_connection_lost(caught.value)
    first.close()
    second.close()


def test_pool_exhausted(database, monkeypatch):
    """
    When every connection is in use a borrower waits, and then gets an error that says so.
    """
    monkeypatch.setattr(pool, "POOL_WAIT_SECONDS", 0.1)
    small = pool.Pool(sql.current_server().open_raw, 1)
    held = sql.Cursor(small, database.dbname)
    with pytest.raises(PoolExhaustedError, match="db_maxconn"):
        sql.Cursor(small, database.dbname)
    held.close()
    sql.Cursor(small, database.dbname).close()
    small.close()


def test_lost_cursor_is_closed(database, caplog):
    """
    A cursor that nobody holds any more rolls back, gives its connection back, and says so.
    """
    cr = database.cursor()
    cr.execute("INSERT INTO thing (name) VALUES ('lost')")
    with caplog.at_level(logging.WARNING):
        del cr
    assert "without being closed" in caplog.text
    assert not sql.in_use(database.dbname)
    assert names(database) == []


def test_outdated_connection_is_not_lent_again(database):
    """
    `close_all` closes idle connections at once, and those in use when they come back.
    """
    with database.cursor() as cr:
        sql.close_all(database.dbname)
        assert sql.in_use(database.dbname)
        cr.execute("SELECT 1")
        before = cr.connection
    assert before.closed
    with database.cursor() as cr:
        assert cr.connection is not before


def _in_child(dbname, inherited, results):
    with sql.connect(dbname).cursor() as cr:
        cr.execute("SELECT pg_backend_pid()")
        results.put(cr.fetchone()[0])
        try:
            inherited.execute("SELECT 1")
        except CursorError:
            results.put("refused")
        inherited.close()
        del inherited
        cr.execute("SELECT 1")
        results.put("undisturbed")


def test_forked_child_has_its_own_connections(database):
    """
    A forked child opens its own connection, is refused its parent's, and disturbs neither.
    """
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    with database.cursor() as cr:
        cr.execute("SELECT pg_backend_pid()")
        (pid,) = cr.fetchone()
        child = context.Process(target=_in_child, args=(database.dbname, cr, results))
        child.start()
        assert results.get(timeout=20) != pid
        assert results.get(timeout=20) == "refused"
        assert results.get(timeout=20) == "undisturbed"
        child.join()
        cr.execute("SELECT pg_backend_pid()")
        assert cr.fetchone()[0] == pid


def test_notifications(database):
    """
    A notification sent by another transaction arrives within the wait.
    """
    with database.cursor(sql.READ_COMMITTED) as listener:
        listener.execute("LISTEN news")
        listener.commit()
        assert listener.poll_notifies() == []
        with database.cursor() as cr:
            cr.execute("NOTIFY news")
        assert [note.channel for note in listener.poll_notifies(5)] == ["news"]


def test_rolled_back_cursor(database):
    """
    A test's cursor keeps what it commits for itself, and nothing for anybody else.
    """
    cr = sql.RolledBackCursor(sql.current_server().pool, database.dbname)
    cr.execute("INSERT INTO thing (name) VALUES ('committed')")
    cr.commit()
    cr.execute("INSERT INTO thing (name) VALUES ('not committed')")
    cr.rollback()
    cr.execute("SELECT name FROM thing")
    assert cr.fetchall() == [("committed",)]
    cr.close()
    assert names(database) == []


def test_second_cursor_in_a_test(database):
    """
    Where a test works in one transaction, a second cursor raises with advice.
    """
    with (
        database.forbid_cursors("use the fixture `database`"),
        pytest.raises(CursorError, match="use the fixture"),
    ):
        database.cursor()
    database.cursor().close()


def test_databases(empty_database):
    """
    Databases are made once, copied, and dropped with everybody in them.
    """
    copy = f"{empty_database}_copy"
    with pytest.raises(DatabaseExistsError, match=empty_database):
        sql.create_database(empty_database)
    sql.create_database(copy, template=empty_database)
    cr = sql.connect(copy).cursor()
    sql.drop_database(copy)
    sql.drop_database(copy)
    assert not sql.database_exists(copy)
    cr.close()
    with pytest.raises(DatabaseMissingError, match=copy):
        sql.connect(copy).cursor()
