"""
Who a database is: a copy knows that it is one, and is asleep.

The row of `base_database` holds the identifier of the server and the database's own number
there.  A duplicate has another number, a restored dump also another server.
"""

from connector.core.sql import Cursor

_TABLE = """
CREATE TABLE IF NOT EXISTS base_database (
    id int4 PRIMARY KEY CHECK (id = 1),
    system_identifier int8 NOT NULL,
    oid int8 NOT NULL,
    -- the addons and versions that other processes were told of last
    signalled_modules varchar
)
"""
_REMEMBER = """
INSERT INTO base_database (id, system_identifier, oid)
SELECT 1, c.system_identifier, d.oid::int8
FROM pg_control_system() c, pg_database d WHERE d.datname = current_database()
ON CONFLICT (id) DO UPDATE
SET system_identifier = EXCLUDED.system_identifier, oid = EXCLUDED.oid
"""
_IS_ITSELF = """
SELECT (b.system_identifier, b.oid) = (c.system_identifier, d.oid::int8)
FROM base_database b, pg_control_system() c, pg_database d WHERE d.datname = current_database()
"""


def remember(cr: Cursor) -> None:
    """Make the memory, and write into it who this database is; called when it is initialised."""
    cr.execute(_TABLE)
    cr.execute(_REMEMBER)


def is_asleep(cr: Cursor) -> bool:
    """Whether this is a copy of the database that is remembered."""
    cr.execute_unflushed(_IS_ITSELF)
    row = cr.fetchone()
    return row is None or not row[0]


def asleep_message(database: str) -> str:
    """What is said of a copy."""
    return (
        f"Database {database!r} is a copy and asleep: no job, cron or export runs. "
        f"Use `connector adopt {database}` or `connector neutralize {database}`."
    )


def adopt(cr: Cursor) -> None:
    """Make this database the one that is remembered: its jobs and crons run again."""
    cr.execute(_REMEMBER)
