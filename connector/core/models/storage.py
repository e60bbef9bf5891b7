"""
Storage: sends what waits with the transaction, in as few statements as there are kinds of row.

    recompute -> INSERT by model, referred models first -> UPDATE by set of columns -> links

A few rows go as INSERT .. VALUES, many by COPY. A table with a natural key is filled by
INSERT .. SELECT unnest(..), whose error names the key that is there already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any

from connector.core.exceptions import MissingError
from connector.core.models.broken import explained
from connector.core.models.cache import Transaction
from connector.core.models.prepared import run_prepared
from connector.core.query import array_literal, identifier
from connector.core.sql import errors

__all__ = ["array_text", "array_type", "flush", "write_pending"]

COPY_ROWS = 6
#: an insert of more rows than this looks at how much the cache holds
TRIM_ROWS = 1_000
Texts = Sequence[str | None]
LOG_NAMES = ("create_uid", "create_date", "write_uid", "write_date")


def flush(transaction: Transaction) -> None:
    """Compute what is due, then write everything that waits with *transaction*."""
    while transaction.todo or transaction.pending_rows:
        _recompute(transaction)
        write_pending(transaction)


def write_pending(transaction: Transaction) -> None:
    """Write what waits; a computed column that is due is sent when it is computed."""
    transaction.pending_rows = 0
    _insert_all(transaction)
    _update_all(transaction)
    _write_links(transaction)


def _recompute(transaction: Transaction) -> None:
    from_env = transaction.superuser_env()
    while transaction.todo:
        field = min(transaction.todo, key=lambda f: f.sequence)
        if not transaction.todo[field]:
            del transaction.todo[field]
            continue
        from_env[field.model_name]._recompute_field(field)


# -- INSERT -------------------------------------------------------------------------------


def _insert_all(transaction: Transaction) -> None:
    waiting = [name for name, ids in transaction.new.items() if ids]
    if not waiting:
        return
    if transaction.todo:
        _compute_required(transaction, waiting)
    for name in _referred_first(transaction, waiting):
        ids = list(transaction.new[name])
        model_class = transaction.registry.models[name]
        _insert(transaction, model_class, ids, later=set(waiting))
        del transaction.new[name]
        waiting.remove(name)
        if len(ids) > TRIM_ROWS:
            transaction.trim(model_class)


def _compute_required(transaction: Transaction, names: Sequence[str]) -> None:
    """A computed column that is NOT NULL cannot be sent later."""
    for name in names:
        for field in transaction.registry.models[name]._fields.values():
            while field.required and transaction.todo.get(field):
                transaction.superuser_env()[name]._recompute_field(field)


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
    run_prepared(cr, types, text, [id_, *_texts(fields, values)])


def _texts(fields: Sequence[Any], values: Sequence[Any]) -> list[str | None]:
    return [
        None if value is None else field.as_text((value,))[0]
        for field, value in zip(fields, values, strict=True)
    ]


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
        lines = [_copy_column(plain, values) for plain, values in texts]
        text = "\n".join(map("\t".join, zip(*lines, strict=True)))
        cr.copy_unflushed(f"COPY {table} ({names}) FROM STDIN", StringIO(text))


def array_type(column_type: str) -> str:
    """The element type of an array: a length or precision is the column's own matter."""
    return column_type.partition("(")[0]


def _copy_column(plain: bool, values: Texts) -> list[str]:
    if not plain:
        values = _escaped(values, {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
    return ["\\N" if value is None else value for value in values] if None in values else values  # type: ignore[return-value]


def array_text(plain: bool, values: Texts) -> str:
    """The text of an array of the values; psycopg2 takes twice as long over a list."""
    if plain:
        return "{" + ",".join(["NULL" if v is None else v for v in values]) + "}"
    values = _escaped(values, {"\\": "\\\\", '"': '\\"'})
    if None not in values:
        return '{"' + '","'.join(values) + '"}'  # type: ignore[arg-type]
    return "{" + ",".join(["NULL" if v is None else f'"{v}"' for v in values]) + "}"


def _escaped(values: Texts, escapes: dict[str, str]) -> Texts:
    # One look at the whole column per character: most columns need no escape.
    joined = "".join([value for value in values if value])
    for character, escape in escapes.items():
        if character in joined:
            values = [v if v is None else v.replace(character, escape) for v in values]
    return values


# -- UPDATE -------------------------------------------------------------------------------


def _update_all(transaction: Transaction) -> None:
    groups: defaultdict[str, defaultdict[int, list[Any]]]
    groups = defaultdict(lambda: defaultdict(list))
    for field, ids in transaction.dirty.items():
        for id_ in ids:
            groups[field.model_name][id_].append(field)
    transaction.dirty.clear()
    touched = {name: ids for name, ids in transaction.touched.items() if ids}
    transaction.touched.clear()
    for name, by_id in groups.items():
        model_class = transaction.registry.models[name]
        sets: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
        logged = touched.get(name, {})
        log = [model_class._fields[n] for n in LOG_NAMES[2:]] if model_class._log_access else []
        for id_, fields in by_id.items():
            sets[(*fields, *log) if id_ in logged else tuple(fields)].append(id_)
        for written, numbers in sets.items():
            with explained(transaction, model_class, numbers):
                _update(transaction, model_class, written, sorted(numbers))


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
    run_prepared(transaction.cr, types, text, [id_, *_texts(fields, values)])
    if transaction.cr.rowcount != 1:
        raise _gone(transaction, model_class, [id_])


def _split(
    transaction: Transaction, fields: Sequence[Any], ids: list[int]
) -> tuple[list[tuple[Any, Any]], list[tuple[Any, list[Any]]]]:
    """The fields whose value is one for all the records, and those where it differs."""
    constants, varying = [], []
    for field in fields:
        values = [transaction.values[field][id_] for id_ in ids]
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


# -- links of many2many -------------------------------------------------------------------


def _write_links(transaction: Transaction) -> None:
    waiting, transaction.links = transaction.links, defaultdict(dict)
    for (table, column1, column2), rows in waiting.items():
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
            try:
                transaction.cr.execute_unflushed(
                    f"INSERT INTO {identifier(table)} ({names})"  # noqa: S608 - quoted names
                    " SELECT * FROM unnest(%s::int[], %s::int[]) ON CONFLICT DO NOTHING",
                    _two_arrays(added),
                )
            except errors.ForeignKeyViolation as error:
                raise MissingError(
                    f"Cannot link records by {table!r}: one of them does not exist. {error}"
                ) from error


def _two_arrays(rows: Iterable[tuple[int, int]]) -> list[str]:
    return [array_literal(ids) for ids in zip(*sorted(rows), strict=True)]
