"""Advisory locks: of a transaction by name, of a session by two integers."""

import hashlib
from collections.abc import Iterable

from connector.core.sql.cursor import Cursor


def lock_key(name: str) -> int:
    """The 64-bit key of a named lock: the same in every process and on every machine."""
    digest = hashlib.sha1(name.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def try_transaction_lock(cr: Cursor, name: str) -> bool:
    """Take the lock *name* until the transaction ends; False when another one holds it."""
    cr.execute_unflushed("SELECT pg_try_advisory_xact_lock(%s)", (lock_key(name),))
    return bool(cr.fetchall()[0][0])


def try_transaction_locks(cr: Cursor, names: Iterable[str]) -> set[str]:
    """Take as many of the locks as are free, in one statement and in sorted order."""
    keys = {name: lock_key(name) for name in names}
    if not keys:
        return set()
    # Sent as one text, and only refusals come back: there are hundreds of them in a statement.
    cr.execute_unflushed(
        "SELECT key FROM unnest(%s::bigint[]) AS key WHERE NOT pg_try_advisory_xact_lock(key)",
        ("{" + ",".join(map(str, sorted(set(keys.values())))) + "}",),
    )
    refused = {key for (key,) in cr.fetchall()}
    return {name for name, key in keys.items() if key not in refused}


def wait_transaction_lock(cr: Cursor, name: str) -> None:
    """Take the lock *name* until the transaction ends, waiting for whoever holds it."""
    cr.execute_unflushed("SELECT pg_advisory_xact_lock(%s)", (lock_key(name),))


def try_session_lock(cr: Cursor, class_id: int, obj_id: int) -> bool:
    """
    Take a lock that outlives the transaction; False when another session holds it.

    It ends with `release_session_lock` or with the connection, which returns to the pool
    only when it holds none.
    """
    cr.execute_unflushed("SELECT pg_try_advisory_lock(%s, %s)", (class_id, obj_id))
    return bool(cr.fetchall()[0][0])


def release_session_lock(cr: Cursor, class_id: int, obj_id: int) -> bool:
    """Give a session lock back; False when this session does not hold it."""
    cr.execute_unflushed("SELECT pg_advisory_unlock(%s, %s)", (class_id, obj_id))
    return bool(cr.fetchall()[0][0])


def release_session_locks(cr: Cursor) -> None:
    """Give back every session lock of this connection."""
    cr.execute_unflushed("SELECT pg_advisory_unlock_all()")
    cr.expect_session_locks(False)


def holders(cr: Cursor, class_id: int) -> dict[int, int]:
    """The locks of a class that are held in this database: object id -> server process."""
    cr.execute_unflushed(
        "SELECT objid::bigint, pid FROM pg_locks"
        " WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = %s::bigint"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        (class_id & 0xFFFFFFFF,),
    )
    return {_signed(objid): pid for objid, pid in cr.fetchall()}


def _signed(number: int) -> int:
    """An oid column shows a negative int4 as a number above 2**31."""
    return number - (1 << 32) if number >= 1 << 31 else number
