"""
Record locks: who may import or export a record that perhaps does not exist yet.

A lock is taken by name, never waited for, and ends with the transaction.  What it protects is
looked at after it is held: a miss remembered from before the lock is never an answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

from connector.core.sql import locks

#: The record locks of each cursor's transaction, for a checkpoint that takes them again.
_held: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


def lock_name(action: str, backend_record: Any, model: Any, external_id: object) -> str:
    """
    Give the one name under which a record of a backend is locked.

    *model* is a model or its name; 7 and "7" are one external id.
    """
    model_name = model if isinstance(model, str) else model._name
    return f"{action}:{backend_record._name}:{backend_record.id}:{model_name}:{external_id}"


def pg_try_advisory_lock(env: Any, lock: object) -> bool:
    """
    Try to take the lock of that name until the transaction ends; never wait.

    Two jobs that import the same record must not run side by side.  The record does not exist
    yet, so there is no row to lock: both lock its name, and the second one comes back later.

        if not pg_try_advisory_lock(env, lock_name("import_record", backend_record, model, 7)):
            raise RetryableJobError("Could not acquire advisory lock", seconds=2,
                                    ignore_retry=True)

    The same transaction may take a lock twice.  Taking one forgets every remembered miss of the
    transaction, because any of them may be what the lock protects.
    """
    granted = bool(try_locks(env, [str(lock)]))
    if granted:
        _forget_misses(env.cr.transaction)
    return granted


def try_locks(env: Any, names: Iterable[str]) -> set[str]:
    """
    Try to take many locks in one statement, sorted; give the names of those granted.

    The caller forgets what was remembered of the records behind them.
    """
    granted = locks.try_transaction_locks(env.cr, names)
    _held_by(env.cr).update(granted)
    return granted


def held_locks(cr: Any) -> frozenset[str]:
    """Give the record locks taken in the running transaction, for `try_locks` after a commit."""
    return frozenset(_held.get(cr, ()))


def _forget_misses(transaction: Any) -> None:
    for known in transaction.keys.values():
        for key in [key for key, found in known.items() if not found]:
            del known[key]


def _held_by(cr: Any) -> set[str]:
    held = _held.get(cr)
    if held is None:
        held = _held[cr] = set()
    if not held:
        cr.postcommit.add(held.clear)
        cr.postrollback.add(held.clear)
    return held
