"""
Updating: rows that changed, by the set of their changed columns, in as few statements as sets.

One row goes by a prepared UPDATE, many by UPDATE .. FROM unnest(..).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import KeysView, Sequence
from typing import Any

from connector.core.exceptions import MissingError
from connector.core.models.broken import explained
from connector.core.models.cache import Transaction
from connector.core.models.prepared import run_prepared
from connector.core.models.rows import array_text, array_type, texts_of
from connector.core.query import array_literal, identifier

__all__ = ["update_all"]

LOG_NAMES = ("write_uid", "write_date")


def update_all(transaction: Transaction) -> None:
    """
    Write every changed row.

    What an error keeps from being sent goes on waiting: it is lost by a rollback only.
    """
    changed: defaultdict[str, list[Any]] = defaultdict(list)
    for field in transaction.dirty:
        changed[field.model_name].append(field)
    for name, fields in changed.items():
        model_class = transaction.registry.models[name]
        for written, numbers in _sets(transaction, model_class, fields).items():
            ids = sorted(numbers)
            with explained(transaction, model_class, ids):
                _update(transaction, model_class, written, ids)
            _note_sent(transaction, written, ids)
        transaction.touched.pop(name, None)


def _sets(
    transaction: Transaction, model_class: Any, fields: Sequence[Any]
) -> dict[tuple[Any, ...], set[int]]:
    """The ids of the records in which the same columns have changed, by these columns."""
    changed: list[tuple[tuple[Any, ...], KeysView[int]]]
    changed = [((field,), transaction.dirty[field].keys()) for field in fields]
    sets: dict[tuple[Any, ...], set[int]] = {(): set().union(*(ids for _, ids in changed))}
    if model_class._log_access:
        log = tuple(model_class._fields[name] for name in LOG_NAMES)
        changed.append((log, transaction.touched[model_class._name].keys()))
    for names, ids in changed:
        split = {}
        for written, numbers in sets.items():
            split[*written, *names] = numbers & ids
            split[written] = numbers - ids
        sets = {written: numbers for written, numbers in split.items() if numbers}
    return sets


def _note_sent(transaction: Transaction, fields: Sequence[Any], ids: Sequence[int]) -> None:
    for field in fields:
        waiting = transaction.dirty.get(field)
        if waiting is None:
            continue
        if len(ids) == len(waiting):
            del transaction.dirty[field]
        else:
            for id_ in ids:
                waiting.pop(id_, None)


def _update(
    transaction: Transaction, model_class: Any, fields: Sequence[Any], ids: list[int]
) -> None:
    """Rows are written in the order of their ids, so that two transactions do not deadlock."""
    cr = transaction.cr
    if len(ids) == 1:
        _update_one(transaction, model_class, fields, ids[0])
        return
    table = identifier(model_class._table)
    constants, varying = _split(transaction, fields, ids)
    sets = [f"{identifier(f.name)} = %s::{f.column_type}" for f, _ in constants]
    params = [f.as_text([value])[0] for f, value in constants]
    if not varying:
        cr.execute_unflushed(
            f"UPDATE {table} SET {', '.join(sets)} WHERE id = ANY(%s::int[])",  # noqa: S608
            [*params, array_literal(ids)],
        )
    else:
        sets += [f"{identifier(f.name)} = v.{identifier(f.name)}" for f, _ in varying]
        types = "".join(f", %s::{array_type(f.column_type)}[]" for f, _ in varying)
        names = "".join(f", {identifier(f.name)}" for f, _ in varying)
        arrays = [array_text(f.plain_text, f.as_text(values)) for f, values in varying]
        cr.execute_unflushed(
            f"UPDATE {table} SET {', '.join(sets)}"  # noqa: S608 - quoted names
            f" FROM unnest(%s::int[]{types}) AS v (id{names}) WHERE {table}.id = v.id",
            [*params, array_literal(ids), *arrays],
        )
    if cr.rowcount != len(ids):
        raise _gone(transaction, model_class, ids)


def _update_one(
    transaction: Transaction, model_class: Any, fields: Sequence[Any], id_: int
) -> None:
    known = model_class._statements.get(fields)
    if known is None:
        types = ", ".join(["int4", *(array_type(field.column_type) for field in fields)])
        sets = ", ".join(f"{identifier(f.name)} = ${n}" for n, f in enumerate(fields, 2))
        table = identifier(model_class._table)
        text = f"UPDATE {table} SET {sets} WHERE id = $1"  # noqa: S608 - quoted names
        known = model_class._statements[fields] = (types, text)
    values = [transaction.values[field][id_] for field in fields]
    types, text = known
    run_prepared(transaction.cr, types, text, [id_, *texts_of(fields, values)])
    if transaction.cr.rowcount != 1:
        raise _gone(transaction, model_class, [id_])


def _split(
    transaction: Transaction, fields: Sequence[Any], ids: list[int]
) -> tuple[list[tuple[Any, Any]], list[tuple[Any, list[Any]]]]:
    """The fields whose value is one for all the records, and those where it differs."""
    constants, varying = [], []
    for field in fields:
        values = list(map(transaction.values[field].__getitem__, ids))
        if values.count(values[0]) == len(values):
            constants.append((field, values[0]))
        else:
            varying.append((field, values))
    return constants, varying


def _gone(transaction: Transaction, model_class: Any, ids: list[int]) -> Exception:
    transaction.cr.execute_unflushed(
        f"SELECT id FROM {identifier(model_class._table)} WHERE id = ANY(%s::int[])",  # noqa: S608
        (array_literal(ids),),
    )
    there = {id_ for (id_,) in transaction.cr.fetchall()}
    gone = [id_ for id_ in ids if id_ not in there]
    return MissingError(
        f"Cannot write on {model_class._name}({', '.join(map(str, gone))}): "
        f"the record does not exist or has been deleted. Check with exists() before."
    )
