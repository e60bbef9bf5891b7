"""The connections of this process: lent, taken back, and closed when in doubt."""

import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from select import POLLIN, poll
from typing import Any

import psycopg2
from psycopg2.extensions import (
    STATUS_READY,
    connection,
    new_type,
    register_type,
)

from connector.core.exceptions import PoolExhaustedError

logger = logging.getLogger(__name__)

#: how long a borrower waits for a connection before the pool counts as exhausted
POOL_WAIT_SECONDS = 10.0

#: a server notices within this time that the client of a running statement is gone
_DURING_STATEMENTS = "SELECT set_config('client_connection_check_interval', '2s', false)"
#: and by these, over TCP, that the machine of a client is gone; a Unix socket ignores them
_BETWEEN_STATEMENTS = """
SELECT set_config('tcp_keepalives_idle', '2', false),
       set_config('tcp_keepalives_interval', '2', false),
       set_config('tcp_keepalives_count', '3', false),
       set_config('tcp_user_timeout', '8s', false)
"""

#: called whenever a connection came back
on_release: list[Callable[[], None]] = []

_HELD_LOCKS = (
    "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() LIMIT 1"
)
_NUMERIC_OID = 1700
# A numeric column holds what a Float field with digits writes, so it reads as a float.
_NUMERIC = new_type(
    (_NUMERIC_OID,), "NUMERIC_AS_FLOAT", lambda text, _cr: None if text is None else float(text)
)


@dataclass(eq=False)
class Lent:
    """One connection and what is remembered as long as it lives."""

    connection: connection
    dbname: str
    #: what a caller keeps with the connection: prepared statements, reserved ids
    memory: dict[str, Any] = field(default_factory=dict)
    #: a session lock was spoken of, so that one may be held
    may_hold_locks: bool = False
    #: the cursor that works on it
    borrower: "weakref.ref[Any] | None" = None
    #: to be closed when it comes back
    outdated: bool = False


class Pool:
    """At most *maxconn* connections, over all databases; *connect* opens one to a database."""

    def __init__(self, connect: Callable[[str], connection], maxconn: int) -> None:
        self._connect = connect
        self._maxconn = maxconn
        self._idle: deque[Lent] = deque()  # the least recently used first
        self._busy: set[Lent] = set()
        self._opening = 0
        self._changed = threading.Condition()
        _pools.add(self)

    def borrow(self, dbname: str) -> Lent:
        """
        A live connection to a database.

        Raises:
            PoolExhaustedError: none came back in time.
        """
        while True:
            lent = self._take_idle(dbname)
            if lent is None:
                return self._open(dbname)
            if _is_alive(lent.connection):
                return lent
            self._drop(lent)

    def give_back(self, lent: Lent) -> None:
        """Keep the connection for the next borrower; close it when it is not clean."""
        clean = not lent.connection.closed and _roll_back(lent.connection)
        if clean and lent.may_hold_locks:
            clean = not _holds_session_lock(lent)
        with self._changed:
            kept = clean and not lent.outdated
            self._busy.discard(lent)
            if kept:
                self._idle.append(lent)
            self._changed.notify()
        if not kept:
            _close(lent.connection)
        for function in on_release:
            function()

    def in_use(self, dbname: str) -> bool:
        """Whether a connection to the database is lent."""
        with self._changed:
            # A copy: a lost cursor that is collected meanwhile gives its connection back.
            return any(lent.dbname == dbname for lent in list(self._busy))

    def close(self, dbname: str | None = None) -> None:
        """Close the idle connections, to one database or to all; busy ones close on return."""
        with self._changed:
            chosen = [lent for lent in self._idle if dbname in (None, lent.dbname)]
            for lent in chosen:
                self._idle.remove(lent)
            for lent in self._busy:
                lent.outdated = lent.outdated or dbname in (None, lent.dbname)
            self._changed.notify_all()
        for lent in chosen:
            _close(lent.connection)

    def forget_all(self) -> None:
        """
        In a forked child: the connections are the parent's, only their sockets close here.

        The cursors that work on them count as closed: a socket opened later may get the
        number of one of theirs, and must not hear from them.
        """
        for lent in (*self._idle, *self._busy):
            cursor = lent.borrower() if lent.borrower is not None else None
            if cursor is not None:
                cursor.closed = True
            if not lent.connection.closed:
                os.close(lent.connection.fileno())
        self._idle, self._busy, self._opening = deque(), set(), 0
        self._changed = threading.Condition()

    def _take_idle(self, dbname: str) -> Lent | None:
        """The connection used last; None, with a place reserved, when one is to be opened."""
        deadline = time.monotonic() + POOL_WAIT_SECONDS
        with self._changed:
            while True:
                for lent in reversed(list(self._idle)):
                    if lent.dbname == dbname:
                        self._idle.remove(lent)
                        self._busy.add(lent)
                        return lent
                if self._make_room():
                    self._opening += 1
                    return None
                if not self._changed.wait(deadline - time.monotonic()):
                    raise PoolExhaustedError(
                        f"All {self._maxconn} connections of this process are in use, and none "
                        f"came back within {POOL_WAIT_SECONDS:.0f} s. Close cursors that are "
                        "no longer needed, or raise db_maxconn."
                    )

    def _make_room(self) -> bool:
        if len(self._idle) + len(self._busy) + self._opening < self._maxconn:
            return True
        if self._idle:
            _close(self._idle.popleft().connection)
            return True
        return False

    def _open(self, dbname: str) -> Lent:
        lent = None
        try:
            opened = self._connect(dbname)
            register_type(_NUMERIC, opened)
            lent = Lent(opened, dbname)
        finally:
            with self._changed:
                self._opening -= 1
                if lent is not None:
                    self._busy.add(lent)
                self._changed.notify()
        return lent

    def _drop(self, lent: Lent) -> None:
        with self._changed:
            self._busy.discard(lent)
        _close(lent.connection)


def _is_alive(conn: connection) -> bool:
    """Whether an idle connection can be used: the server has nothing to say to it but farewell."""
    if conn.closed:
        return False
    waiting = poll()
    waiting.register(conn.fileno(), POLLIN)
    return not waiting.poll(0)


def _roll_back(conn: connection) -> bool:
    try:
        if conn.status != STATUS_READY:
            conn.rollback()
        conn.notifies.clear()
    except psycopg2.Error:
        return False
    return True


def _holds_session_lock(lent: Lent) -> bool:
    # Not DISCARD ALL or pg_advisory_unlock_all: prepared statements stay, and a lock that
    # somebody forgot must end with its connection, never be handed to the next borrower.
    try:
        lent.connection.autocommit = True
        with lent.connection.cursor() as cr:
            cr.execute(_HELD_LOCKS)
            held = cr.fetchone() is not None
        lent.connection.autocommit = False
    except psycopg2.Error:
        return True
    if held:
        logger.warning(
            "A session lock is still held; its connection is closed",
            extra={
                "database": lent.dbname,
            },
        )
    lent.may_hold_locks = held
    return held


def watch_client(conn: connection) -> None:
    """Have the server notice soon that this client is gone, and let go of its locks."""
    conn.autocommit = True
    for setting in (_DURING_STATEMENTS, _BETWEEN_STATEMENTS):
        try:
            with conn.cursor() as cr:
                cr.execute(setting)
        except (psycopg2.DataError, psycopg2.ProgrammingError) as error:
            # Too old a server, or not on its platform: its own defaults remain.
            logger.debug("The server cannot watch its clients so: %s", error)
    conn.autocommit = False


def _close(conn: connection) -> None:
    try:
        conn.close()
    except psycopg2.Error:
        logger.debug("A connection could not be closed in order", exc_info=True)


_pools: "weakref.WeakSet[Pool]" = weakref.WeakSet()


def _forget_parents_connections() -> None:
    for pool in _pools:
        pool.forget_all()


os.register_at_fork(after_in_child=_forget_parents_connections)
