"""
Inserting: the rows of new records, each model after those that it links to.

One row goes by a prepared INSERT, a few by INSERT .. VALUES, many by COPY. A table with a
natural key is filled by INSERT .. SELECT unnest(..), whose error names the key that is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import Any

from connector.core.models.broken import explained
from connector.core.models.cache import Transaction
from connector.core.models.prepared import run_prepared
from connector.core.models.rows import Texts, array_text, array_type, copy_column, texts_of
from connector.core.query import identifier

__all__ = ["insert_all"]

COPY_ROWS = 6
#: an insert of more rows than this looks at how much the cache holds
TRIM_ROWS = 1_000


def insert_all(transaction: Transaction) -> None:
    waiting = [name for name, ids in transaction.new.items() if ids]
    for name in _referred_first(transaction, waiting):
        ids = list(transaction.new[name])
        model_class = transaction.registry.models[name]
        _insert(transaction, model_class, ids, later=set(waiting))
        del transaction.new[name]
        waiting.remove(name)
        if len(ids) > TRIM_ROWS:
            transaction.trim(model_class)


def _referred_first(transaction: Transaction, waiting: Sequence[str]) -> list[str]:
    """
    The models in an order in which each comes after those that its rows link to.

    Where links run in a circle, those that are not required have to wait for an UPDATE.
    """
    if len(waiting) == 1:
        return list(waiting)
    required, optional = {}, {}
    for name in waiting:
        links = [
            field
            for field in transaction.registry.models[name]._fields.values()
            if field.is_column and field.type == "many2one" and field.comodel_name != name
        ]
        required[name] = {link.comodel_name for link in links if link.required}
        optional[name] = {link.comodel_name for link in links}
    order: list[str] = []
    rest = list(waiting)
    while rest:
        free = [name for name in rest if required[name].isdisjoint(rest)] or rest
        chosen = next((name for name in free if optional[name].isdisjoint(rest)), free[0])
        order.append(chosen)
        rest.remove(chosen)
    return order


def _insert(transaction: Transaction, model_class: Any, ids: list[int], later: set[str]) -> None:
    fields = [field for field in model_class._fields.values() if field.is_column]
    columns: list[list[Any]] = []
    for field in fields:
        values = transaction.values[field]
        read = [values.get(id_) for id_ in ids]
        if field.type == "many2one" and field.comodel_name in later:
            read = _without_later(transaction, model_class, field, ids, read)
        columns.append(read)
    if len(ids) == 1:
        with explained(transaction, model_class, ids):
            _insert_one(transaction.cr, model_class, ids[0], fields, [c[0] for c in columns])
        return
    used = []
    for field, column in zip(fields, columns, strict=True):
        if column.count(column[0]) == len(column):
            # A column that is NULL everywhere need not be sent.
            if column[0] is not None:
                used.append((field, field.as_text(column[:1]) * len(column)))
        else:
            used.append((field, field.as_text(column)))
    with explained(transaction, model_class, ids):
        _send_rows(transaction.cr, model_class, ids, used)


def _insert_one(
    cr: Any, model_class: Any, id_: int, fields: Sequence[Any], values: Sequence[Any]
) -> None:
    known = model_class._statements.get("insert")
    if known is None:
        names = ", ".join(["id", *(identifier(field.name) for field in fields)])
        types = ", ".join(["int4", *(array_type(field.column_type) for field in fields)])
        places = ", ".join(f"${number}" for number in range(1, len(fields) + 2))
        table = identifier(model_class._table)
        text = f"INSERT INTO {table} ({names}) VALUES ({places})"  # noqa: S608 - quoted names
        known = model_class._statements["insert"] = (types, text)
    types, text = known
    run_prepared(cr, types, text, [id_, *texts_of(fields, values)])


def _without_later(
    transaction: Transaction, model_class: Any, field: Any, ids: list[int], values: list[Any]
) -> list[Any]:
    """Leave out links to records that are inserted later; an UPDATE adds them."""
    if field.comodel_name == model_class._name:
        return values  # one statement inserts both ends
    new = transaction.new[field.comodel_name]
    for place, (id_, value) in enumerate(zip(ids, values, strict=True)):
        if value in new:
            values[place] = None
            transaction.dirty[field][id_] = None
    return values


def _send_rows(
    cr: Any, model_class: Any, ids: list[int], used: Sequence[tuple[Any, Texts]]
) -> None:
    table = identifier(model_class._table)
    names = ", ".join(["id", *(identifier(field.name) for field, _ in used)])
    texts: list[tuple[bool, Texts]] = [(True, list(map(str, ids)))]
    texts += [(field.plain_text, values) for field, values in used]
    if len(ids) < COPY_ROWS:
        row = "(" + ", ".join(["%s"] * len(texts)) + ")"
        params = [value for row_ in zip(*(t for _, t in texts), strict=True) for value in row_]
        rows = ", ".join([row] * len(ids))
        cr.execute_unflushed(f"INSERT INTO {table} ({names}) VALUES {rows}", params)  # noqa: S608
    elif model_class._natural_keys:
        types = ["int4", *(field.column_type for field, _ in used)]
        selected = ", ".join(f"%s::{array_type(type_)}[]" for type_ in types)
        cr.execute_unflushed(
            f"INSERT INTO {table} ({names}) SELECT * FROM unnest({selected})",  # noqa: S608
            [array_text(plain, values) for plain, values in texts],
        )
    else:
        lines = [copy_column(plain, values) for plain, values in texts]
        text = "\n".join(map("\t".join, zip(*lines, strict=True)))
        cr.copy_unflushed(f"COPY {table} ({names}) FROM STDIN", StringIO(text))
