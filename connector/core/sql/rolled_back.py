"""A cursor whose work is never kept: what a test works with."""

from connector.core.exceptions import CursorError
from connector.core.sql.cursor import Cursor

_KEEP = "SAVEPOINT kept"
_KEEP_AGAIN = "RELEASE SAVEPOINT kept; SAVEPOINT kept"
_GO_BACK = "ROLLBACK TO SAVEPOINT kept"


class RolledBackCursor(Cursor):
    """
    One transaction that ends in a rollback, whatever the code under test does.

    A commit flushes and keeps a savepoint; a rollback goes back to the last one.
    """

    _is_kept = False

    def commit(self) -> None:
        self._check()
        if self._savepoints:
            raise CursorError("Cannot commit inside a savepoint. Leave its block first.")
        self._flush()
        while len(self.precommit):
            self.precommit.run()
            self._flush()
        self._keep()
        self._begin_next()
        if self.transaction is not None:
            self.transaction.on_commit()
        self.postrollback.clear()
        self.postcommit.run()

    def rollback(self) -> None:
        self._check()
        self.precommit.clear()
        self.postcommit.clear()
        if self._is_kept:
            self.execute_unflushed(_GO_BACK)
        else:
            self.connection.rollback()
        self._begin_next()
        if self.transaction is not None:
            self.transaction.clear()
        self.postrollback.run()

    def _keep(self) -> None:
        self.execute_unflushed(_KEEP_AGAIN if self._is_kept else _KEEP)
        self._is_kept = True
