"""The demo's database: its addons, its lock, and the record of the shop."""

from collections.abc import Iterator
from contextlib import contextmanager

from connector.core import modules, sql
from connector.core.exceptions import DatabaseExistsError
from connector.exception import ConnectorException
from connector.session import ConnectorSession, ConnectorSessionHandler

ADDONS = ["connector", "queue_worker", "connector_example"]
SUPERUSER = 1

#: "demo" in ASCII: no other part of the project locks in this class.
LOCK_CLASS = 0x64656D6F


@contextmanager
def reserved(name: str) -> Iterator[None]:
    """
    Have the database to oneself: a second demo is told so, even on another machine.

    Raises:
        ConnectorException: another demo works in it.
    """
    if not sql.database_exists(name):
        create(name)
    with sql.connect(name).cursor() as cr:
        if not sql.locks.try_session_lock(cr, LOCK_CLASS, 0):
            raise ConnectorException(
                f"Another `connector demo` works in the database {name!r}. "
                "Wait until it has ended, or give this one its own with --database NAME."
            )
        cr.commit()
        try:
            yield
        finally:
            sql.locks.release_session_lock(cr, LOCK_CLASS, 0)


def create(name: str) -> None:
    try:
        sql.create_database(name)
    except DatabaseExistsError:
        # A demo beside this one was quicker; the lock tells which of the two goes on.
        return


def install(name: str) -> None:
    modules.initialise(name)
    modules.install(name, ADDONS)


def set_backend(session: ConnectorSession, location: str, token: str) -> int:
    """Say where the shop is now; returns the id of its record, the same in every run."""
    values = {"location": location, "token": token}
    backends = session.env["shop.backend"]
    backend = backends.search([("name", "=", "Chinook")], limit=1)
    if backend:
        backend.write(values)
    else:
        backend = backends.create({"name": "Chinook", "version": "1.0", **values})
    return int(backend.id)


def handler(name: str) -> ConnectorSessionHandler:
    """Sessions of the demo in its database."""
    return ConnectorSessionHandler(name, SUPERUSER)
