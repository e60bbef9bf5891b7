"""PostgreSQL: server, pool, cursor, schema, locks; nothing else imports psycopg2."""

from connector.core.sql import administration, composed, errors, locks, schema
from connector.core.sql.chained import ChainedCursor
from connector.core.sql.cursor import READ_COMMITTED, REPEATABLE_READ, Cursor
from connector.core.sql.joined import JoinedCursor
from connector.core.sql.pool import on_release
from connector.core.sql.retrying import retried
from connector.core.sql.rolled_back import RolledBackCursor
from connector.core.sql.server import (
    Database,
    close_all,
    connect,
    create_database,
    current_server,
    database_exists,
    default_database,
    drop_database,
    in_use,
    use_server,
)
from connector.core.sql.transaction import Transaction

__all__ = [
    "READ_COMMITTED",
    "REPEATABLE_READ",
    "ChainedCursor",
    "Cursor",
    "Database",
    "JoinedCursor",
    "RolledBackCursor",
    "Transaction",
    "administration",
    "close_all",
    "composed",
    "connect",
    "create_database",
    "current_server",
    "database_exists",
    "default_database",
    "drop_database",
    "errors",
    "in_use",
    "locks",
    "on_release",
    "retried",
    "schema",
    "use_server",
]
