"""Which unique violations are a lost race, so that the same work run again finds the record."""

from __future__ import annotations

import re
from typing import Any

from connector.core import sql

#: The columns of the key in PostgreSQL's detail, in every language: `(a, b)=(1, 2)`.
_KEY = re.compile(r"\(([^()]+)\)=\(")


def is_race(error: BaseException, registry: Any) -> bool:
    """
    Whether another transaction has just made the record that this one wanted to make.

    That is so for the keys of bindings and for natural keys that a model declares.  A violation
    of any other key is the job's own error: running again changes nothing.
    """
    if not isinstance(error, sql.errors.UniqueViolation):
        return False
    key = _violated_key(error)
    model = _model_of(error.diag.table_name, registry)
    if model is None or key is None:
        return False
    if key in {tuple(sorted(names)) for names in model._declared_keys}:
        return True
    return "backend_id" in key and key in model._natural_keys


def _violated_key(error: Any) -> tuple[str, ...] | None:
    found = _KEY.search(error.diag.message_detail or "")
    if found is None:
        return None
    return tuple(sorted(name.strip(' "') for name in found.group(1).split(",")))


def _model_of(table: str | None, registry: Any) -> Any:
    return next((model for model in registry.models.values() if model._table == table), None)
