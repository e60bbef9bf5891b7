"""
Storage: sends what waits with the transaction, in as few statements as there are kinds of row.

    recompute -> INSERT by model, referred models first -> UPDATE by set of columns -> links
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connector.core.models.broken import explained_links
from connector.core.models.cache import Transaction
from connector.core.models.inserting import insert_all
from connector.core.models.updating import update_all
from connector.core.query import array_literal, identifier
from connector.core.sql import errors

__all__ = ["flush", "write_pending"]


def flush(transaction: Transaction) -> None:
    """
    Compute what is due, then write everything that waits with *transaction*.

    Where the environment says ``norecompute`` what is due stays due, and the table as it was.
    """
    if transaction.era != transaction.registry.era:
        _check_fields(transaction)
    root = transaction.superuser_env()
    while transaction.pending_rows or (transaction.todo and root.recompute):
        if root.recompute:
            _recompute(transaction, root)
        write_pending(transaction)


def write_pending(transaction: Transaction) -> None:
    """Write what waits; a computed column that is due is sent when it is computed."""
    insert_all(transaction)
    update_all(transaction)
    _write_links(transaction)
    transaction.pending_rows = 0


def _check_fields(transaction: Transaction) -> None:
    """
    Look whether what waits is of the fields that the registry has now.

    Raises:
        SerializationFailure: they were made anew meanwhile; the same work succeeds in another try.
    """
    registry = transaction.registry
    held = [
        field
        for field, values in transaction.values.items()
        if not values.keys().isdisjoint(transaction.new.get(field.model_name, ()))
    ]
    for field in (*transaction.dirty, *transaction.todo, *held):
        model = registry.models.get(field.model_name)
        if model is None or model._fields.get(field.name) is not field:
            raise errors.SerializationFailure(
                f"The models of database {transaction.cr.dbname!r} were set up anew while records "
                f"of {field.model_name!r} were written. Do it again, with records of a new "
                "environment."
            )
    transaction.note_checked()


def _recompute(transaction: Transaction, root: Any) -> None:
    while transaction.todo:
        field = min(transaction.todo, key=lambda f: f.sequence)
        if not transaction.todo[field]:
            del transaction.todo[field]
            continue
        root[field.model_name]._recompute_field(field)


# -- links of many2many -------------------------------------------------------------------


def _write_links(transaction: Transaction) -> None:
    for table, column1, column2 in list(transaction.links):
        rows = transaction.links[table, column1, column2]
        names = f"{identifier(column1)}, {identifier(column2)}"
        added = [row for row, there in rows.items() if there]
        dropped = [row for row, there in rows.items() if not there]
        if dropped:
            transaction.cr.execute_unflushed(
                f"DELETE FROM {identifier(table)} WHERE ({names}) IN"  # noqa: S608
                " (SELECT * FROM unnest(%s::int[], %s::int[]))",
                _two_arrays(dropped),
            )
        if added:
            with explained_links(transaction, (table, column1, column2)):
                transaction.cr.execute_unflushed(
                    f"INSERT INTO {identifier(table)} ({names})"  # noqa: S608 - quoted names
                    " SELECT * FROM unnest(%s::int[], %s::int[]) ON CONFLICT DO NOTHING",
                    _two_arrays(added),
                )
        del transaction.links[table, column1, column2]


def _two_arrays(rows: Iterable[tuple[int, int]]) -> list[str]:
    return [array_literal(ids) for ids in zip(*sorted(rows), strict=True)]
