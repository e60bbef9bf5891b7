"""Reading: what an attribute gives when the cache does not have it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from connector.core.exceptions import AccessError, MissingError
from connector.core.fields import Field
from connector.core.fields.many2one import ID_MAX
from connector.core.models.cache import CACHE_ROWS
from connector.core.models.prepared import run_prepared
from connector.core.models.recordset import PREFETCH_LONG, PREFETCH_MAX, LaterIds
from connector.core.models.setup import LOG_FIELDS, Setup
from connector.core.query import array_literal, column, identifier, one_of

__all__ = ["Reading"]

#: rows taken from the driver at once: so few that no collection of garbage looks at them
ROWS_AT_ONCE = 500


class Reading(Setup):
    """How values come into the cache: by columns, for as many records as will be asked for."""

    _register = False

    def _value_of(self, field: Field) -> Any:
        """The cached value of one record, read or computed where needed, if the user may."""
        id_ = self._ids[0]
        if field.groups:
            self._check_field_groups(field)
        if field.related and not field.store:
            return self._related_value(field, id_)
        if field.local:
            return self._computed_value(field, id_)
        if self.env.uid != 1 and id_:
            self._check_readable(field)
        return self._known(field)

    def _known(self, field: Field) -> Any:
        """The cached value of one record, whoever asks."""
        id_ = self._ids[0]
        transaction = self.env.transaction
        if field.related and not field.store:
            return self.sudo()._related_value(field, id_)
        values = transaction.values[field]
        if id_ in values:
            return values[id_]
        if field.store and (field.compute or field.related):
            if id_ in transaction.computing.get(field, ()) and self._has_no_row(id_):
                return () if field.x2many else field.missing  # the method reads what it makes
            due = id_ in transaction.todo.get(field, ())
            if due and self.env.recompute:
                self._recompute_field(field)
            elif due or not id_ or id_ in transaction.draft.get(field, ()):
                self._compute_field(field, self)
        elif not id_:
            values[id_] = self._draft_value(field, id_)
        if id_ not in values:
            self._fetch(field)
        try:
            return values[id_]
        except KeyError:
            raise self._missing(id_, field) from None

    def _has_no_row(self, id_: Any) -> bool:
        return not id_ or id_ in self.env.transaction.new.get(self._name, ())

    def _draft_value(self, field: Field, id_: Any) -> Any:
        if id_.origin:
            return self.browse(id_.origin)._known(field)
        return () if field.x2many else field.missing

    def _missing(self, id_: Any, field: Field) -> MissingError:
        return MissingError(
            f"The record {self._name}({id_},) does not exist or has been deleted, so "
            f"{field!r} cannot be read. Check with exists() before reading it."
        )

    # -- related and computed -------------------------------------------------------------

    def _related_value(self, field: Field, id_: Any) -> Any:
        drafts = self.env.transaction.values[field]
        if not id_ and id_ in drafts:
            return drafts[id_]
        record: Any = self.sudo() if field.related_sudo and not field.inherited else self
        assert field.related
        for name in field.related[:-1]:
            record = record[name][:1]
        if not record:
            return () if field.x2many else None
        last = record._fields[field.related[-1]]
        try:
            return record.env.known[last][record._ids[0]]
        except KeyError:
            return record._value_of(last)

    def _computed_value(self, field: Field, id_: Any) -> Any:
        values = self.env.known[field]
        if id_ not in values:
            self._compute_with_prefetch(field, id_)
        return values.get(id_)

    def _compute_with_prefetch(self, field: Field, id_: Any) -> None:
        values = self.env.known[field]
        together = [i for i in self._prefetch_ids() if i and i not in values]
        if id_ and len(together) > 1 and not field.recursive:
            try:
                self._compute_field(field, self.browse(together))
            except (AccessError, MissingError):
                # One of the others is not to be read: only the record asked for has to be.
                pass
            else:
                if id_ in values:
                    return
        self._compute_field(field, self)

    # -- fetching -------------------------------------------------------------------------

    def _prefetch_ids(self) -> Iterable[Any]:
        yield self._ids[0]
        for id_ in self._prefetch:
            if id_ != self._ids[0]:
                yield id_

    def _fetch(self, field: Field) -> None:
        """Bring *field*, and what is read with it, into the cache for this and its neighbours."""
        transaction = self.env.transaction
        if not self._auto:
            self._require_table()
            transaction.flush()  # a view shows other models
        values = transaction.values[field]
        new = transaction.new.get(self._name, ())
        near = self._prefetch
        if isinstance(near, tuple) and len(near) <= PREFETCH_LONG and self._ids[0] in near:
            # Most often none of them is known, which sets say faster than a loop.
            fresh = all(near) and values.keys().isdisjoint(near)
            if fresh and not new:
                ids: Sequence[int] = near
            else:
                ids = [i for i in near if i and i not in values and i not in new]
        else:
            missing = (i for i in self._prefetch_ids() if i and i not in values and i not in new)
            ids = list(islice(missing, PREFETCH_MAX))
        if field.is_column:
            wanted = self._fetched_with(field)
            if ids and max(ids) > ID_MAX:
                ids = [id_ for id_ in ids if id_ <= ID_MAX]  # no row has such a number
            if len(ids) == 1:
                self._fetch_one(ids[0], wanted)
            else:
                self._fetch_columns(ids, wanted)
        elif field.x2many:
            todo = (i for i in self._prefetch_ids() if i and i not in values)
            self._fetch_linked(field, list(islice(todo, PREFETCH_MAX)))

    def _fetched_with(self, field: Field) -> list[Field]:
        if field.name in LOG_FIELDS:
            return [self._fields[name] for name in LOG_FIELDS if name in self._fields]
        if not field.prefetch or not self.env.context.get("prefetch_fields", True):
            return [field]
        if isinstance(self._prefetch, LaterIds):
            # What a loop has asked of the records before, it will ask of these.
            values = self.env.transaction.values
            return [f for f in self._prefetched() if f in values and self._ids[0] not in values[f]]
        return self._prefetched()

    @classmethod
    def _prefetched(cls) -> list[Field]:
        return [field for field in cls._fields.values() if field.prefetch]

    def _fetch_one(self, id_: int, wanted: Sequence[Field]) -> None:
        """One record by a prepared statement: the sets of fields read together are few."""
        key = ("read", *wanted)
        known = self._statements.get(key)
        if known is None:
            columns = "".join(f", {identifier(field.name)}" for field in wanted)
            text = f"SELECT id{columns} FROM {identifier(self._table)} WHERE id = $1"  # noqa: S608
            known = self._statements[key] = ("int4", text)
        run_prepared(self.env.cr, *known, (id_,))
        for row in self.env.cr.fetchall():
            self._fill_one(wanted, row)

    def _fetch_columns(self, ids: Sequence[int], wanted: Sequence[Field]) -> None:
        if not ids:
            return
        cr = self.env.cr
        self._make_room(wanted)
        columns = "".join(f", {identifier(field.name)}" for field in wanted)
        condition, params = one_of(ids)
        cr.execute_unflushed(
            f"SELECT id{columns} FROM {identifier(self._table)} WHERE {condition}",  # noqa: S608
            params,
        )
        while rows := cr.fetchmany(ROWS_AT_ONCE):
            self._take_in(wanted, list(zip(*rows, strict=True)))

    def _fill_one(self, wanted: Sequence[Field], row: Sequence[Any]) -> None:
        """The same as ``_fill`` for one row, at a fraction of the cost where nothing waits."""
        transaction, id_ = self.env.transaction, row[0]
        values = transaction.values
        if (
            transaction.dirty
            or transaction.draft
            or transaction.todo
            or len(values[wanted[0]]) > CACHE_ROWS
        ):
            self._fill(wanted, [(value,) for value in row])
            return
        for field, value in zip(wanted, row[1:], strict=True):
            values[field][id_] = field.from_column((value,))[0] if field.decodes else value

    def _fill(self, wanted: Sequence[Field], columns: Sequence[Sequence[Any]]) -> None:
        """Put columns as they were read into the cache; what waits to be written stays."""
        self._make_room(wanted)
        self._take_in(wanted, columns)

    def _make_room(self, wanted: Sequence[Field]) -> None:
        values = self.env.transaction.values
        if any(len(values[field]) > CACHE_ROWS for field in wanted if field in values):
            self.env.transaction.trim(type(self))

    def _take_in(self, wanted: Sequence[Field], columns: Sequence[Sequence[Any]]) -> None:
        transaction, ids = self.env.transaction, columns[0]
        for field, read in zip(wanted, columns[1:], strict=True):
            if field.decodes:
                read = field.from_column(read)
            kept = transaction.dirty.get(field) or transaction.draft.get(field) or ()
            todo = transaction.todo.get(field) or ()
            if kept or todo:
                fresh = zip(ids, read, strict=True)
                transaction.values[field].update(
                    (i, v) for i, v in fresh if i not in kept and i not in todo
                )
            else:
                transaction.values.add(field, ids, read)

    def _fetch_linked(self, field: Any, ids: list[int]) -> None:
        transaction = self.env.transaction
        comodel = self.env[field.comodel_name].sudo().with_context(active_test=False)
        linked: dict[int, list[int]] = {id_: [] for id_ in ids}
        condition = comodel._condition()
        main = comodel._table
        order = comodel._order_sql(condition, main, comodel._order)
        if field.type == "one2many":
            inverse = comodel._fields[field.inverse_name]
            condition.fields.add(inverse)
            link, joined = column(main, inverse.name), ""
        else:
            link = column("rows", field.column1)
            joined = (
                f" JOIN {identifier(field.relation)} AS rows"
                f" ON {column('rows', field.column2)} = {column(main, 'id')}"
            )
            condition.fields.add(field)
        comodel._flush_fields(condition.fields)
        self.env.cr.execute_unflushed(
            f"SELECT {link}, {column(main, 'id')} FROM {identifier(main)}"  # noqa: S608
            f"{joined}{''.join(condition.joins.values())}"
            f" WHERE {link} = ANY(%s::int[]) ORDER BY {order}",
            (array_literal(ids), *condition.params),  # those of the order come last
        )
        rows = self.env.cr.fetchall()
        for id_, other in rows:
            linked[id_].append(other)
        if field.type == "one2many" and rows:
            comodel._fill([inverse], list(zip(*((o, i) for i, o in rows), strict=True)))
        for id_ in self._absent([id_ for id_, found in linked.items() if not found]):
            del linked[id_]
        transaction.values[field].update((id_, tuple(found)) for id_, found in linked.items())

    def _absent(self, ids: Sequence[int]) -> Sequence[int]:
        """Those of *ids* that are no record; of which something is known is not asked again."""
        transaction = self.env.transaction
        new = transaction.new.get(self._name, ())
        known = [transaction.values[field] for field in self._prefetched()[:1]]
        unsure = [i for i in ids if i not in new and not any(i in values for values in known)]
        there = set(self.browse(unsure).exists()._ids) if unsure else ()
        return [id_ for id_ in unsure if id_ not in there]

    # -- read, exists ---------------------------------------------------------------------

    def read(self, fields: Iterable[str] | None = None, load: str = "_classic_read") -> list[Any]:
        """
        Dictionaries of the named fields, by default of all that the user may read.

        A many2one gives (id, name), with another *load* the id alone.

        Raises:
            AccessError: the user may not read one of them.
            MissingError: one of them is gone.
        """
        self.check_access_rights("read")
        names = fields or [name for name, field in self._fields.items() if self._is_for_user(field)]
        wanted = [self._field(name) for name in names]
        columns = [field for field in wanted if field.is_column]
        self._prefetch_named(columns)
        plain = load != "_classic_read"
        return [
            {"id": record._ids[0]}
            | {
                field.name: (
                    field.to_read(record._read_value(field), record)
                    if not (plain and field.type == "many2one")
                    else record._read_value(field) or False
                )
                for field in wanted
                if field.name != "id"
            }
            for record in self
        ]

    def _read_value(self, field: Field) -> Any:
        try:
            return self.env.known[field][self._ids[0]]
        except KeyError:
            return self._value_of(field)

    def _prefetch_named(self, wanted: Sequence[Field]) -> None:
        transaction = self.env.transaction
        new = transaction.new.get(self._name, ())
        if not wanted:
            return
        lacking = [
            id_
            for id_ in dict.fromkeys(self._ids)
            if id_
            and id_ not in new
            and any(id_ not in transaction.values[field] for field in wanted)
        ]
        for start in range(0, len(lacking), PREFETCH_MAX):
            self._fetch_columns(lacking[start : start + PREFETCH_MAX], wanted)

    def exists(self) -> Any:
        """The records that are stored."""
        transaction = self.env.transaction
        new = transaction.new.get(self._name, ())
        asked = [id_ for id_ in self._ids if id_ and id_ <= ID_MAX and id_ not in new]
        there = set(new)
        if asked:
            self.env.cr.execute_unflushed(
                f"SELECT id FROM {identifier(self._table)}"  # noqa: S608 - quoted name
                " WHERE id = ANY(%s::int[])",
                (array_literal(asked),),
            )
            there.update(id_ for (id_,) in self.env.cr.fetchall())
        return self.browse([id_ for id_ in self._ids if id_ in there])
