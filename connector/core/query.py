"""
From a domain to SQL: the condition, its parameters, and the fields that it reads.

A condition is true or false of every row. SQL's third value appears inside only: under a
negation a condition is tested with IS NOT TRUE.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from connector.core.domain import All, AnyOf, Constant, Leaf, Node, Not, parse
from connector.core.exceptions import DomainError, UnknownFieldError

__all__ = ["Condition", "array_literal", "column", "identifier", "one_of"]

COMPARISONS = frozenset({"<", ">", "<=", ">="})
NEGATIVE = {"!=": "=", "not in": "in", "not like": "like", "not ilike": "ilike"}
#: operator -> SQL operator, and whether the value is wrapped in %
PATTERNS = {
    "like": ("LIKE", True),
    "ilike": ("ILIKE", True),
    "=like": ("LIKE", False),
    "=ilike": ("ILIKE", False),
}
#: beyond it PostgreSQL compares numbers as numeric
INT8_MAX = 2**63 - 1
HIERARCHY = frozenset({"child_of", "parent_of"})


def identifier(name: str) -> str:
    """
    *name* quoted for a statement with parameters.

    Statements are put together once and run often; psycopg2.sql would quote them anew for
    each connection.
    """
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'


def column(alias: str, name: str) -> str:
    """A column of the table known as *alias*."""
    return f"{identifier(alias)}.{identifier(name)}"


def array_literal(numbers: Iterable[int]) -> str:
    """The text of an integer array: psycopg2 takes twice as long over a list."""
    return "{" + ",".join(map(str, numbers)) + "}"


def one_of(ids: Sequence[int]) -> tuple[str, tuple[Any, ...]]:
    """
    The condition that ``id`` is one of *ids*, and its parameters.

    Ids without a gap, as rows made together have them, are read as one range of the index:
    looking each up takes the server twice as long.
    """
    first, last = min(ids), max(ids)
    if last - first + 1 == len(set(ids)):
        return "id BETWEEN %s AND %s", (first, last)
    return "id = ANY(%s::int[])", (array_literal(ids),)


class Condition:
    """Puts the condition of one statement together; collects parameters and fields read."""

    def __init__(self, env: Any) -> None:
        self.env = env
        self.params: list[Any] = []
        self.fields: set[Any] = set()
        self.joins: dict[str, str] = {}
        self._aliases = 0

    def of(self, model: Any, node: Node, alias: str) -> str:
        """The SQL of *node* for rows of *model* known as *alias*."""
        match node:
            case Constant(value):
                return "TRUE" if value else "FALSE"
            case Not(operand):
                return f"(({self.of(model, operand, alias)}) IS NOT TRUE)"
            case All(operands):
                return "(" + " AND ".join(self.of(model, each, alias) for each in operands) + ")"
            case AnyOf(operands):
                return "(" + " OR ".join(self.of(model, each, alias) for each in operands) + ")"
            case Leaf():
                return self._leaf(model, node, alias)

    def alias(self) -> str:
        """A name that no other table of the statement has."""
        self._aliases += 1
        return f"t{self._aliases}"

    # -- one condition --------------------------------------------------------------------

    def _leaf(self, model: Any, leaf: Leaf, alias: str) -> str:
        name, _, rest = leaf.path.partition(".")
        field = model._fields.get(name)
        if field is None:
            raise UnknownFieldError(
                f"Invalid field {name!r} in the condition "
                f"{(leaf.path, leaf.operator, leaf.value)!r}: {model._name!r} has no such field. "
                f"It has {', '.join(sorted(model._fields))}."
            )
        if field.groups:
            model._check_field_groups(field)
        if field.related and not field.store and not field.search:
            return self._related(model, field, rest, leaf, alias)
        if field.local:
            return self._searched(model, field, leaf, alias)
        if rest:
            return self._path(model, field, rest, leaf, alias)
        if leaf.operator in NEGATIVE and field.x2many:
            positive = Leaf(leaf.path, NEGATIVE[leaf.operator], leaf.value)
            return f"(({self._leaf(model, positive, alias)}) IS NOT TRUE)"
        if leaf.operator in HIERARCHY:
            return self._hierarchy(model, field, leaf, alias)
        if field.relational and is_text(leaf.value):
            return self._by_name(model, field, leaf, alias)
        if field.x2many:
            return self._membership(model, field, leaf, alias)
        return self._on_column(field, alias, leaf.operator, leaf.value)

    def _related(self, model: Any, field: Any, rest: str, leaf: Leaf, alias: str) -> str:
        """
        A condition on the value at the end of a path.

        A path says "there is one", but a related field has a value, namely none, also where
        nothing is linked: what holds of no value is the negation of what a path can say.
        """
        path = Leaf(".".join([*field.related, *([rest] if rest else [])]), "=", True)
        operator, value = leaf.operator, leaf.value
        if rest or field.x2many or self._always_linked(model, field):
            return self._leaf(model, Leaf(path.path, operator, value), alias)
        if operator in ("=", "!=") and isinstance(value, (list, tuple, set, frozenset)):
            operator = "in" if operator == "=" else "not in"
        if operator in NEGATIVE:
            positive = Leaf(leaf.path, NEGATIVE[operator], value)
            return f"(({self._related(model, field, rest, positive, alias)}) IS NOT TRUE)"
        if operator in PATTERNS and PATTERNS[operator][1] and not value:
            return "TRUE"
        if operator == "=?":
            if _is_nothing(value):
                return "TRUE"
            operator = "="
        if operator not in ("=", "in") or (operator == "=" and not _is_nothing(value)):
            return self._leaf(model, Leaf(path.path, operator, value), alias)
        values = listed(value)
        known = [each for each in values if not _is_nothing(each)]
        parts = [self._leaf(model, Leaf(path.path, "in", known), alias)]
        if len(known) < len(values):
            some = path if field.type == "boolean" else Leaf(path.path, "!=", False)
            parts.append(f"(({self._leaf(model, some, alias)}) IS NOT TRUE)")
        return "(" + " OR ".join(parts) + ")"

    def _always_linked(self, model: Any, field: Any) -> bool:
        links = []
        for name in field.related[:-1]:
            links.append(model._fields[name])
            model = model.env[links[-1].comodel_name]
        return all(link.required for link in links)

    def _searched(self, model: Any, field: Any, leaf: Leaf, alias: str) -> str:
        if not field.search:
            raise DomainError(
                f"The field {field!r} is computed and not stored, so the condition "
                f"{(leaf.path, leaf.operator, leaf.value)!r} cannot be searched. "
                f"Give the field store=True or a search method."
            )
        records = model.browse()
        if "." in leaf.path:
            rest = leaf.path.partition(".")[2]
            comodel = model.env[field.comodel_name]
            found = comodel.search([(rest, leaf.operator, leaf.value)]).ids
            leaf = Leaf(field.name, "in", found)
        method = field.search if callable(field.search) else getattr(type(records), field.search)
        return self.of(model, parse(method(records, leaf.operator, leaf.value)), alias)

    def _path(self, model: Any, field: Any, rest: str, leaf: Leaf, alias: str) -> str:
        if not field.relational:
            raise DomainError(
                f"The path {leaf.path!r} goes on after {field!r}, which holds no records. "
                f"End it there."
            )
        model.env[field.comodel_name].check_access_rights("read")
        node = Leaf(rest, leaf.operator, leaf.value)
        # Archived records count when a many2one links to them, not among the x2many.
        archived = not field.x2many or not field.tests_active(self.env)
        return self._linked(model, field, node, alias, archived=archived)

    def _linked(
        self, model: Any, field: Any, node: Node, alias: str, *, archived: bool = True
    ) -> str:
        """True where *field* links to a record for which *node* is true."""
        comodel = model.env[field.comodel_name]
        if field.x2many and field.domain:
            node = All((node, parse(field.own_domain(model))))
        inner = self.alias()
        table = f"{identifier(comodel._table)} AS {identifier(inner)}"
        self.fields.add(field)
        if field.type == "many2one":
            where = self._visible(comodel, node, inner, archived=archived)
            return f"{column(alias, field.name)} IN (SELECT id FROM {table} WHERE {where})"  # noqa: S608
        if field.type == "one2many":
            inverse = comodel._fields[field.inverse_name]
            self.fields.add(inverse)
            where = self._visible(comodel, node, inner, archived=archived)
            link = column(inner, inverse.name)
            return (
                f"EXISTS (SELECT 1 FROM {table} WHERE {link} = {column(alias, 'id')} AND {where})"  # noqa: S608
            )
        where = self._visible(comodel, node, inner, archived=archived)
        rows = self.alias()
        return (
            f"EXISTS (SELECT 1 FROM {identifier(field.relation)} AS {identifier(rows)}"  # noqa: S608
            f" JOIN {table} ON {column(inner, 'id')} = {column(rows, field.column2)}"
            f" WHERE {column(rows, field.column1)} = {column(alias, 'id')} AND {where})"
        )

    def _visible(self, comodel: Any, node: Node, alias: str, *, archived: bool) -> str:
        parts = [self.of(comodel, node, alias)]
        active = comodel._fields.get("active")
        if active and not archived:
            parts.append(self._on_column(active, alias, "=", True))
        rule = comodel._rule_node("read")
        if rule is not None:
            parts.append(self.of(comodel.sudo(), rule, alias))
        return " AND ".join(parts)

    def _by_name(self, model: Any, field: Any, leaf: Leaf, alias: str) -> str:
        comodel = model.env[field.comodel_name]
        comodel.check_access_rights("read")
        if leaf.operator in NEGATIVE:
            node = comodel._name_node(NEGATIVE[leaf.operator], leaf.value)
            return f"(({self._linked(model, field, node, alias)}) IS NOT TRUE)"
        return self._linked(model, field, comodel._name_node(leaf.operator, leaf.value), alias)

    def _membership(self, model: Any, field: Any, leaf: Leaf, alias: str) -> str:
        """``=`` and ``in`` of an x2many; False stands for holding nothing."""
        if leaf.operator not in ("=", "in", "=?"):
            raise DomainError(
                f"The operator {leaf.operator!r} says nothing of the records in {field!r}. "
                f"Use in, not in, =, !=, child_of, or a path to one of their fields."
            )
        if leaf.operator == "=?" and not leaf.value:
            return "TRUE"
        values = listed(leaf.value)
        ids = [field_id(value) for value in values if value]
        parts = []
        if ids:
            parts.append(self._linked(model, field, Leaf("id", "in", ids), alias))
        if any(not value for value in values):
            holds = self._linked(model, field, Constant(True), alias)
            parts.append(f"(({holds}) IS NOT TRUE)")
        return "(" + " OR ".join(parts) + ")" if parts else "FALSE"

    def _hierarchy(self, model: Any, field: Any, leaf: Leaf, alias: str) -> str:
        ids = hierarchy_ids(model, field, leaf)
        if not field.relational:
            return self._on_column(field, alias, "in", ids)
        return self._linked(model, field, Leaf("id", "in", ids), alias)

    # -- one column -----------------------------------------------------------------------

    def _on_column(self, field: Any, alias: str, operator: str, value: Any) -> str:
        self.fields.add(field)
        if hasattr(value, "_name"):
            value = field.searched(value, operator)
        if operator == "=?":
            if _is_nothing(value):
                return "TRUE"
            operator = "="
        if operator in ("=", "!=") and isinstance(value, (list, tuple, set, frozenset)):
            operator = "in" if operator == "=" else "not in"
        if operator in NEGATIVE:
            return f"(({self._on_column(field, alias, NEGATIVE[operator], value)}) IS NOT TRUE)"
        if operator in PATTERNS:
            return self._pattern(field, alias, operator, value)
        if operator == "in":
            return self._in(field, alias, listed(value))
        if operator == "=":
            return self._equal(field, alias, value)
        if operator in COMPARISONS:
            return self._compared(field, alias, operator, value)
        raise DomainError(f"The operator {operator!r} cannot be used on {field!r}.")

    def expression(self, field: Any, alias: str) -> str:
        """The value of a column, in the language asked for; to be used at once, and once."""
        sql = column(alias, field.name)
        if not field.translate:
            return sql
        self.params.append(self.env.lang or "en_US")
        return f"COALESCE({sql} ->> %s, {sql} ->> 'en_US')"

    def _equal(self, field: Any, alias: str, value: Any) -> str:
        sql = self.expression(field, alias)
        if field.type == "boolean":
            return f"{sql} IS TRUE" if value else f"{sql} IS NOT TRUE"
        if _is_nothing(value):
            return f"{sql} IS NULL"
        self.params.append(field.to_param(field.to_search(value)))
        return f"{sql} = %s::jsonb" if field.type == "serialized" else f"{sql} = %s"

    def _compared(self, field: Any, alias: str, operator: str, value: Any) -> str:
        if _is_nothing(value) and field.type != "boolean":
            return "FALSE"  # nothing is less or greater than no value
        sql = self.expression(field, alias)
        self.params.append(field.to_param(field.to_search(value)))
        return f"({sql} {operator} %s) IS TRUE"

    def _in(self, field: Any, alias: str, values: list[Any]) -> str:
        if field.type == "boolean":
            parts = [self._equal(field, alias, value) for value in {bool(v) for v in values}]
            return "(" + " OR ".join(parts) + ")" if parts else "FALSE"
        known = [field.to_search(each) for each in values if not _is_nothing(each)]
        parts = [self._among(field, alias, known)] if known else []
        if len(known) < len(values):
            parts.append(f"{self.expression(field, alias)} IS NULL")
        return "(" + " OR ".join(parts) + ")" if parts else "FALSE"

    def _among(self, field: Any, alias: str, known: list[Any]) -> str:
        sql = self.expression(field, alias)
        if all(type(value) is int and abs(value) <= INT8_MAX for value in known):
            self.params.append(array_literal(known))
            return f"{sql} = ANY(%s::int8[])"
        self.params.append(tuple(field.to_param(value) for value in known))
        return f"{sql} IN %s"

    def _pattern(self, field: Any, alias: str, operator: str, value: Any) -> str:
        name, wrapped = PATTERNS[operator]
        if wrapped and not value:
            return "TRUE"
        sql = self.expression(field, alias)
        if field.type not in ("char", "text", "html", "selection", "reference"):
            sql = f"{sql}::text"
        self.params.append(pattern_of(field, value, wrapped=wrapped))
        return f"{sql} {name} %s"


def pattern_of(field: Any, value: Any, *, wrapped: bool) -> str:
    """
    The pattern that *field* is compared with: *value*, or what has it anywhere if *wrapped*.

    A backslash at the end, which has nothing to stand before, stands for itself.
    """
    pattern = f"%{value}%" if wrapped else str(value)
    if "\0" in pattern:
        raise DomainError(f"No text holds a NUL character, so {field!r} cannot be like {value!r}.")
    at_end = len(pattern) - len(pattern.rstrip("\\"))
    return pattern + "\\" if at_end % 2 else pattern


def hierarchy_ids(model: Any, field: Any, leaf: Leaf) -> list[int]:
    """The ids that a condition of ``child_of`` or ``parent_of`` on *field* of *model* names."""
    if field.name != "id" and not field.relational:
        raise DomainError(
            f"The operator {leaf.operator!r} asks for records, which {field!r} does not hold. "
            f"Use it on a link, or on id."
        )
    comodel = model.env[field.comodel_name] if field.relational else model
    return comodel._hierarchy_ids(leaf.operator, leaf.value)  # type: ignore[no-any-return]


def _is_nothing(value: Any) -> bool:
    return value is False or value is None  # and not 0, which equals False


def field_id(value: Any) -> Any:
    """The id of a record, or the id that *value* is."""
    return value.id if hasattr(value, "_name") else value


def listed(value: Any) -> list[Any]:
    """The values that a condition's right side stands for."""
    if hasattr(value, "_name"):
        return list(value._ids)
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    return [value]


def is_text(value: Any) -> bool:
    """Are the records of a link compared with names?"""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(isinstance(item, str) for item in value)
    return isinstance(value, str)
