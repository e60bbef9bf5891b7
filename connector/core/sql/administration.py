"""The databases of the server as a whole: listed, renamed, freed of sessions, for programs."""

from __future__ import annotations

import time
from collections.abc import Mapping

import psycopg2
from psycopg2 import sql

from connector.core.exceptions import DatabaseExistsError, DatabaseMissingError
from connector.core.sql.server import TEMPLATE_WAIT_SECONDS, close_all, current_server

_OWN_DATABASES = """
SELECT d.datname, d.oid::int8 FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba
WHERE r.rolname = current_user AND NOT d.datistemplate AND d.datallowconn
  AND d.datname <> 'postgres'
ORDER BY d.datname
"""
_END_SESSIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = %s AND pid <> pg_backend_pid()
"""

#: libpq parameter -> variable that its programs read; so that no secret is on a command line
_VARIABLES: Mapping[str, str] = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "passfile": "PGPASSFILE",
    "service": "PGSERVICE",
    "options": "PGOPTIONS",
    "application_name": "PGAPPNAME",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "gssencmode": "PGGSSENCMODE",
    "sslmode": "PGSSLMODE",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcrl": "PGSSLCRL",
    "channel_binding": "PGCHANNELBINDING",
}


def own_databases() -> dict[str, int]:
    """
    The databases that belong to the user of this process, templates left out: name -> oid.

    They are in the order of their names.
    """
    with current_server().maintenance() as cr:
        cr.execute(_OWN_DATABASES)
        return dict(cr.fetchall())


def end_sessions(name: str) -> None:
    """End the sessions of everybody in a database, those of this process included."""
    close_all(name)
    with current_server().maintenance() as cr:
        cr.execute(_END_SESSIONS, (name,))


def rename_database(old: str, new: str) -> None:
    """
    Give a database another name; the sessions in it are ended.

    Raises:
        DatabaseMissingError: there is no *old*.
        DatabaseExistsError: there is a *new*.
    """
    statement = sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
        sql.Identifier(old), sql.Identifier(new)
    )
    deadline = time.monotonic() + TEMPLATE_WAIT_SECONDS
    while True:
        end_sessions(old)
        try:
            with current_server().maintenance() as cr:
                cr.execute(statement)
        except psycopg2.errors.InvalidCatalogName:
            raise DatabaseMissingError(
                f"There is no database {old!r} to be renamed. Name another one."
            ) from None
        except psycopg2.errors.DuplicateDatabase:
            raise DatabaseExistsError(
                f"There is a database {new!r} already. Drop it, or choose another name."
            ) from None
        except psycopg2.errors.ObjectInUse:
            if time.monotonic() > deadline:  # somebody comes back again and again
                raise
        else:
            return


def server_version() -> int:
    """The server's version as a number, such as 180003."""
    with current_server().maintenance() as cr:
        return int(cr.connection.server_version)


def environment_of_programs() -> dict[str, str]:
    """The variables by which pg_dump and its like find the server, password included."""
    parameters = current_server().parameters
    return {
        variable: str(parameters[name])
        for name, variable in _VARIABLES.items()
        if parameters.get(name) not in (None, "")
    }
