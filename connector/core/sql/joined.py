"""Cursors that spend no round trips of their own on BEGIN and COMMIT."""

from typing import IO, Any

from psycopg2.extensions import TRANSACTION_STATUS_IDLE

from connector.core.sql.cursor import Cursor, Query


class PlainCursor(Cursor):
    """A cursor whose transactions psycopg2 does not know: their ends are statements like others."""

    def _set_up(self) -> None:
        # Each BEGIN names the level; psycopg2 would set and reset it by round trips of its own.
        if self.connection.isolation_level is not None:
            self.connection.isolation_level = None
        self.connection.autocommit = True

    def _begin(self) -> str:
        return f"BEGIN ISOLATION LEVEL {self.isolation_level}"

    def _is_idle(self) -> bool:
        """Whether no transaction has begun."""
        return self.connection.info.transaction_status == TRANSACTION_STATUS_IDLE

    def _release(self) -> None:
        try:
            if not self.connection.closed:
                self.connection.autocommit = False
        finally:
            super()._release()


class JoinedCursor(PlainCursor):
    """
    A cursor whose BEGIN goes out with the first statement of a transaction.

    `commit_with` sends the last one with COMMIT.  All else is as with any cursor.
    """

    _last = ""

    def commit_with(self, last: str, params: Any = None) -> None:
        """Run *last* and commit, in one round trip; its result is not to be had."""
        self._last = self.mogrify(last, params)
        try:
            self.commit()
        finally:
            self._last = ""

    def execute_unflushed(self, query: Query, params: Any = None) -> None:
        if self._is_idle():
            query, params = f"{self._begin()}; {self.mogrify(query, params)}", None
        super().execute_unflushed(query, params)

    def copy_unflushed(self, query: Query, file: IO[Any]) -> None:
        if self._is_idle():
            super().execute_unflushed(self._begin())
        super().copy_unflushed(query, file)

    def _send_commit(self) -> None:
        if self._last:
            self.execute_unflushed(f"{self._last}; COMMIT")
        elif not self._is_idle():
            super().execute_unflushed("COMMIT")

    def _send_rollback(self) -> None:
        if not self._is_idle():
            super().execute_unflushed("ROLLBACK")
