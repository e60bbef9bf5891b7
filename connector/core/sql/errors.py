"""PostgreSQL's errors by name, and what they mean for the caller."""

import psycopg2
from psycopg2 import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)
from psycopg2.errors import (
    CheckViolation,
    DeadlockDetected,
    DuplicateDatabase,
    ForeignKeyViolation,
    InFailedSqlTransaction,
    InvalidTextRepresentation,
    LockNotAvailable,
    NotNullViolation,
    ObjectInUse,
    QueryCanceled,
    SerializationFailure,
    StringDataRightTruncation,
    UndefinedColumn,
    UndefinedTable,
    UniqueViolation,
)

from connector.core.exceptions import DatabaseUnreachableError

__all__ = [
    "CheckViolation",
    "DataError",
    "DatabaseError",
    "DeadlockDetected",
    "DuplicateDatabase",
    "Error",
    "ForeignKeyViolation",
    "InFailedSqlTransaction",
    "IntegrityError",
    "InterfaceError",
    "InvalidTextRepresentation",
    "LockNotAvailable",
    "NotNullViolation",
    "ObjectInUse",
    "OperationalError",
    "ProgrammingError",
    "QueryCanceled",
    "SerializationFailure",
    "StringDataRightTruncation",
    "UndefinedColumn",
    "UndefinedTable",
    "UniqueViolation",
    "is_conflict",
    "is_connection_lost",
]

#: the same work may succeed when run again
_CONFLICTS = (SerializationFailure, DeadlockDetected, LockNotAvailable)

#: terminated by an administrator, by a crash, or the server is starting or stopping
_GONE_CODES = frozenset({"57P01", "57P02", "57P03"})


def is_conflict(error: BaseException) -> bool:
    """Whether another transaction was in the way, so that running again may help."""
    return isinstance(error, _CONFLICTS)


def is_connection_lost(error: BaseException) -> bool:
    """
    Whether the connection is gone, so that the outcome of a COMMIT in flight is unknown.

    A server that cannot be reached at all counts as well.
    """
    if isinstance(error, DatabaseUnreachableError):
        return True
    if not isinstance(error, psycopg2.Error) or is_conflict(error):
        return False
    code = error.pgcode
    if code is not None:
        return code.startswith("08") or code in _GONE_CODES
    if isinstance(error, InterfaceError):
        # A cursor of psycopg2 is closed by nothing here but the end of its connection.
        return "already closed" in str(error)
    # libpq reports a broken socket without a code: as OperationalError, or as the bare
    # DatabaseError "no message from the libpq".
    return isinstance(error, OperationalError) or type(error) is DatabaseError
