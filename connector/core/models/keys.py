"""
Natural keys: columns that together name one record, as (backend, external id) names a binding.

What was found is remembered, and so is what was not: the transaction answers the next time.
Records that wait to be written are known by their keys without being sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from connector.core.exceptions import UserError
from connector.core.fields import Field
from connector.core.models.prepared import run_prepared
from connector.core.models.reading import Reading
from connector.core.models.rows import array_text, array_type
from connector.core.query import column, identifier

__all__ = ["Keys"]


class KeyReading(NamedTuple):
    """How a record is read by a natural key."""

    key: tuple[Field, ...]
    #: the key, and the columns that come along: who is found is read next
    filled: tuple[Field, ...]
    #: types of the parameters, and the statement
    types: str
    text: str


class Keys(Reading):
    """How a record is found by its natural key."""

    _register = False
    #: the names of a natural key -> how a record is read by it
    _key_readings: ClassVar[dict[tuple[str, ...], KeyReading]] = {}

    def _as_key(self, domain: Sequence[Any]) -> tuple[tuple[str, ...], tuple[Any, ...]] | None:
        """Names and values, if *domain* asks for just a natural key."""
        shapes = self._key_shapes
        if not shapes or not domain:
            return None
        try:
            given = {name: value for name, operator, value in domain if operator == "="}
        except (TypeError, ValueError):
            return None  # an operator stands between conditions
        if len(given) != len(domain):
            return None
        shape = shapes.get(frozenset(given))
        if shape is None:
            return None
        names, types = shape
        values: tuple[Any, ...] | None = tuple([given[name] for name in names])
        if tuple(map(type, values)) != types:  # type: ignore[arg-type]
            values = self._key_values(names, values)  # type: ignore[arg-type]
        return None if values is None else (names, values)

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
        transaction = self.env.transaction
        known = transaction.keys[self._name, names]
        id_ = known.get(values)
        if id_ is None:
            id_ = self._read_key(names, values)
            # A miss stays true only for who holds the key's lock; the next search looks again.
            if id_:
                known[values] = id_
        if not transaction.together:
            found = self._browse(self.env, (id_,) if id_ else ())
        else:
            found = self._found_by_key(names, id_)
        if id_ and self._has_active and self.env.context.get("active_test", True):
            found = found.sudo().filtered("active").with_env(self.env)
        return found

    def _found_by_key(self, names: tuple[str, ...], id_: int) -> Any:
        """The record, to be read together with those whose keys were looked up with its own."""
        if not id_:
            return self._browse(self.env, ())
        together = self.env.transaction.together.get((self._name, names))
        return self._browse(self.env, (id_,), together if together and id_ in together else None)

    def _lookup_by_key(self, names: Iterable[str], given: Sequence[Any]) -> Any:
        """
        The record of a natural key, archived or not, from memory where it is known.

        That there is none is remembered for the transaction, until ``forget_key``.
        """
        sorted_names, places = _in_order(tuple(names))
        values = self._key_values(sorted_names, [given[place] for place in places])
        if values is None:
            given_by_name = dict(zip(names, given, strict=True))
            raise UserError(
                f"No record of {self._name!r} is named by {given_by_name!r}: "
                f"each part of a natural key needs a value."
            )
        known = self.env.transaction.keys[self._name, sorted_names]
        id_ = known.get(values)
        if id_ is None:
            id_ = known[values] = self._read_key(sorted_names, values)
        return self._found_by_key(sorted_names, id_)

    def _read_key(self, names: tuple[str, ...], values: tuple[Any, ...]) -> int:
        """One key to its id, or 0, by a statement that the connection keeps prepared."""
        env = self.env
        transaction, cr = env.transaction, env.cr
        reading = self._reading_by(names)
        if transaction.todo and any(transaction.todo.get(field) for field in reading.key):
            transaction.flush()
        run_prepared(cr, reading.types, reading.text, values)
        rows = cr.fetchall()
        if not rows:
            return 0
        id_: int
        id_, *read = rows[0]
        # The columns of the key need not be read: they hold what was looked for.
        self._fill_one(reading.filled, (id_, *values, *read))
        if transaction.dirty:
            # A pending write of the key counts, not the row as it still is.
            for field, value in zip(reading.key, values, strict=True):
                waiting = transaction.dirty.get(field, ())
                if id_ in waiting and transaction.values[field][id_] != value:
                    return 0
        return id_

    @classmethod
    def _reading_by(cls, names: tuple[str, ...]) -> KeyReading:
        known = cls._key_readings.get(names)
        if known is None:
            key = tuple(cls._fields[name] for name in names)
            others = [field for field in cls._prefetched() if field not in key]
            types = ", ".join(map(_array_type, key))
            where = " AND ".join(f"{identifier(name)} = ${n}" for n, name in enumerate(names, 1))
            columns = "".join(f", {identifier(field.name)}" for field in others)
            text = f"SELECT id{columns} FROM {identifier(cls._table)} WHERE {where}"  # noqa: S608
            known = cls._key_readings[names] = KeyReading(key, (*key, *others), types, text)
        return known

    def _prefetch_keys(self, names: Iterable[str], given: Iterable[Sequence[Any]]) -> Any:
        """
        Look many natural keys up in one statement and remember each, found or not.

        Returns the records found; their columns are read with them.
        """
        sorted_names, places = _in_order(tuple(names))
        known = self.env.transaction.keys[self._name, sorted_names]
        wanted: dict[tuple[Any, ...], None] = {}
        found_ids: list[int] = []
        types = tuple(self._fields[name].key_type for name in sorted_names)
        for item in given:
            values: tuple[Any, ...] | None = tuple([item[place] for place in places])
            if tuple(map(type, values)) != types:  # type: ignore[arg-type]
                values = self._key_values(sorted_names, values)  # type: ignore[arg-type]
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
            known.update(dict.fromkeys(part, 0))
            known.update(found)
            found_ids += found.values()
        together = dict.fromkeys(found_ids)
        self.env.transaction.together[self._name, sorted_names] = together
        return self.browse(together)

    def _read_keys(
        self, names: tuple[str, ...], keys: Sequence[tuple[Any, ...]]
    ) -> dict[tuple[Any, ...], int]:
        """Keys to ids, by the database, as far as no pending write contradicts it; no flush."""
        transaction = self.env.transaction
        key_fields = [self._fields[name] for name in names]
        if any(transaction.todo.get(field) for field in key_fields):
            transaction.flush()
        wanted = self._reading_by(names).filled
        columns = "".join(f", {column(self._table, field.name)}" for field in wanted)
        condition, params = self._has_one_of(key_fields, keys)
        self.env.cr.execute_unflushed(
            f"SELECT {column(self._table, 'id')}{columns}"  # noqa: S608 - quoted names
            f" FROM {identifier(self._table)}{condition}",
            params,
        )
        rows = self.env.cr.fetchall()
        if not rows:
            return {}
        ids, *read = zip(*rows, strict=True)
        self._fill(wanted, (ids, *read))
        if not any(field.decodes or transaction.dirty.get(field) for field in key_fields):
            return dict(zip(zip(*read[: len(names)], strict=True), ids, strict=True))
        # A pending write of the key counts, not the row as it still is.
        known = [transaction.values[field] for field in key_fields]
        found = {tuple([values.get(id_) for values in known]): id_ for id_ in ids}
        asked = set(keys)
        return {key: id_ for key, id_ in found.items() if key in asked}

    def _has_one_of(
        self, fields: Sequence[Field], keys: Sequence[tuple[Any, ...]]
    ) -> tuple[str, list[Any]]:
        """
        The clause for rows that have one of *keys*, and its parameters.

        Where one column differs, as the external id does within a backend, the index is given
        a list of its values; where several do, rows are joined with the keys.
        """
        columns = list(zip(fields, zip(*keys, strict=True), strict=True))
        differing = [f for f, values in columns if values.count(values[0]) < len(values)]
        if len(differing) > 1:
            return self._joined_with(columns)
        parts: list[str] = []
        params: list[Any] = []
        for field, values in columns:
            own, type_ = column(self._table, field.name), _array_type(field)
            if field in differing:
                parts.append(f"{own} = ANY(%s::{type_}[])")
                params.append(array_text(field.plain_text, field.as_text(values)))
            else:
                parts.append(f"{own} = %s::{type_}")
                params.append(field.as_text(values[:1])[0])
        return f" WHERE {' AND '.join(parts)}", params

    def _joined_with(
        self, columns: Sequence[tuple[Field, tuple[Any, ...]]]
    ) -> tuple[str, list[Any]]:
        names = [field.name for field, _ in columns]
        types = ", ".join(f"%s::{_array_type(field)}[]" for field, _ in columns)
        aliases = ", ".join(map(identifier, names))
        joined = " AND ".join(f"{column(self._table, n)} = key.{identifier(n)}" for n in names)
        params = [array_text(field.plain_text, field.as_text(values)) for field, values in columns]
        return f" JOIN unnest({types}) AS key ({aliases}) ON {joined}", params

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


def _array_type(field: Any) -> str:
    """The type of a key's values; a number too large for the column is in no row, no error."""
    kind = array_type(str(field.column_type))
    return "int8" if kind == "int4" else kind


@lru_cache
def _in_order(names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The names of a key in the order that it is remembered by, and where each was given."""
    places = sorted(range(len(names)), key=names.__getitem__)
    return tuple(names[place] for place in places), tuple(places)
