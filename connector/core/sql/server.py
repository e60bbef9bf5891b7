"""The PostgreSQL server of this process, and its databases."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection, parse_dsn

from connector.core.exceptions import (
    CursorError,
    DatabaseExistsError,
    DatabaseMissingError,
    DatabaseUnreachableError,
    NoServerError,
)
from connector.core.sql.chained import ChainedCursor
from connector.core.sql.cursor import Cursor
from connector.core.sql.joined import JoinedCursor
from connector.core.sql.pool import Pool, watch_client

logger = logging.getLogger(__name__)

AnyCursor = TypeVar("AnyCursor", bound=Cursor)

#: where CREATE DATABASE and DROP DATABASE are sent from
MAINTENANCE_DATABASES = ("postgres", "template1")

#: how long a template may be busy with the last session of somebody else
TEMPLATE_WAIT_SECONDS = 10.0

#: libpq parameters of every connection: a machine that is cut off is noticed within seconds
_CONNECTION_PARAMETERS: dict[str, Any] = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 2,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 8000,
    "application_name": "connector",
}

#: libpq parameters that tell one server, and who is asking, from another
_PLACE = ("host", "hostaddr", "port", "user", "service")


class Database:
    """One database of the server; gives cursors."""

    def __init__(self, server: "Server", dbname: str) -> None:
        self._server = server
        self.dbname = dbname
        self._forbidden: str | None = None

    def cursor(self, isolation_level: str | None = None) -> Cursor:
        """
        A cursor on a connection of its own, REPEATABLE READ unless told otherwise.

        Raises:
            DatabaseUnreachableError: the server does not answer.
            DatabaseMissingError: the server has no such database.
            CursorError: a test works in one transaction here.
        """
        return self._cursor(Cursor, isolation_level)

    def chained_cursor(self, isolation_level: str | None = None) -> ChainedCursor:
        """A cursor for many short transactions; errors as of `cursor`."""
        return self._cursor(ChainedCursor, isolation_level)

    def joined_cursor(self, isolation_level: str | None = None) -> JoinedCursor:
        """A cursor that spends no round trip on BEGIN alone; errors as of `cursor`."""
        return self._cursor(JoinedCursor, isolation_level)

    def _cursor(self, kind: type[AnyCursor], isolation_level: str | None) -> AnyCursor:
        if self._forbidden is not None:
            raise CursorError(self._forbidden)
        return kind(self._server.pool, self.dbname, isolation_level)

    @contextmanager
    def forbid_cursors(self, advice: str) -> Iterator[None]:
        """In the block a new cursor raises *advice*: a rolled-back test has only its own."""
        self._forbidden, before = advice, self._forbidden
        try:
            yield
        finally:
            self._forbidden = before


class Server:
    """A PostgreSQL server and the pool of connections to it."""

    def __init__(self, dsn: str, maxconn: int) -> None:
        try:
            self._parameters = {**_CONNECTION_PARAMETERS, **parse_dsn(dsn)}
        except psycopg2.ProgrammingError:
            # The error of libpq may quote the password.
            raise DatabaseUnreachableError(
                "The database URL cannot be read. "
                "It looks like postgresql://user:password@host:5432/database."
            ) from None
        self.default_database: str = self._parameters.pop("dbname", "") or "connector"
        self.pool = Pool(self._open, maxconn)
        self._databases: dict[str, Database] = {}

    @property
    def place(self) -> str:
        """Where the server is, for messages."""
        host = self._parameters.get("host", "the local socket")
        return f"{host}, port {self._parameters.get('port', 5432)}"

    @property
    def parameters(self) -> dict[str, Any]:
        """How libpq reaches the server, a password included; never to be shown."""
        return dict(self._parameters)

    def is_at(self, dsn: str) -> bool:
        """Whether *dsn* names this server, for the same user; its database does not matter."""
        try:
            other = parse_dsn(dsn)
        except psycopg2.ProgrammingError:
            return False  # `use_server` tells what is wrong with it
        return all(self._parameters.get(key) == other.get(key) for key in _PLACE)

    def database(self, name: str) -> Database:
        return self._databases.setdefault(name, Database(self, name))

    def _open(self, dbname: str) -> connection:
        try:
            return self.open_raw(dbname)
        except DatabaseUnreachableError:
            if self._is_missing(dbname):
                raise DatabaseMissingError(
                    f"There is no database {dbname!r} on the server at {self.place}. "
                    "Create it, or name another one."
                ) from None
            raise

    def open_raw(self, dbname: str) -> connection:
        """A connection outside the pool."""
        try:
            opened: connection = psycopg2.connect(**self._parameters, dbname=dbname)
            watch_client(opened)
        except psycopg2.OperationalError as error:
            raise DatabaseUnreachableError(
                f"Cannot connect to database {dbname!r} at {self.place}: "
                f"{_first_line(error)}. Is the server running, and is DATABASE_URL right?"
            ) from error
        return opened

    def _is_missing(self, dbname: str) -> bool:
        try:
            with self.maintenance() as cr:
                cr.execute("SELECT 1 FROM pg_database WHERE datname = %s", (dbname,))
                return cr.fetchone() is None
        except (DatabaseUnreachableError, psycopg2.Error):
            return False

    @contextmanager
    def maintenance(self) -> Iterator[Any]:
        """A raw autocommit cursor beside the databases of the project."""
        opened = self._open_maintenance()
        try:
            opened.autocommit = True
            with opened.cursor() as cr:
                yield cr
        finally:
            opened.close()

    def _open_maintenance(self) -> connection:
        *others, last = MAINTENANCE_DATABASES
        for name in others:
            try:
                return self.open_raw(name)
            except DatabaseUnreachableError:
                logger.debug("No maintenance from database %s", name)
        return self.open_raw(last)


_server: Server | None = None


def _first_line(error: Exception) -> str:
    # libpq adds a question of its own on the next line.
    return str(error).strip().partition("\n")[0]


def use_server(dsn: str, maxconn: int = 64) -> None:
    """Take this server from now on; entry points call it once. *dsn* names the default database."""
    global _server
    if _server is not None:
        _server.pool.close()
    _server = Server(dsn, maxconn)


def current_server() -> Server:
    """
    The server in use.

    Raises:
        NoServerError: none was named.
    """
    if _server is None:
        raise NoServerError(
            "No PostgreSQL server is named. Set DATABASE_URL, or call "
            "connector.core.sql.use_server(dsn) first."
        )
    return _server


def default_database() -> str:
    """The database that the server's URL names."""
    return current_server().default_database


def connect(dbname: str) -> Database:
    """The database of that name; nothing is opened before its first cursor."""
    return current_server().database(dbname)


def in_use(dbname: str) -> bool:
    """Whether a cursor is open on the database in this process."""
    return _server is not None and _server.pool.in_use(dbname)


def close_all(dbname: str | None = None) -> None:
    """Close this process's idle connections, to one database or to all."""
    if _server is not None:
        _server.pool.close(dbname)


def database_exists(name: str) -> bool:
    """Whether the server has a database of that name."""
    with current_server().maintenance() as cr:
        cr.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
        return cr.fetchone() is not None


def create_database(name: str, template: str | None = None) -> None:
    """
    Make a database, empty or as a copy of *template*.

    Raises:
        DatabaseExistsError: the name is taken.
    """
    statement = sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE {}").format(
        sql.Identifier(name), sql.Identifier(template or "template0")
    )
    if template is not None:
        close_all(template)
    deadline = time.monotonic() + TEMPLATE_WAIT_SECONDS
    with current_server().maintenance() as cr:
        while True:
            try:
                cr.execute(statement)
            except psycopg2.errors.DuplicateDatabase as error:
                raise DatabaseExistsError(
                    f"There is a database {name!r} already. Drop it, or choose another name."
                ) from error
            except psycopg2.errors.ObjectInUse:
                # Somebody is connected to the template; such sessions are short.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return


def drop_database(name: str) -> None:
    """Remove a database, if it is there, and end the sessions of everybody in it."""
    close_all(name)
    with current_server().maintenance() as cr:
        cr.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
