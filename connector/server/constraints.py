"""What the constraints of the database say, in words for the caller."""

from __future__ import annotations

import re
from typing import Any

from connector.core import registries, sql
from connector.core.exceptions import ValidationError


def explained(error: sql.errors.Error, database: str) -> Exception:
    """The ValidationError that a broken constraint means; any other error as it is."""
    if not isinstance(error, sql.errors.IntegrityError):
        return error
    table, column, name = _place(error)
    registry = registries.registries.find(database)
    model = next(
        (model for model in registry.models.values() if table and model._table == table), None
    )
    return ValidationError(_message(error, model, table, column, name))


def _message(error: Any, model: Any, table: str, column: str, name: str) -> str:
    if isinstance(error, sql.errors.NotNullViolation):
        field = model._fields.get(column) if model is not None else None
        label = f" ({field.string})" if field is not None else ""
        where = model._name if model is not None else table
        return f"Missing required value for the field {column!r}{label} of {where!r}."
    declared = _declared_message(model, table, name)
    if declared:
        return declared
    if isinstance(error, sql.errors.ForeignKeyViolation):
        return (
            f"The operation cannot be completed: another record needs the one it concerns "
            f"(constraint {name!r} of {table!r}). Change or delete the other one first."
        )
    return f"The operation cannot be completed: the constraint {name!r} of {table!r} forbids it."


def _declared_message(model: Any, table: str, name: str) -> str | None:
    for key, _definition, message in getattr(model, "_sql_constraints", ()):
        if name in (key, f"{table}_{key}"):
            return str(message)
    return None


def _place(error: sql.errors.Error) -> tuple[str, str, str]:
    """Table, column and constraint that the server names."""
    told = error.diag
    text = str(error)
    column = told.column_name or _named(r'column "(\w+)"', text)
    return told.table_name or "", column, told.constraint_name or ""


def _named(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    return match[1] if match else ""
