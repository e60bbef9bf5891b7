"""Searching: domains, orders, hierarchies, names and natural keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from connector.core.domain import All, AnyOf, Constant, Leaf, Node, Not, parse
from connector.core.exceptions import DomainError, UserError
from connector.core.fields import Field
from connector.core.models.prepared import run_prepared
from connector.core.models.reading import Reading
from connector.core.models.storage import array_text, array_type, write_pending
from connector.core.query import Condition, array_literal, column, identifier

__all__ = ["Searching"]

ORDER_PART = re.compile(r"\s*(\w+)(?:\s+(asc|desc))?(\s+nulls\s+(?:first|last))?\s*\Z", re.I)


class Searching(Reading):
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
        if self.env.uid != 1:
            self.check_access_rights("read")
        if not offset and limit != 0:
            key = self._as_key(domain)
            if key is not None:
                return self._search_by_key(*key)
        condition, where = self._where(domain)
        ordered = self._order_sql(condition, self._table, order or self._order)
        statement = (
            f"SELECT {column(self._table, 'id')} FROM {identifier(self._table)}"  # noqa: S608
            f"{''.join(condition.joins.values())} WHERE {where} ORDER BY {ordered}"
        )
        if limit is not None:
            statement += f" LIMIT {int(limit)}"
        if offset:
            statement += f" OFFSET {int(offset)}"
        self._flush_fields(condition.fields)
        self.env.cr.execute_unflushed(statement, condition.params)
        return self.browse([id_ for (id_,) in self.env.cr.fetchall()])

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
        node = parse(domain)
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

    def _flush_fields(self, fields: Iterable[Field]) -> None:
        """Write what waits if one of *fields* is part of it."""
        transaction = self.env.transaction
        if not (transaction.pending_rows or transaction.todo):
            return
        read = list(fields)
        if transaction.computing_depth:
            # Inside a computation the rest may depend on what is being computed.
            for field in read:
                while transaction.todo.get(field):
                    self.env[field.model_name].sudo()._recompute_field(field)
        for field in read:
            if (
                transaction.new.get(field.model_name)
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
        for part in order.split(","):
            match = ORDER_PART.match(part)
            if not match:
                raise DomainError(
                    f"The order {order!r} of {self._name!r} cannot be read. "
                    f"Give field names, each with asc or desc after it, joined by commas."
                )
            name, direction, nulls = match.groups()
            down = ((direction or "asc").lower() == "desc") != reverse
            parts += self._order_part(condition, alias, name, down, nulls or "", seen)
        return ", ".join(parts) or column(alias, "id")

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

    # -- natural keys ---------------------------------------------------------------------

    def _as_key(self, domain: Sequence[Any]) -> tuple[tuple[str, ...], tuple[Any, ...]] | None:
        """Names and values, if *domain* asks for just a natural key."""
        keys = self._natural_keys
        if not keys or not domain:
            return None
        given: dict[str, Any] = {}
        for leaf in domain:
            if len(leaf) != 3 or leaf[1] != "=" or not isinstance(leaf[0], str):
                return None
            given[leaf[0]] = leaf[2]
        if len(given) != len(domain):
            return None
        for names in keys:
            if len(names) == len(given) and given.keys() == set(names):
                values = self._key_values(names, [given[name] for name in names])
                return None if values is None else (names, values)
        return None

    def _key_values(self, names: Sequence[str], given: Sequence[Any]) -> tuple[Any, ...] | None:
        """The values as the cache holds them; None where one is missing or in need of care."""
        fields = self._fields
        values = []
        for name, value in zip(names, given, strict=True):
            field = fields[name]
            if type(value) is not field.key_type:
                value = self._key_value(field, value)
                if value is None:
                    return None
            values.append(value)
        return tuple(values)

    def _key_value(self, field: Field, value: Any) -> Any:
        if value is None or isinstance(value, (list, tuple, bool)):
            return None
        if field.relational and isinstance(value, str):
            return None
        if hasattr(value, "_name"):
            value = value.id or None
        return None if value is None else field.to_search(value)

    def _search_by_key(self, names: tuple[str, ...], values: tuple[Any, ...]) -> Any:
        known = self.env.transaction.keys[self._name, names]
        id_ = known.get(values)
        if id_ is None:
            id_ = self._read_key(names, values)
            # A miss stays true only for who holds the key's lock; the next search looks again.
            if id_:
                known[values] = id_
        found = self.browse(id_ or ())
        if found and self._has_active and self.env.context.get("active_test", True):
            found = found.sudo().filtered("active").with_env(self.env)
        return found._filter_access_rules("read") if found else found

    def _lookup_by_key(self, names: Iterable[str], given: Sequence[Any]) -> Any:
        """
        The record of a natural key, archived or not, from memory where it is known.

        That there is none is remembered for the transaction, until ``forget_key``.
        """
        pairs = sorted(zip(names, given, strict=True), key=lambda pair: pair[0])
        sorted_names = tuple(name for name, _ in pairs)
        values = self._key_values(sorted_names, [value for _, value in pairs])
        if values is None:
            raise UserError(
                f"No record of {self._name!r} is named by {dict(pairs)!r}: "
                f"each part of a natural key needs a value."
            )
        known = self.env.transaction.keys[self._name, sorted_names]
        id_ = known.get(values)
        if id_ is None:
            id_ = known[values] = self._read_key(sorted_names, values)
        return self.browse(id_ or ())

    def _read_key(self, names: tuple[str, ...], values: tuple[Any, ...]) -> int:
        """One key to its id, or 0, by a statement that the connection keeps prepared."""
        transaction = self.env.transaction
        fields = [self._fields[name] for name in names]
        if transaction.todo and any(transaction.todo.get(field) for field in fields):
            transaction.flush()
        cr = self.env.cr
        run_prepared(cr, *self._key_statement(names), values)
        rows = cr.fetchall()
        if not rows:
            return 0
        id_: int = rows[0][0]
        # A pending write of the key counts, not the row as it still is.
        for field, value in zip(fields, values, strict=True):
            if id_ in transaction.dirty.get(field, ()) and transaction.values[field][id_] != value:
                return 0
        return id_

    @classmethod
    def _key_statement(cls, names: tuple[str, ...]) -> tuple[str, str]:
        known = cls._statements.get(names)
        if known is None:
            types = ", ".join(_array_type(cls._fields[name]) for name in names)
            where = " AND ".join(f"{identifier(name)} = ${n}" for n, name in enumerate(names, 1))
            table = identifier(cls._table)
            known = types, f"SELECT id FROM {table} WHERE {where}"  # noqa: S608 - quoted names
            cls._statements[names] = known
        return known

    def _prefetch_keys(self, names: Iterable[str], given: Iterable[Sequence[Any]]) -> Any:
        """
        Look many natural keys up in one statement and remember each, found or not.

        Returns the records found; their columns are read with them.
        """
        order = list(names)
        sorted_names = tuple(sorted(order))
        places = [order.index(name) for name in sorted_names]
        known = self.env.transaction.keys[self._name, sorted_names]
        wanted: dict[tuple[Any, ...], None] = {}
        found_ids: list[int] = []
        for item in given:
            values = self._key_values(sorted_names, [item[place] for place in places])
            if values is None:
                continue
            id_ = known.get(values)
            if id_ is None:
                wanted[values] = None
            elif id_:
                found_ids.append(id_)
        keys = list(wanted)
        for start in range(0, len(keys), 1000):
            part = keys[start : start + 1000]
            found = self._read_keys(sorted_names, part)
            known.update({key: found.get(key, 0) for key in part})
            found_ids += found.values()
        return self.browse(dict.fromkeys(found_ids))

    def _read_keys(
        self, names: tuple[str, ...], keys: Sequence[tuple[Any, ...]]
    ) -> dict[tuple[Any, ...], int]:
        """Keys to ids, by the database, as far as no pending write contradicts it; no flush."""
        transaction = self.env.transaction
        key_fields = [self._fields[name] for name in names]
        if any(transaction.todo.get(field) for field in key_fields):
            transaction.flush()
        wanted = list(dict.fromkeys([*key_fields, *self._prefetched()]))
        columns = "".join(f", {column(self._table, field.name)}" for field in wanted)
        cr = self.env.cr
        text = f"SELECT {column(self._table, 'id')}{columns} FROM {identifier(self._table)}"  # noqa: S608
        types = ", ".join(f"%s::{_array_type(field)}[]" for field in key_fields)
        joined = " AND ".join(
            f"{column(self._table, name)} = key.{identifier(name)}" for name in names
        )
        aliases = ", ".join(map(identifier, names))
        cr.execute_unflushed(
            f"{text} JOIN unnest({types}) AS key ({aliases}) ON {joined}",
            [
                array_text(field.plain_text, field.as_text(values))
                for field, values in zip(key_fields, zip(*keys, strict=True), strict=True)
            ],
        )
        rows = cr.fetchall()
        if not rows:
            return {}
        self._fill(wanted, list(zip(*rows, strict=True)))
        found = {}
        for row in rows:
            # A pending write of the key counts, not the row as it still is.
            key = tuple(transaction.values[field].get(row[0]) for field in key_fields)
            found[key] = row[0]
        asked = set(keys)
        return {key: id_ for key, id_ in found.items() if key in asked}

    def _remember_keys(self, ids: Iterable[Any]) -> None:
        """Note the natural keys of records that were created, or written on their keys."""
        transaction = self.env.transaction
        for names in self._natural_keys:
            columns = [transaction.values[self._fields[name]] for name in names]
            known = transaction.keys[self._name, names]
            for id_ in ids:
                key = tuple(values.get(id_) for values in columns)
                if None not in key:
                    known[key] = id_

    def _forget_keys(self, ids: Iterable[Any]) -> None:
        transaction = self.env.transaction
        for names in self._natural_keys:
            known = transaction.keys[self._name, names]
            columns = [transaction.values[self._fields[name]] for name in names]
            unsure = set()
            for id_ in ids if known else ():
                key = tuple(values.get(id_) for values in columns)
                if None in key:
                    unsure.add(id_)
                elif known.get(key) == id_:
                    del known[key]
            for key in [key for key, id_ in known.items() if id_ in unsure] if unsure else ():
                del known[key]

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
            roots = [int(item) for item in items if item]
        parent = self._fields.get(self._parent_name)
        if parent is None or not roots:
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
        if self._rec_name is None:
            raise DomainError(
                f"Records of {self._name!r} have no name to compare with {value!r}. "
                f"Search by id, or set _rec_name on the model."
            )
        return Leaf(self._rec_name, operator, value)


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


def _array_type(field: Any) -> str:
    """The type of a key's values; a number too large for the column is in no row, no error."""
    kind = array_type(str(field.column_type))
    return "int8" if kind == "int4" else kind
