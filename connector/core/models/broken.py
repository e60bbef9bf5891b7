"""From PostgreSQL's integrity errors to validation errors that name model, field and record."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from connector.core.exceptions import MissingError, RequiredValueError, ValidationError
from connector.core.sql import errors
from connector.core.sql.schema import short_name

__all__ = ["constraint_name", "explained", "explained_links"]

#: foreign_key_violation, and restrict_violation of ON DELETE RESTRICT
LINK_CODES = frozenset({"23503", "23001"})
#: the same shape in every language of the server: (columns)=(values)
DETAIL = re.compile(r"\((.+?)\)=\((.*)\)")
#: not_null_violation and check_violation, whose detail is the whole row: it begins with the id
ROW_CODES = frozenset({"23502", "23514"})
ROW = re.compile(r"\((\d+)[,)]")


@contextmanager
def explained(transaction: Any, model_class: Any, ids: Sequence[int]) -> Iterator[None]:
    """Raise what the block breaks as ValidationError, with PostgreSQL's error as its cause."""
    try:
        yield
    except errors.IntegrityError as error:
        raise _explanation(transaction, model_class, ids, error) from error


@contextmanager
def explained_links(transaction: Any, link: tuple[str, str, str]) -> Iterator[None]:
    """Raise a row of a many2many that links to no record as MissingError."""
    try:
        yield
    except errors.ForeignKeyViolation as error:
        raise _unlinkable(transaction, link, error) from error


def _unlinkable(transaction: Any, link: tuple[str, str, str], error: Any) -> MissingError:
    """What is said of a row that links to no record: field, record, and the one that is gone."""
    table, _, column2 = link
    fields = [
        field
        for model_class in transaction.registry.models.values()
        for field in model_class._fields.values()
        if field.type == "many2many"
        and field.store
        and (field.relation, field.column1, field.column2) == link
    ]
    match = DETAIL.search(error.diag.message_detail or "")
    if not fields or not match:
        return MissingError(f"Cannot link records in {table!r}: one does not exist. {error}")
    field, (name, value) = fields[0], match.groups()
    owners = [one for one, two in transaction.links[link] if str(two) == value]
    if name == column2:
        what = f"{field.model_name}({', '.join(map(str, owners))},) to {field.comodel_name}"
    else:
        what = f"records of {field.comodel_name!r} to {field.model_name}"
    return MissingError(
        f"Cannot link by {field!r} {what}({value},): the record does not exist or has been "
        f"deleted. Create it first, or link to another."
    )


def _explanation(transaction: Any, model_class: Any, ids: Sequence[int], error: Any) -> Exception:
    diagnosis = error.diag
    where = f"{model_class._name!r}"
    find = _record_of_row if error.pgcode in ROW_CODES else _record
    record = find(transaction, model_class, ids, diagnosis.message_detail or "")
    if isinstance(error, errors.NotNullViolation):
        return RequiredValueError(
            f"Missing required value for {model_class._name}.{diagnosis.column_name}{record}. "
            f"Give the field a value."
        )
    if error.pgcode in LINK_CODES:
        return ValidationError(_foreign(model_class, diagnosis, record))
    message = _declared_message(model_class, diagnosis.constraint_name or "")
    # A whole row is not for everybody.
    tells = diagnosis.message_detail and error.pgcode not in ROW_CODES
    detail = f" {diagnosis.message_detail}" if tells else ""
    if message:
        return ValidationError(f"{message} [{where}{record}, {diagnosis.constraint_name}.{detail}]")
    return ValidationError(
        f"The constraint {diagnosis.constraint_name!r} of {where} is broken{record}.{detail} "
        f"Change the values, or write on the record that has them."
    )


def _foreign(model_class: Any, diagnosis: Any, record: str) -> str:
    match = DETAIL.search(diagnosis.message_detail or "")
    name, value = match.groups() if match else ("", "")
    field = model_class._fields.get(name)
    is_link = field is not None and field.type == "many2one"
    if is_link and diagnosis.table_name == model_class._table:
        return (
            f"{model_class._name}.{name} links to {field.comodel_name}({value},), which does not "
            f"exist{record}. Create it first, or link to another."
        )
    return (
        f"Records of {model_class._name!r} cannot be deleted: {diagnosis.table_name!r} still "
        f"links to them ({diagnosis.constraint_name}: {diagnosis.message_detail}) "
        f"Delete or change those first."
    )


def _declared_message(model_class: Any, constraint: str) -> str | None:
    for key, _, message in model_class._sql_constraints:
        if constraint == constraint_name(model_class._table, key):
            return str(message)
    return None


def constraint_name(table: str, key: str) -> str:
    """The name in the database of a constraint of ``_sql_constraints``."""
    return short_name(f"{table}_{key}")


def _record(transaction: Any, model_class: Any, ids: Sequence[int], detail: str) -> str:
    """Which of the records it is, as far as the error's key tells."""
    if len(ids) == 1:
        return f" on {model_class._name}({ids[0]},)"
    match = DETAIL.search(detail)
    if not match:
        return ""
    names = [name.strip(' "') for name in match.group(1).split(",")]
    fields = [model_class._fields.get(name) for name in names]
    if any(field is None for field in fields):
        return ""
    found = [
        id_
        for id_ in ids
        if ", ".join(_shown(transaction.values[field].get(id_)) for field in fields)
        == match.group(2)
    ]
    return f" on {model_class._name}({found[-1]},)" if found else ""


def _record_of_row(transaction: Any, model_class: Any, ids: Sequence[int], detail: str) -> str:
    """The same where the error shows the row."""
    match = ROW.search(detail)
    found = match is not None and int(match[1]) in ids
    return f" on {model_class._name}({match[1]},)" if match and found else ""


def _shown(value: Any) -> str:
    return "null" if value is None else str(value)
