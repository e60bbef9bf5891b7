"""
Signals between processes: two sequences of the database, read before each job or request.

A sequence is not transactional, so it is advanced after the commit of what changed.  A process
that dies in between leaves a change that nobody was told of; `told` finds it.
"""

import hashlib

from connector.core.sql import Cursor, schema

REGISTRY_SEQUENCE = "base_registry_signaling"
CACHE_SEQUENCE = "base_cache_signaling"


def create(cr: Cursor) -> None:
    """Make the sequences, unless they are there."""
    for name in (REGISTRY_SEQUENCE, CACHE_SEQUENCE):
        schema.create_sequence(cr, name)
        # The first nextval leaves `last_value` as it was, so that it would tell nobody.
        _next(cr, name)


def exist(cr: Cursor) -> bool:
    """Whether the sequences are there: not in a database that is not initialised."""
    cr.execute_unflushed("SELECT to_regclass(%s) IS NOT NULL", (REGISTRY_SEQUENCE,))
    return bool(cr.fetchone()[0])


def read(cr: Cursor) -> tuple[int, int]:
    """The numbers of registry and caches, by one statement."""
    cr.execute_unflushed(
        "SELECT r.last_value, c.last_value FROM base_registry_signaling r, base_cache_signaling c"
    )
    registry, caches = cr.fetchone()
    return registry, caches


def module_states(cr: Cursor) -> str:
    """A digest of the addons that are installed and of their versions."""
    cr.execute_unflushed(
        "SELECT name, COALESCE(latest_version, '') FROM ir_module_module"
        " WHERE state IN ('installed', 'to upgrade', 'to remove') ORDER BY name"
    )
    text = "\n".join(f"{name} {version}" for name, version in cr.fetchall())
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def told(cr: Cursor, states: str) -> bool:
    """Whether the other processes were told of these module states."""
    cr.execute_unflushed("SELECT signalled_modules FROM base_database")
    row = cr.fetchone()
    return row is not None and row[0] == states


def advance_registry(cr: Cursor) -> int:
    """Tell of a changed registry, and note of which modules; returns the new number."""
    number = _next(cr, REGISTRY_SEQUENCE)
    # After the sequence: whoever dies in between has told, and will be told once more.
    cr.execute_unflushed("UPDATE base_database SET signalled_modules = %s", (module_states(cr),))
    return number


def advance_caches(cr: Cursor) -> int:
    """Tell of changed caches; returns the new number."""
    return _next(cr, CACHE_SEQUENCE)


def _next(cr: Cursor, sequence: str) -> int:
    cr.execute_unflushed("SELECT nextval(%s)", (sequence,))
    number: int = cr.fetchone()[0]
    return number
