"""The cursor: one connection of the pool, one transaction at a time, one owner."""

import asyncio
import logging
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from select import POLLIN, poll
from threading import get_ident
from typing import IO, Any, Self

import psycopg2
from psycopg2.extensions import connection
from psycopg2.sql import Composable

from connector.core.exceptions import CursorError
from connector.core.sql.pool import Pool
from connector.core.sql.transaction import Callbacks, Transaction

logger = logging.getLogger(__name__)

READ_COMMITTED = "read committed"
REPEATABLE_READ = "repeatable read"
ISOLATION_LEVELS = (READ_COMMITTED, REPEATABLE_READ)

Query = str | Composable


class Cursor:
    """
    A transaction on a connection of its own.

    As a context manager it commits on success, rolls back on an error, and always closes.
    It belongs to the thread and task that made it.

    Raises:
        CursorError: on every use by another thread or task, or after it was closed.
    """

    def __init__(self, pool: Pool, dbname: str, isolation_level: str | None = None) -> None:
        self.closed = True  # until a connection is there
        self.dbname = dbname
        self.isolation_level = _checked_level(isolation_level or REPEATABLE_READ)
        self.transaction: Transaction | None = None
        self.statement_count = 0
        self.precommit = Callbacks()
        self.postcommit = Callbacks()
        self.postrollback = Callbacks()
        self._now: datetime | None = None
        self._savepoints = 0
        self._savepoint_names = 0
        self._transactions = 0
        self._thread = get_ident()
        self._task = _current_task()
        self._pool = pool
        self._lent = pool.borrow(dbname)
        self._lent.borrower = weakref.ref(self)
        self.connection: connection = self._lent.connection
        self._set_up()
        self._cr = self.connection.cursor()
        self.closed = False

    def _set_up(self) -> None:
        self.connection.set_session(isolation_level=self.isolation_level)

    # -- life ---------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_details: object) -> None:
        try:
            if kind is None and not self.closed:
                self.commit()
        finally:
            self.close()

    def __del__(self) -> None:
        if not self.closed:
            logger.warning("A cursor was lost without being closed; its work is rolled back")
            self._release()

    def commit(self) -> None:
        """
        Send what waits and make it permanent.

        Raises:
            CursorError: inside a savepoint, whose end would have nothing to go back to.
        """
        self.check_owner()
        if self._savepoints:
            raise CursorError("Cannot commit inside a savepoint. Leave its block first.")
        self._flush()
        while len(self.precommit):
            self.precommit.run()
            self._flush()
        self._send_commit()
        self._begin_next()
        if self.transaction is not None:
            self.transaction.on_commit()
        self.postrollback.clear()
        self.postcommit.run_all()

    def rollback(self) -> None:
        """Undo the transaction and forget what waits."""
        self.check_owner()
        self.precommit.clear()
        self.postcommit.clear()
        try:
            self._send_rollback()
        finally:
            self._rolled_back()

    def _rolled_back(self) -> None:
        self._begin_next()
        if self.transaction is not None:
            self.transaction.clear()
        self.postrollback.run_all()

    def _send_commit(self) -> None:
        self.connection.commit()

    def _send_rollback(self) -> None:
        self.connection.rollback()

    def close(self) -> None:
        """Roll back what is not committed and give the connection back. Twice is fine."""
        if self.closed:
            return
        self.check_owner()
        try:
            if self.connection.closed:
                self._rolled_back()  # by the server
            else:
                self.rollback()
        except psycopg2.Error:
            logger.debug("The closing rollback failed", exc_info=True)
        finally:
            self.transaction = None
            self._release()

    def _release(self) -> None:
        self.closed = True
        self._pool.give_back(self._lent)

    def _begin_next(self) -> None:
        self._now = None
        self._transactions += 1

    def check_owner(self) -> None:
        """
        Refuse a stranger before what is in memory changes.

        Raises:
            CursorError: the cursor is closed, or this is not its thread or task.
        """
        # Before each statement: as few calls as can be, and the words only when they are needed.
        if self.closed:
            raise CursorError(
                f"The cursor on database {self.dbname!r} is closed. Open another one."
            )
        if get_ident() != self._thread or _current_task() is not self._task:
            self._refuse_stranger()

    def _refuse_stranger(self) -> None:
        raise CursorError(
            f"A cursor on database {self.dbname!r} is used by another thread or task than "
            "the one that opened it. Open one cursor for each."
        )

    # -- statements ---------------------------------------------------------

    def execute(self, query: Query, params: Any = None, log_exceptions: Any = None) -> None:
        """
        Run a statement; it sees everything that was written through the models before.

        8.0 is told with *log_exceptions* not to log an error; here none is logged, only raised.
        """
        if self.transaction is not None:
            self._flush()
        self.execute_unflushed(query, params)

    def execute_unflushed(self, query: Query, params: Any = None) -> None:
        """Run a statement past the pending writes: for the storage layer and for locks."""
        self.check_owner()
        self._note(query)
        self._cr.execute(query, params)

    def _note(self, query: Query) -> None:
        self.statement_count += 1
        # Session locks outlive the transaction, so the pool has to look for them.
        if isinstance(query, str) and "advisory_lock" in query:
            self._lent.may_hold_locks = True

    @property
    def may_hold_session_locks(self) -> bool:
        """Whether a session lock was spoken of since the last ones were given back."""
        return self._lent.may_hold_locks

    def expect_session_locks(self, expected: bool = True) -> None:
        """Have the pool look for session locks when the connection comes back, or spare it that."""
        self._lent.may_hold_locks = expected

    def executemany(self, query: Query, rows: Iterable[Any]) -> None:
        """Run a statement once for each row of parameters."""
        self._flush()
        for row in rows:
            self.execute_unflushed(query, row)

    def copy_expert(self, query: Query, file: IO[Any]) -> None:
        """Run a COPY between *file* and the database."""
        self._flush()
        self.copy_unflushed(query, file)

    def copy_unflushed(self, query: Query, file: IO[Any]) -> None:
        """Run a COPY past the pending writes: for the storage layer."""
        self.check_owner()
        self.statement_count += 1
        self._cr.copy_expert(query, file)

    def mogrify(self, query: Query, params: Any = None) -> str:
        """The statement as it would be sent."""
        self.check_owner()
        return self._cr.mogrify(query, params).decode()

    def _flush(self) -> None:
        self.check_owner()
        if self.transaction is not None:
            self.transaction.flush()

    def cancel(self) -> None:
        """End the statement in progress with an error; for another thread than the owner's."""
        if not self.closed:
            self.connection.cancel()

    # -- results ------------------------------------------------------------

    @property
    def rowcount(self) -> int:
        return self._cr.rowcount

    @property
    def description(self) -> Any:
        return self._cr.description

    @property
    def memory(self) -> dict[str, Any]:
        """What lives as long as the connection: names of prepared statements, reserved ids."""
        return self._lent.memory

    def fetchone(self) -> Any:
        self.check_owner()
        return self._cr.fetchone()

    def fetchmany(self, size: int) -> list[Any]:
        self.check_owner()
        return self._cr.fetchmany(size)

    def fetchall(self) -> list[Any]:
        self.check_owner()
        return self._cr.fetchall()

    def free_result(self) -> None:
        """Give back the memory of the last statement's result."""
        self.check_owner()
        self._cr.close()
        self._cr = self.connection.cursor()

    def dictfetchone(self) -> dict[str, Any] | None:
        row = self.fetchone()
        return None if row is None else dict(zip(self._column_names(), row, strict=True))

    def dictfetchmany(self, size: int) -> list[dict[str, Any]]:
        return self._as_dicts(self.fetchmany(size))

    def dictfetchall(self) -> list[dict[str, Any]]:
        return self._as_dicts(self.fetchall())

    def __iter__(self) -> Iterator[Any]:
        self.check_owner()
        return iter(self._cr)

    def _as_dicts(self, rows: Sequence[Any]) -> list[dict[str, Any]]:
        names = self._column_names()
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _column_names(self) -> list[str]:
        return [column.name for column in self._cr.description or ()]

    def now(self) -> datetime:
        """The moment the transaction began, in UTC and without a zone, as fields hold it."""
        if self._now is None:
            self.execute_unflushed("SELECT now() AT TIME ZONE 'UTC'")
            self._now = self._cr.fetchall()[0][0]
        assert self._now is not None
        return self._now

    # -- savepoints ---------------------------------------------------------

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What the block does is undone alone when it raises; the transaction goes on."""
        self._flush()
        transaction = self.transaction
        token = transaction.on_savepoint() if transaction is not None else None
        marks = len(self.precommit), len(self.postcommit), len(self.postrollback)
        began = self._transactions
        self._savepoint_names += 1
        name = f"savepoint_{self._savepoint_names}"
        self.execute_unflushed(f"SAVEPOINT {name}")
        self._savepoints += 1
        try:
            yield
            self._flush()
            if began == self._transactions:
                self.execute_unflushed(f"RELEASE SAVEPOINT {name}")
        except BaseException:
            if began == self._transactions and not self.connection.closed:
                self._undo_to(name, transaction, token)
                self.precommit.cut(marks[0])
                self.postcommit.cut(marks[1])
                self.postrollback.cut(marks[2]).run_all()
            raise
        finally:
            self._savepoints -= 1

    def _undo_to(self, name: str, transaction: Transaction | None, token: Any) -> None:
        try:
            self.execute_unflushed(f"ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}")
        except psycopg2.OperationalError:
            # The connection broke; the error that is on its way says more.
            logger.debug("Cannot roll back to a savepoint", exc_info=True)
        if transaction is not None:
            transaction.on_savepoint_rollback(token)
        elif self.transaction is not None:
            self.transaction.clear()

    # -- notifications ------------------------------------------------------

    def fileno(self) -> int:
        """The socket, for a caller that waits on several things."""
        return self.connection.fileno()

    def poll_notifies(self, timeout: float = 0.0) -> list[Any]:
        """
        The notifications that arrive within *timeout* seconds.

        PostgreSQL delivers between transactions only: commit or roll back before.
        """
        self.check_owner()
        if not self.connection.notifies and timeout > 0:
            waiting = poll()
            waiting.register(self.connection.fileno(), POLLIN)
            waiting.poll(timeout * 1000)
        self.connection.poll()
        arrived = list(self.connection.notifies)
        self.connection.notifies.clear()
        return arrived


def _checked_level(level: str) -> str:
    normal = level.lower().replace("_", " ")
    if normal not in ISOLATION_LEVELS:
        raise CursorError(
            f"Unknown isolation level {level!r}. Choose {READ_COMMITTED!r} or {REPEATABLE_READ!r}."
        )
    return normal


def _current_task() -> Any:
    # The function that asks without raising where no loop runs.
    return None if asyncio._get_running_loop() is None else asyncio.current_task()
