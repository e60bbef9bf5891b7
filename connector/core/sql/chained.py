"""The cursor of one who has many short transactions, one right after the other."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg2

from connector.core.sql.joined import PlainCursor
from connector.core.sql.pool import Pool

_UNLOCK = "SELECT pg_advisory_unlock_all()"


class ChainedCursor(PlainCursor):
    """
    A cursor whose transactions begin in the round trip that ends the one before.

    After `begin` there is always a transaction: it ends with `commit` or `rollback`, and the
    next one begins at once; `end_with` is the last.  The statements in between are those of any
    cursor.
    """

    def __init__(self, pool: Pool, dbname: str, isolation_level: str | None = None) -> None:
        super().__init__(pool, dbname, isolation_level)
        self._opening = self._begin()
        self._last = ""
        self._next = self._opening
        self._answer: Any = None
        self._kept: Mapping[str, int] = {}
        self._is_keeping = False

    def set_in_each(self, settings: Mapping[str, int]) -> None:
        """Have every transaction from the next one on begin with these settings."""
        local = [f"SET LOCAL {name} TO {value:d}" for name, value in settings.items()]
        self._opening = self._next = "; ".join([self._begin(), *local])

    def keep_set(self, settings: Mapping[str, int]) -> None:
        """
        Have the connection keep these settings from `begin` on, until it is given back.

        What is set in a transaction alone is forgotten the moment when a statement of it fails.
        """
        self._kept = settings

    def begin(self, first: str, params: Any, answer: str) -> Any:
        """
        Run *first* in a transaction of its own, then begin and ask *answer*: give its value.

        It is committed without waiting for the disk; a later commit that waits makes it durable.
        """
        self.check_owner()
        text = self.mogrify(first, params)
        kept = [] if self._is_keeping else [f"SET {k} TO {v:d}" for k, v in self._kept.items()]
        self._is_keeping = bool(self._kept)
        apart = ("BEGIN", *kept, "SET LOCAL synchronous_commit TO off", text, "COMMIT")
        self._send(self._undoing(), *apart, self._opening, answer)
        self._begin_next()
        return self.fetchone()[0]

    def commit_with(self, last: str, params: Any, answer: str) -> Any:
        """Commit together with *last*, then begin again and ask *answer*: give its value."""
        with self._ending(self.mogrify(last, params), f"{self._opening}; {answer}"):
            self.commit()
        return self._answer

    def end_with(self, last: str, params: Any) -> None:
        """Commit together with *last*, give back every session lock, and begin no more."""
        with self._ending(self.mogrify(last, params), "; ".join([_UNLOCK, *self._resetting()])):
            self.commit()
        self._is_keeping = False
        self.expect_session_locks(False)

    def close(self) -> None:
        if not self.closed:
            with self._ending("", ""):
                super().close()

    @contextmanager
    def _ending(self, last: str, next_: str) -> Iterator[None]:
        self._last, self._next = last, next_
        try:
            yield
        finally:
            self._last, self._next = "", self._opening

    def _send_commit(self) -> None:
        self._send(self._last, "COMMIT", self._next)
        # Now, before what follows a commit asks something else.
        row = self._cr.fetchone() if self._cr.description else None
        self._answer = row[0] if row else None

    def _send_rollback(self) -> None:
        self._send(self._undoing(), self._next)

    def _resetting(self) -> list[str]:
        """What makes the connection forget its settings."""
        return [f"RESET {name}" for name in self._kept] if self._is_keeping else []

    def _undoing(self) -> str:
        """What ends the transaction, if there is one."""
        return "" if self._is_idle() else "ROLLBACK"

    def _send(self, *statements: str) -> None:
        text = "; ".join(filter(None, statements))
        if text:
            self._note(text)
            self._cr.execute(text)

    def _release(self) -> None:
        try:
            if not self.connection.closed:
                self._send(*self._resetting())
        except psycopg2.Error:
            self.connection.close()  # the next borrower must not have this one's settings
        finally:
            super()._release()
