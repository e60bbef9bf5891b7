"""Searching: domains, orders, hierarchies and names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from connector.core.domain import All, AnyOf, Constant, Leaf, Node, Not, parse
from connector.core.exceptions import DomainError
from connector.core.fields import Field
from connector.core.fields.many2one import ID_MAX
from connector.core.models.found import FoundIds, all_ids, found_ids
from connector.core.models.keys import Keys
from connector.core.models.storage import write_pending
from connector.core.query import Condition, array_literal, column, identifier

__all__ = ["Searching"]

#: the largest LIMIT and OFFSET of PostgreSQL
ROWS_MAX = 2**63 - 1

ORDER_PART = re.compile(r"\s*(\w+)(?:\s+(asc|desc))?(\s+nulls\s+(?:first|last))?\s*\Z", re.I)


class Searching(Keys):
    """How records are found."""

    _register = False

    def search(
        self,
        domain: Sequence[Any] = (),
        offset: int = 0,
        limit: int | None = None,
        order: str | None = None,
        count: bool = False,
    ) -> Any:
        """
        The records that meet *domain* and that the user may read.

        Archived records are left out, unless the domain names ``active`` or the context has
        ``active_test=False``.

        Raises:
            DomainError: the domain cannot be read.
            UnknownFieldError: it names a field that the model lacks.
            AccessError: the user may not read the model.
        """
        if count:
            return self.search_count(domain)
        restricted = self._is_restricted("read")
        if limit is False:
            limit = None  # how the external API says it
        if not offset and limit != 0:
            key = self._as_key(domain)
            if key is not None:
                found = self._search_by_key(*key)
                return found._filter_access_rules("read") if restricted else found
        if order:
            self._check_order(order)
        condition, where = self._where(domain)
        ordered = self._order_sql(condition, self._table, order or self._order)
        statement = (
            f"SELECT {column(self._table, 'id')} FROM {identifier(self._table)}"  # noqa: S608
            f"{''.join(condition.joins.values())} WHERE {where} ORDER BY {ordered}"
        )
        if limit is not None:
            statement += f" LIMIT {self._row_count('limit', limit)}"
        if offset:
            statement += f" OFFSET {self._row_count('offset', offset)}"
        self._flush_fields(condition.fields)
        cr = self.env.cr
        if domain or offset or limit is not None:
            cr.execute_unflushed(statement, condition.params)
            ids = found_ids(cr)
        else:
            ids = all_ids(cr, statement, condition.params)
        return self._browse(self.env, ids) if isinstance(ids, FoundIds) else self.browse(ids)

    def _row_count(self, name: str, value: Any) -> int:
        if isinstance(value, int) and 0 <= value <= ROWS_MAX:
            return int(value)
        raise DomainError(
            f"Records of {self._name!r} cannot be searched with {name}={value!r}. "
            f"Give a whole number, 0 or more."
        )

    def search_count(self, domain: Sequence[Any] = ()) -> int:
        """How many records ``search`` finds."""
        self.check_access_rights("read")
        condition, where = self._where(domain)
        self._flush_fields(condition.fields)
        self.env.cr.execute_unflushed(
            f"SELECT count(*) FROM {identifier(self._table)} WHERE {where}",  # noqa: S608
            condition.params,
        )
        return self.env.cr.fetchall()[0][0]  # type: ignore[no-any-return]

    def search_read(
        self,
        domain: Sequence[Any] = (),
        fields: Iterable[str] | None = None,
        offset: int = 0,
        limit: int | None = None,
        order: str | None = None,
    ) -> list[dict[str, Any]]:
        """Find records and read them."""
        found = self.search(domain, offset=offset, limit=limit, order=order)
        return found.read(fields)  # type: ignore[no-any-return]

    # -- conditions -----------------------------------------------------------------------

    def _condition(self) -> Condition:
        return Condition(self.env)

    def _where(self, domain: Sequence[Any]) -> tuple[Condition, str]:
        if not self._auto:
            self._require_table()
            self.env.transaction.forget_model(type(self))  # a view is as new as what it shows
        node = self._parsed(domain)
        if (
            self._has_active
            and self.env.context.get("active_test", True)
            and not _names(node, "active")
        ):
            node = All((node, Leaf("active", "=", True)))
        condition = self._condition()
        where = condition.of(self, node, self._table)
        rule = self._rule_node("read")
        if rule is not None:
            where += " AND " + condition.of(self.sudo(), rule, self._table)
        # Rows of a model are there for the statement only once they are inserted.
        condition.fields.add(self._fields["id"])
        return condition, where

    def _parsed(self, domain: Sequence[Any]) -> Node:
        try:
            return parse(domain)
        except DomainError as error:
            raise DomainError(f"Records of {self._name!r} cannot be searched: {error}") from None

    def _flush_fields(self, fields: Iterable[Field]) -> None:
        """Write what waits if one of *fields* is part of it."""
        transaction = self.env.transaction
        if not (transaction.pending_rows or transaction.todo):
            return
        read = list(fields)
        if transaction.computing_depth and self.env.recompute:
            # Inside a computation the rest may depend on what is being computed.
            for field in read:
                while transaction.todo.get(field):
                    self.env[field.model_name].sudo()._recompute_field(field)
        models = self.env.registry.models
        for field in read:
            if (
                not models[field.model_name]._auto  # a view shows other models
                or transaction.new.get(field.model_name)
                or transaction.dirty.get(field)
                or transaction.todo.get(field)
                or (field.x2many and transaction.links)
            ):
                if transaction.computing_depth:
                    write_pending(transaction)
                else:
                    transaction.flush()
                return

    def _order_sql(
        self,
        condition: Condition,
        alias: str,
        order: str,
        seen: tuple[Any, ...] = (),
        reverse: bool = False,
    ) -> str:
        parts: list[str] = []
        for name, down, nulls in self._parsed_order(order):
            parts += self._order_part(condition, alias, name, down != reverse, nulls, seen)
        return ", ".join(parts) or column(alias, "id")

    def _parsed_order(self, order: str) -> Iterable[tuple[str, bool, str]]:
        """Name, whether downwards, and where no values stand, of each part of an order."""
        for part in order.split(","):
            match = ORDER_PART.match(part)
            if not match:
                raise DomainError(
                    f"The order {order!r} of {self._name!r} cannot be read. "
                    f"Give field names, each with asc or desc after it, joined by commas."
                )
            name, direction, nulls = match.groups()
            yield name, (direction or "asc").lower() == "desc", nulls or ""

    def _check_order(self, order: str) -> None:
        """Refuse an order that would tell of fields that are not for the user."""
        for name, _, _ in self._parsed_order(order):
            self._check_field_groups(self._field(name))

    def _order_part(
        self, condition: Condition, alias: str, name: str, down: bool, nulls: str, seen: Any
    ) -> list[str]:
        field = self._field(name)
        suffix = (" DESC" if down else "") + nulls.upper()
        if field.related and not field.store:
            record: Any = self
            for step in field.related[:-1]:
                link = record._fields[step]
                alias = self._join(condition, alias, link)
                record = self.env[link.comodel_name]
            return record._order_part(condition, alias, field.related[-1], down, nulls, seen)  # type: ignore[no-any-return]
        if name != "id" and not field.is_column:
            raise DomainError(
                f"{self._name!r} cannot be ordered by {field!r}, which is no column. "
                f"Order by a stored field, or sort the records in Python."
            )
        condition.fields.add(field)
        if field.type == "many2one" and field not in seen:
            comodel = self.env[field.comodel_name]
            joined = self._join(condition, alias, field)
            return [comodel._order_sql(condition, joined, comodel._order, (*seen, field), down)]
        return [condition.expression(field, alias) + suffix]

    def _join(self, condition: Condition, alias: str, link: Field) -> str:
        joined = f"{alias}__{link.name}"
        comodel = self.env[link.comodel_name]
        condition.fields.add(link)
        condition.joins[joined] = (
            f" LEFT JOIN {identifier(comodel._table)} AS {identifier(joined)}"
            f" ON {column(joined, 'id')} = {column(alias, link.name)}"
        )
        return joined

    # -- hierarchy ------------------------------------------------------------------------

    def _hierarchy_ids(self, operator: str, value: Any) -> list[int]:
        """The ids of *value*, and of all below (``child_of``) or above (``parent_of``) them."""
        if isinstance(value, str) or (
            isinstance(value, (list, tuple)) and value and isinstance(value[0], str)
        ):
            names = [value] if isinstance(value, str) else value
            node = AnyOf(tuple(self._name_node("ilike", name) for name in names))
            roots: list[int] = self.with_context(active_test=False)._search_node(node).ids
        else:
            items = (
                value if isinstance(value, (list, tuple)) or hasattr(value, "_name") else [value]
            )
            roots = [self._root_id(operator, item) for item in items if item]
            roots = [id_ for id_ in roots if id_ <= ID_MAX]
        parent = self._fields.get(self._parent_name)
        if not roots or parent is None or not parent.is_column:
            return roots
        self._flush_fields([parent])
        link, table = identifier(parent.name), identifier(self._table)
        step = "t.id, t.{0} FROM {1} t JOIN tree ON t.{0} = tree.id"
        if operator == "parent_of":
            step = "t.id, t.{0} FROM {1} t JOIN tree ON t.id = tree.parent"
        self.env.cr.execute_unflushed(
            f"WITH RECURSIVE tree (id, parent) AS ("  # noqa: S608 - quoted names
            f"SELECT id, {link} FROM {table} WHERE id = ANY(%s::int[])"
            f" UNION SELECT {step.format(link, table)}) SELECT id FROM tree",
            (array_literal(roots),),
        )
        return [id_ for (id_,) in self.env.cr.fetchall()]

    def _root_id(self, operator: str, item: Any) -> int:
        try:
            return int(item)
        except (TypeError, ValueError):
            raise DomainError(
                f"{operator!r} needs records of {self._name!r}, their ids or a name, not {item!r}."
            ) from None

    def _search_node(self, node: Node) -> Any:
        condition = self._condition()
        where = condition.of(self, node, self._table)
        self._flush_fields([*condition.fields, self._fields["id"]])
        self.env.cr.execute_unflushed(
            f"SELECT id FROM {identifier(self._table)} WHERE {where}",  # noqa: S608
            condition.params,
        )
        return self.browse([id_ for (id_,) in self.env.cr.fetchall()])

    # -- names ----------------------------------------------------------------------------

    def _name_node(self, operator: str, value: Any) -> Node:
        """The condition that a record's name meets."""
        if self._is_extended("name_search"):
            return Leaf("id", "in", self._named_ids(operator, value))
        if self._rec_name is None:
            raise DomainError(
                f"Records of {self._name!r} have no name to compare with {value!r}. "
                f"Search by id, or set _rec_name on the model."
            )
        return Leaf(self._rec_name, operator, value)

    def _named_ids(self, operator: str, value: Any) -> list[int]:
        """The ids that the model's own ``name_search`` finds."""
        everything: Any = self.with_context(active_test=False).browse()
        several = isinstance(value, (list, tuple))
        found: list[int] = []
        for name in value if several else [value]:
            pairs = everything.name_search(name, [], "=" if several else operator, limit=None)
            found += [id_ for id_, _ in pairs]
        return found


def _names(node: Node, name: str) -> bool:
    match node:
        case Leaf(path, _, _):
            return path == name
        case Not(operand):
            return _names(operand, name)
        case All(operands) | AnyOf(operands):
            return any(_names(operand, name) for operand in operands)
        case Constant():
            return False
