"""Matching: whether a record meets a domain, by the values that the cache has of it."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from connector.core.domain import All, AnyOf, Constant, Leaf, Node, Not
from connector.core.exceptions import DomainError
from connector.core.query import (
    HIERARCHY,
    NEGATIVE,
    PATTERNS,
    hierarchy_ids,
    is_text,
    listed,
    pattern_of,
)

__all__ = ["is_decidable", "matches"]

SUPERUSER_ID = 1

ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
TEXTS = frozenset({"char", "text", "html", "selection", "reference"})


def is_decidable(model: Any, node: Node) -> bool:
    """
    Can Python tell as the database would?

    Not where texts are compared by order or without case, which is the collation's matter,
    nor where a name, a hierarchy or a search method has to be asked for.
    """
    match node:
        case Constant():
            return True
        case Not(operand):
            return is_decidable(model, operand)
        case All(operands) | AnyOf(operands):
            return all(is_decidable(model, each) for each in operands)
        case Leaf(path, operator_, value):
            return _is_leaf_decidable(model, path, operator_, value)


def _is_leaf_decidable(model: Any, path: str, operator_: str, value: Any) -> bool:
    name, _, rest = path.partition(".")
    field = model._fields.get(name)
    if field is None or operator_ in HIERARCHY:
        return False
    if field.search or (field.related and not field.store and not field.inherited):
        return False
    if rest:
        return field.type == "many2one" and _is_leaf_decidable(
            model.env[field.comodel_name], rest, operator_, value
        )
    if operator_ in ORDERED:
        return field.type in ("integer", "float", "date", "datetime", "boolean")
    if field.type in ("serialized", "binary") or (field.relational and _has_text(value)):
        return False
    return "ilike" not in operator_ and (
        field.type in TEXTS or NEGATIVE.get(operator_, operator_) not in PATTERNS
    )


def matches(record: Any, node: Node) -> bool:
    """
    Does *record* meet the condition?

    Raises:
        DomainError: the operator says nothing of the field.
    """
    match node:
        case Constant(value):
            return value
        case Not(operand):
            return not matches(record, operand)
        case All(operands):
            return all(matches(record, each) for each in operands)
        case AnyOf(operands):
            return any(matches(record, each) for each in operands)
        case Leaf():
            return _leaf(record, node)


def _leaf(record: Any, leaf: Leaf) -> bool:
    if leaf.operator in NEGATIVE and "." not in leaf.path:
        return not _leaf(record, Leaf(leaf.path, NEGATIVE[leaf.operator], leaf.value))
    name, _, rest = leaf.path.partition(".")
    field = record._field(name)
    if rest:
        if not field.relational:
            raise DomainError(
                f"The path {leaf.path!r} goes on after {field!r}, which holds no records. "
                f"End it there."
            )
        linked = record[name]
        if not field.x2many:
            linked = linked.with_context(active_test=False)
        return any(_leaf(each, Leaf(rest, leaf.operator, leaf.value)) for each in linked)
    if name == "id":
        cached = record._ids[0]
    else:
        checked = field.local or record.env.uid != SUPERUSER_ID
        cached = record._value_of(field) if checked else record._known(field)
    if field.x2many:
        cached = field.held(cached, record)
    if leaf.operator in HIERARCHY:
        leaf = Leaf(name, "in", hierarchy_ids(record, field, leaf))
    if field.relational and is_text(leaf.value):
        ids = (cached or ()) if field.x2many else (cached,) if cached else ()
        linked = record.env[field.comodel_name].browse(ids)
        node = linked._name_node(leaf.operator, leaf.value)
        return any(matches(each, node) for each in linked)
    if field.x2many:
        return _holds(field, cached or (), leaf)
    return _compared(record, field, cached, leaf.operator, leaf.value)


def _holds(field: Any, ids: tuple[Any, ...], leaf: Leaf) -> bool:
    if leaf.operator not in ("=", "in", "=?"):
        raise DomainError(
            f"The operator {leaf.operator!r} says nothing of the records in {field!r}."
        )
    values = listed(leaf.value)
    if leaf.operator == "=?" and not leaf.value:
        return True
    wanted = {value.id if hasattr(value, "_name") else value for value in values if value}
    return bool(wanted.intersection(ids)) or (not ids and any(not value for value in values))


def _compared(record: Any, field: Any, cached: Any, operator_: str, value: Any) -> bool:
    if field.translate and cached is not None:
        shown = field.to_record(cached, record)
        cached = None if shown is False else shown
    if hasattr(value, "_name"):
        value = field.searched(value, operator_)
    if operator_ == "=?":
        if value is False or value is None:
            return True
        operator_ = "="
    if operator_ == "=" and isinstance(value, (list, tuple, set, frozenset)):
        operator_ = "in"
    if operator_ in PATTERNS:
        return _like(field, cached, operator_, value)
    if operator_ in ORDERED:
        if cached is None or ((value is False or value is None) and field.type != "boolean"):
            return False
        bound = field.to_search(value)
        return bound is not None and ORDERED[operator_](cached, bound)
    return any(_equal(field, cached, each) for each in listed(value))


def _equal(field: Any, cached: Any, value: Any) -> bool:
    if field.type == "boolean":
        return bool(cached) == bool(value)
    if value is False or value is None:
        return cached is None
    return cached is not None and bool(cached == field.to_search(value))


def _like(field: Any, cached: Any, operator_: str, value: Any) -> bool:
    folded, wrapped = "ilike" in operator_, PATTERNS[operator_][1]
    if wrapped and not value:
        return True
    if cached is None:
        return False
    text = str(cached) if field.type in TEXTS else (field.as_text([cached])[0] or "")
    pattern = pattern_of(field, value, wrapped=wrapped)
    if folded:
        text, pattern = text.lower(), pattern.lower()
    return _pattern(pattern).fullmatch(text) is not None


@lru_cache(maxsize=512)
def _pattern(pattern: str) -> re.Pattern[str]:
    """LIKE as a regular expression: % is anything, _ one character, \\ takes the next as it is."""
    parts, escaped = [], False
    for character in pattern:
        if escaped:
            parts.append(re.escape(character))
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            parts.append({"%": ".*", "_": "."}.get(character) or re.escape(character))
    return re.compile("".join(parts), re.DOTALL)


def _has_text(value: Any) -> bool:
    return any(isinstance(each, str) for each in listed(value))
