"""The cursor of a test that leaves nothing behind."""

from connector.core.sql.cursor import Cursor
from connector.core.sql.pool import Pool

_MARK = "last_commit"


class RolledBackCursor(Cursor):
    """
    A cursor whose commits are savepoints of one transaction, undone when it is closed.

    What is committed stays visible to it, and a rollback goes back to the last commit; no
    other connection ever sees anything.
    """

    def __init__(self, pool: Pool, dbname: str, isolation_level: str | None = None) -> None:
        super().__init__(pool, dbname, isolation_level)
        self.execute_unflushed(f"SAVEPOINT {_MARK}")

    def _send_commit(self) -> None:
        self.execute_unflushed(f"RELEASE SAVEPOINT {_MARK}; SAVEPOINT {_MARK}")

    def _send_rollback(self) -> None:
        self.execute_unflushed(f"ROLLBACK TO SAVEPOINT {_MARK}")
