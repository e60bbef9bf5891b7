"""One conversation with the server for each task, and its errors in the connector's words."""

from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from connector.exception import (
    BackendAccessError,
    BackendResponseError,
    ConnectorException,
    FailedJobError,
    IDMissingInBackend,
    InvalidDataError,
    NetworkRetryableError,
    RateLimitError,
)
from connector.rpc import Odoo, RPCError
from connector.rpc.errors import Kind
from connector.session import ConnectorSession, Recordset

#: The server's errors by the last part of their names, which the series have in common.
_MEANINGS: dict[str, type[ConnectorException]] = {
    "AccessDenied": BackendAccessError,
    "AccessError": BackendAccessError,
    "MissingError": IDMissingInBackend,
    "UserError": InvalidDataError,
    "ValidationError": InvalidDataError,
    "Warning": InvalidDataError,
    "except_orm": InvalidDataError,
}

#: The clients of a session: all adapters of one task share the one of their backend.
_clients: WeakKeyDictionary[ConnectorSession, dict[int, Odoo]] = WeakKeyDictionary()


def client_of(session: ConnectorSession, backend: Recordset) -> Odoo:
    """The client of a backend, logged in when it calls first."""
    clients = _clients.setdefault(session, {})
    if backend.id not in clients:
        clients[backend.id] = Odoo(
            backend.location, db=backend.database, login=backend.login, password=backend.password
        )
    return clients[backend.id]


@contextmanager
def explained() -> Iterator[None]:
    """Raise what the server answers as the error that says what happens next to the job."""
    try:
        yield
    except RPCError as error:
        raise _explained(error) from error


def _explained(error: RPCError) -> ConnectorException:
    match error.kind:
        case Kind.SERVER if error.data is None:
            return BackendAccessError(str(error))  # the login gave no id
        case Kind.SERVER:
            name = (error.name or "").rpartition(".")[2]
            return _MEANINGS.get(name, FailedJobError)(str(error))
        case Kind.HTTP if error.code == 429:
            return RateLimitError(str(error), seconds=error.retry_after_seconds, ignore_retry=True)
        case Kind.HTTP if error.code in (401, 403):
            return BackendAccessError(str(error))
        case Kind.PROTOCOL:
            return BackendResponseError(str(error))
        case _:
            return NetworkRetryableError(str(error))
