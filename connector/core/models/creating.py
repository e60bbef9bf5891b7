"""Creating: new records get their ids at once, and their rows later, together."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

from connector.core.exceptions import FieldValueError
from connector.core.fields import Command, Field
from connector.core.models.cache import FLUSH_ROWS
from connector.core.models.checking import Values, shown
from connector.core.models.deleting import Deleting
from connector.core.models.plan import Plan
from connector.core.models.writing import ACCESS_MODELS, MISSING

__all__ = ["Creating"]

#: the link to an ``_inherits`` parent, its model, and the values for it of each record
Parent = tuple[str, Any, Sequence[Values]]


class Creating(Deleting):
    """How records come to be."""

    _register = False

    def create(self, vals: Values | Sequence[Values]) -> Any:
        """
        Make a record of a dictionary, or records of a list of them.

        The rows are sent later, together; the ids are theirs already.

        Raises:
            AccessError: the user may not create records here.
            UnknownFieldError: a name is no field of the model.
            FieldValueError: a field cannot take its value.
            RequiredValueError: a required field has no value.
            ValidationError: a constraint of the model refuses the record.
        """
        given = [vals] if isinstance(vals, Mapping) else vals
        if not given:
            return self.browse()
        if set(map(type, given)) != {dict}:
            self._check_mappings(given)
        self._is_restricted("create")
        plan, transaction = self._writing_plan(), self.env.transaction
        transaction.cr.check_owner()
        if plan.grouped and self.env.uid != 1:
            self._check_groups_of(plan.grouped & set().union(*given))
        many = self._with_defaults(plan, given)
        named = set().union(*many) if self._constrains_methods else ()
        parents = [
            (link, self.env[parent_name], [_taken(vals, inherited) for vals in many])
            for parent_name, (link, inherited) in plan.inherits.items()
        ]
        names = many[0].keys() if len(many) == 1 else set().union(*many)
        try:
            columns = self._new_columns(plan.own_columns, many, names)
        except FieldValueError as error:
            raise self._misplaced(error, plan, many) from error
        for name in names - plan.column_names:
            for vals in many:
                if name in vals:
                    self._check_other(self._fields[name], vals[name])
        if parents:
            self._check_parents(parents, many)
            for link, parent_model, values in parents:
                self._create_parents(link, parent_model, values, many)
            columns += self._new_columns(plan.link_columns, many, plan.names)
        ids = transaction.reserve_ids(self._sequence, len(many))
        self._fill_new(plan, ids, columns)
        records = self._browse(self.env, tuple(ids))
        if self._name in ACCESS_MODELS:
            transaction.change_rights()
        if plan.keyed:
            self._remember_keys(ids)
        self._signal_created(records, plan)
        if not names <= plan.column_names:
            self._write_others(plan, records, many, names - plan.column_names)
        if self._constrains_methods:
            self._validate(records, named)
        records._check_records("create")
        if transaction.pending_rows > FLUSH_ROWS or self.env.context.get("flush"):
            transaction.flush()
        return records

    def _with_defaults(self, plan: Plan, many: Sequence[Values]) -> list[dict[str, Any]]:
        """Copies of the dictionaries with the defaults of the fields that they leave out."""
        if plan.asks_for_defaults:
            many = [{**self._asked_defaults(vals), **vals} for vals in many]
        constants = plan.constants
        if self.env.context:
            constants = constants | {
                key[8:]: value
                for key, value in self.env.context.items()
                if key.startswith("default_") and key[8:] in plan.names
            }
        found = []
        for vals in many:
            full = {**constants, **vals}
            for field in plan.called:
                if field.name not in full:
                    full[field.name] = field.to_write(field.default_value(self))
            if not full.keys() <= plan.names:
                raise self._unknown(full.keys() - plan.names)
            found.append(full)
        return found

    def _asked_defaults(self, vals: Values) -> dict[str, Any]:
        """What the model's own ``default_get`` has for the fields that are left out."""
        names = [
            name
            for name, field in self._fields.items()
            if name not in vals and not field.automatic and not _is_of_linked(field, vals)
        ]
        found: dict[str, Any] = self.default_get(names)
        return {name: value for name, value in found.items() if name in self._fields}

    def _check_parents(self, parents: Sequence[Parent], many: Sequence[Values]) -> None:
        """Refuse what one of several would refuse, before the first is made or written."""
        alone = len(parents) == 1
        for link, parent_model, values in parents:
            field = self._fields[link]
            if alone and not any(vals.get(link) for vals in many):
                return  # one create of them all, which is refused as a whole
            for vals, parent_vals in zip(many, values, strict=True):
                given = field.to_cache(vals.get(link), self.browse())
                parent_model._check_given(parent_vals, new=given is None)

    def _create_parents(
        self, link: str, parent_model: Any, values: Sequence[Values], many: list[dict[str, Any]]
    ) -> None:
        """Make or write the ``_inherits`` parents."""
        for vals, parent_vals in zip(many, values, strict=True):
            if vals.get(link) and parent_vals:
                id_ = self._fields[link].to_cache(vals[link], self.browse())
                parent_model.browse(id_).write(parent_vals)
        without = [place for place, vals in enumerate(many) if not vals.get(link)]
        if without:
            made = parent_model.create([values[place] for place in without])
            for place, id_ in zip(without, made._ids, strict=True):
                many[place][link] = id_

    def _new_columns(
        self, fields: Iterable[Field], many: list[dict[str, Any]], names: Container[str]
    ) -> list[tuple[Field, Any]]:
        """The cached values of each column; one value stands for all records, a list for each."""
        single = many[0] if len(many) == 1 else None
        model = self._browse(self.env, ())  # a new record takes nothing from this one
        columns: list[tuple[Field, Any]] = []
        for field in fields:
            name = field.name
            if name not in names:
                cached = field.missing
                lacks = cached is None
            elif single is not None:
                cached = field.to_cache(single[name], model)
                lacks = cached is None
            else:
                cached = field.to_cache_column([vals.get(name) for vals in many], model)
                lacks = field.required and None in cached
            if lacks and field.required:
                place = cached.index(None) if isinstance(cached, list) else 0
                raise self._required(field, many[place])
            columns.append((field, cached))
        return columns

    def _misplaced(
        self, error: FieldValueError, plan: Plan, many: list[dict[str, Any]]
    ) -> FieldValueError:
        """The same error with the dictionary that it comes from."""
        for place, vals in enumerate(many, 1):
            try:
                for field in plan.columns:
                    if vals.get(field.name) is not None:
                        field.to_cache(vals[field.name], self)
            except FieldValueError:
                return FieldValueError(
                    f"{error} It is in record {place} of {len(many)} to create, with {shown(vals)}."
                )
        return error

    def _fill_new(self, plan: Plan, ids: list[int], columns: Iterable[tuple[Field, Any]]) -> None:
        """Put new records into the cache and into the queue of rows to insert."""
        transaction = self.env.transaction
        values, new = transaction.values, transaction.new[self._name]
        log: Sequence[Any] = ()
        if plan.log:
            now, uid = self.env.cr.now(), self.env.uid
            log = zip(plan.log, (uid, now, uid, now), strict=True)  # type: ignore[assignment]
        if len(ids) == 1:
            (id_,) = ids
            for field, cached in (*columns, *log):
                values[field][id_] = cached
            new[id_] = None
        else:
            for field, cached in (*columns, *log):
                each = cached if isinstance(cached, list) else repeat(cached)
                values[field].update(zip(ids, each, strict=False))
            new.update(dict.fromkeys(ids))
        transaction.pending_rows += len(ids)

    def _signal_created(self, records: Any, plan: Plan) -> None:
        todo = self.env.transaction.todo
        for field in plan.computed:
            todo[field].update(dict.fromkeys(records._ids))
        if plan.triggering:
            changed = [field for field in plan.columns if field in plan.triggering]
            plan.triggers.modified(self.env, changed, records._ids)
        for field in plan.mirrored:
            self._forget_mirror(field, records._ids)

    def _write_others(
        self, plan: Plan, records: Any, many: list[dict[str, Any]], names: Iterable[str]
    ) -> None:
        """Fields of new records that are no plain columns: commands, inverses, computed ones."""
        for name in [name for name in self._fields if name in names]:
            field = self._fields[name]
            if field.automatic:
                continue
            column = [vals.get(name, MISSING) for vals in many]
            if field.x2many and not field.related and not field.compute:
                self._create_linked(field, records, column)
                continue
            for record, value in zip(records, column, strict=True):
                if value is not MISSING:
                    record._write_other(field, value)

    def _create_linked(self, field: Any, records: Any, column: list[Any]) -> None:
        """Commands for new records: what they create is created together."""
        made: list[dict[str, Any]] = []
        owners: list[Any] = []
        for record, value in zip(records, column, strict=True):
            if value is MISSING or not value:
                continue
            commands = field.commands(value)
            simple = [c[2] for c in commands if c[0] == Command.CREATE]
            if field.type == "one2many" and len(simple) == len(commands):
                made += [{**vals, field.inverse_name: record.id} for vals in simple]
                owners += [record.id] * len(simple)
            else:
                record._run_commands(field, commands)
        if made:
            self.env[field.comodel_name].create(made)


def _taken(vals: dict[str, Any], names: frozenset[str]) -> dict[str, Any]:
    """The values of *names*, which are not in *vals* any more."""
    return {name: vals.pop(name) for name in names & vals.keys()}


def _is_of_linked(field: Field, vals: Values) -> bool:
    """Is it a field of a parent that the values name? What that has is not given anew."""
    return bool(field.inherited and field.related and vals.get(field.related[0]))
