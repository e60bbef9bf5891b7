"""Creating, writing, unlinking: values go to the cache, and wait there to be sent together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any

from connector.core.exceptions import (
    RequiredValueError,
    UnknownFieldError,
    UserError,
    ValidationError,
    except_orm,
)
from connector.core.fields import Command, Field
from connector.core.models.broken import explained
from connector.core.models.cache import FLUSH_ROWS
from connector.core.models.searching import Searching
from connector.core.query import array_literal, identifier

__all__ = ["Writing"]

Values = Mapping[str, Any]
MISSING = object()
#: what is written in these decides what users may do
ACCESS_MODELS = frozenset({"ir.model.access", "ir.rule", "res.groups", "res.users"})


class Plan:
    """What ``create`` needs to know of a model, worked out once per set-up."""

    def __init__(self, model_class: Any) -> None:
        fields = model_class._fields.values()
        log = model_class._log_access
        self.columns = [
            f
            for f in fields
            if f.is_column and not (log and f.automatic) and not f.related and not f.compute
        ]
        self.computed_columns = [
            f for f in fields if f.store and (f.compute or f.related) and not f.automatic
        ]
        self.column_names = frozenset(f.name for f in self.columns)
        self.defaults = {f.name: f for f in fields if f.default is not None and f.name != "id"}
        self.required = [f for f in self.columns if f.required]
        self.inherits = model_class._inherits
        self.fields = frozenset(model_class._fields)
        keyed = {name for names in model_class._natural_keys for name in names}
        self.keyed = frozenset(keyed)


class Writing(Searching):
    """How records change."""

    _register = False

    # -- create ---------------------------------------------------------------------------

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
        given = [vals] if isinstance(vals, Mapping) else list(vals)
        if not given:
            return self.browse()
        self.check_access_rights("create")
        plan = self._writing_plan()
        many = self._with_defaults(plan, given)
        parents = self._create_parents(plan, many)
        transaction = self.env.transaction
        ids = transaction.reserve_ids(self._sequence, len(many))
        records = self.browse(ids)
        rest = self._fill_new(plan, records, many, parents)
        transaction.new[self._name].update(dict.fromkeys(ids))
        transaction.pending_rows += len(ids)
        if self._name in ACCESS_MODELS:
            transaction.change_rights()
        if plan.keyed:
            self._remember_keys(ids)
        self._signal_created(records, plan)
        if rest:
            self._write_others(plan, records, rest)
        self._validate(records, None)
        if self.env.uid != 1:
            records._check_written("create")
        if transaction.pending_rows > FLUSH_ROWS or self.env.context.get("flush"):
            transaction.flush()
        return records

    @classmethod
    def _writing_plan(cls) -> Plan:
        plan: Plan | None = cls.__dict__.get("_plan")
        if plan is None:
            plan = Plan(cls)
            cls._plan = plan  # type: ignore[attr-defined]
        return plan

    def _with_defaults(self, plan: Plan, many: Sequence[Values]) -> list[dict[str, Any]]:
        """Copies of the dictionaries with the defaults of the fields that they leave out."""
        found = []
        context_defaults = {
            key[8:]: value
            for key, value in self.env.context.items()
            if key.startswith("default_") and key[8:] in self._fields
        }
        constant: dict[str, Any] = {}
        called: dict[str, Field] = {}
        for name, field in plan.defaults.items():
            if field.related and not field.inherited:
                continue
            (called if callable(field.default) else constant)[name] = field
        constant = {name: field.default for name, field in constant.items()} | context_defaults
        for vals in many:
            full = {**constant, **vals} if constant else dict(vals)
            for name, field in called.items():
                if name not in full:
                    full[name] = field.to_write(field.default_value(self))
            unknown = full.keys() - plan.fields
            if unknown:
                raise self._unknown(unknown)
            found.append(full)
        return found

    def _unknown(self, names: Iterable[str]) -> UnknownFieldError:
        shown = ", ".join(map(repr, sorted(names)))
        return UnknownFieldError(
            f"Invalid field {shown} on model {self._name!r}: it cannot be written. "
            f"It has {', '.join(sorted(self._fields))}."
        )

    def _create_parents(self, plan: Plan, many: list[dict[str, Any]]) -> dict[str, list[Any]]:
        """Make or write the ``_inherits`` parents; takes their values out of the dictionaries."""
        links: dict[str, list[Any]] = {}
        for parent_name, link in plan.inherits.items():
            inherited = {
                name
                for name, field in self._fields.items()
                if field.inherited and field.related and field.related[0] == link
            }
            values = [{name: vals.pop(name) for name in inherited & vals.keys()} for vals in many]
            given = [vals.get(link) for vals in many]
            parent_model = self.env[parent_name]
            for value, parent_vals in zip(given, values, strict=True):
                if value and parent_vals:
                    parent_model.browse(self._fields[link].to_cache(value, self)).write(parent_vals)
            fresh = [vals for value, vals in zip(given, values, strict=True) if not value]
            made = iter(parent_model.create(fresh)._ids if fresh else ())
            for vals, value in zip(many, given, strict=True):
                vals[link] = value or next(made)
        return links

    def _fill_new(
        self, plan: Plan, records: Any, many: list[dict[str, Any]], parents: Any
    ) -> dict[str, list[Any]]:
        """Put the columns of new records into the cache; returns the values of other fields."""
        transaction = self.env.transaction
        ids = records._ids
        given = set().union(*many) if len(many) > 1 else set(many[0])
        for field in plan.columns:
            values = transaction.values[field]
            if field.name not in given:
                if field.required and not field.automatic:
                    raise self._required(field, many[0])
                values.update(zip(ids, repeat(field.missing), strict=False))
                continue
            name = field.name
            column = [vals.get(name) for vals in many]
            cached = field.to_cache_column(column, self)
            if field.required and None in cached:
                raise self._required(field, many[cached.index(None)])
            values.update(zip(ids, cached, strict=True))
        if self._log_access:
            self._fill_log(ids)
        others = given - plan.column_names
        return {name: [vals.get(name, MISSING) for vals in many] for name in others}

    def _required(self, field: Field, vals: Values) -> RequiredValueError:
        shown = ", ".join(f"{name}={value!r}" for name, value in list(vals.items())[:5])
        return RequiredValueError(
            f"Missing required value for {field!r} ({field.string}) in a record with {shown}. "
            f"Give the field a value."
        )

    def _fill_log(self, ids: Sequence[int]) -> None:
        values, fields = self.env.transaction.values, self._fields
        now, uid = self.env.cr.now(), self.env.uid
        for name, value in (
            ("create_uid", uid),
            ("create_date", now),
            ("write_uid", uid),
            ("write_date", now),
        ):
            values[fields[name]].update(zip(ids, repeat(value), strict=False))

    def _signal_created(self, records: Any, plan: Plan) -> None:
        transaction = self.env.transaction
        for field in plan.computed_columns:
            transaction.todo[field].update(dict.fromkeys(records._ids))
        triggers = self._triggers()
        changed = [f for f in plan.columns if f in triggers.of]
        if changed:
            triggers.modified(self.env, changed, records._ids)
        self._forget_inverse(plan.columns, records._ids)

    def _forget_inverse(self, changed: Iterable[Field], ids: Iterable[Any]) -> None:
        """Forget the one2many that show records from the other side of a changed many2one."""
        transaction = self.env.transaction
        for field in changed:
            for other in self._inverse_fields(field):
                known = transaction.values.get(other)
                if known:
                    linked = transaction.values[field]
                    for id_ in ids:
                        known.pop(linked.get(id_), None)

    def _inverse_fields(self, field: Field) -> Sequence[Field]:
        inverse = self._triggers().inverse
        return inverse.get(field, ())

    def _write_others(self, plan: Plan, records: Any, rest: Mapping[str, list[Any]]) -> None:
        """Fields of new records that are no plain columns: commands, inverses, computed ones."""
        for name, column in rest.items():
            field = self._fields[name]
            if field.automatic:
                continue
            if field.x2many and not field.related and not field.compute:
                self._create_linked(field, records, column)
                continue
            for record, value in zip(records, column, strict=True):
                if value is not MISSING:
                    record._write_other(field, value)

    # -- write ----------------------------------------------------------------------------

    def write(self, vals: Values) -> bool:
        """
        Give fields of the records new values; always True.

        Values that are there already change nothing and are not sent.

        Raises:
            AccessError, UnknownFieldError, FieldValueError, RequiredValueError,
            ValidationError: as ``create``.
            MissingError: one of the records is gone; raised when the write is sent.
        """
        if not self._ids:
            return True
        if self.env.uid != 1:
            self.check_access_rights("write")
            self._check_records("write")
        columns: list[tuple[Field, Any]] = []
        others: list[tuple[Field, Any]] = []
        for name, value in vals.items():
            field = self._fields.get(name)
            if field is None:
                raise self._unknown([name])
            if field.automatic:
                continue
            if field.is_column and not field.inverse and not field.related:
                columns.append((field, value))
            else:
                others.append((field, value))
        changed = self._write_columns(columns) if columns else set()
        for field, value in others:
            self._write_other(field, value)
        self._validate(self, vals)
        if self.env.uid != 1 and (changed or others):
            self._check_written("write")
        if self.env.transaction.pending_rows > FLUSH_ROWS or self.env.context.get("flush"):
            self.env.transaction.flush()
        return True

    def _write_columns(self, columns: Sequence[tuple[Field, Any]]) -> set[Field]:
        """Put values that differ into the cache, and note that they wait."""
        converted = [(field, field.to_cache(value, self)) for field, value in columns]
        for field, value in converted:
            if field.required and value is None:
                raise self._required(field, {"id": self.ids})
        if any(field.translate for field, _ in converted) and len(self._ids) > 1:
            for record in self:
                record._write_columns(columns)
            return {field for field, _ in columns}
        keyed = {field.name for field, _ in converted} & self._writing_plan().keyed
        if keyed:
            self._forget_keys(self._ids)
        changed = {field for field, value in converted if self._put(field, value)}
        if keyed:
            self._remember_keys(self._ids)
        return changed

    def _put(self, field: Field, value: Any) -> bool:
        """One value for all the records; is it new to one of them?"""
        transaction = self.env.transaction
        values = transaction.values[field]
        draft = transaction.draft.get(field, ())
        ids = [id_ for id_ in self._ids if values.get(id_, MISSING) != value or id_ in draft]
        if not ids:
            return False
        triggers = self._triggers()
        triggered = field in triggers.of
        if triggered and field.relational:
            triggers.modified(self.env, [field], ids)  # what the old links reach
        self._forget_inverse([field], ids)
        for id_ in ids:
            values[id_] = value
        if draft:
            transaction.draft[field].difference_update(ids)
        self._forget_inverse([field], ids)
        self._queue(field, ids)
        if triggered:
            triggers.modified(self.env, [field], ids)
        return True

    def _queue(self, field: Field, ids: Iterable[Any]) -> None:
        """Note that the cached values of *field* differ from the table."""
        transaction = self.env.transaction
        new = transaction.new.get(self._name, ())
        waiting = [id_ for id_ in ids if id_ and id_ not in new]
        if not waiting:
            return
        dirty = transaction.dirty[field]
        before = len(dirty)
        dirty.update(dict.fromkeys(waiting))
        transaction.pending_rows += len(dirty) - before
        if self._log_access:
            transaction.touched[self._name].update(dict.fromkeys(waiting))
            values, now, uid = transaction.values, self.env.cr.now(), self.env.uid
            by, at = values[self._fields["write_uid"]], values[self._fields["write_date"]]
            for id_ in waiting:
                by[id_], at[id_] = uid, now
        if transaction.allowed or transaction.rules:
            transaction.forget_allowed()
        if self._name in ACCESS_MODELS:
            transaction.change_rights()

    def _write_other(self, field: Field, value: Any) -> None:
        """A field that is no plain column of the table."""
        if field.inherited or (field.related and not field.inverse):
            self._write_related(field, value)
        elif field.compute and field.inverse:
            self._write_inverse(field, value)
        elif field.compute and not field.store:
            raise UserError(
                f"The field {field!r} is computed and has no inverse, so it cannot be written. "
                f"Write on the fields that it depends on."
            )
        elif field.x2many:
            self._write_linked(field, value)
        else:
            self._write_columns([(field, value)])

    def _write_related(self, field: Any, value: Any) -> None:
        for record in self:
            target: Any = record if field.inherited else record.sudo()
            for name in field.related[:-1]:
                target = target[name]
            target[:1].write({field.related[-1]: value})

    def _write_inverse(self, field: Any, value: Any) -> None:
        transaction = self.env.transaction
        cached = field.to_cache(value, self)
        values = self.env.cache[field] if field.local else transaction.values[field]
        computing = transaction.computing[field]
        mine = set(self._ids) - computing
        computing |= mine
        try:
            for id_ in self._ids:
                values[id_] = cached
            if field.store:
                self._queue(field, self._ids)
                for id_ in self._ids:
                    transaction.todo.get(field, {}).pop(id_, None)
            method = field.inverse
            (method if callable(method) else getattr(type(self), method))(self)
        finally:
            computing -= mine
        self._triggers().modified(self.env, [field], self._ids)

    # -- assignment to an attribute -------------------------------------------------------

    def _assign(self, field: Field, value: Any) -> None:
        """``record.field = value``: a write, but in draft and where the field is being computed."""
        transaction = self.env.transaction
        computing = transaction.computing.get(field)
        if computing and computing.issuperset(self._ids):
            self._assign_computed(field, value)
        elif self.env.in_draft or (self._ids and not all(self._ids)):
            self._assign_draft(field, value)
        else:
            self.write({field.name: field.to_write(value)})

    def _assign_computed(self, field: Any, value: Any) -> None:
        transaction = self.env.transaction
        if field.x2many and hasattr(value, "_name"):
            cached: Any = tuple(value._ids)
        else:
            cached = field.to_cache(value, self)
        if field.local:
            values = self.env.cache[field]
            for id_ in self._ids:
                values[id_] = cached
            return
        values = transaction.values[field]
        for id_ in self._ids:
            values[id_] = cached
        if field.is_column:
            self._queue(field, self._ids)

    def _assign_draft(self, field: Any, value: Any) -> None:
        transaction = self.env.transaction
        if field.x2many and hasattr(value, "_name"):
            cached: Any = tuple(value._ids)
        else:
            cached = field.to_cache(value, self)
        if not transaction.draft and any(transaction.new.values()):
            transaction.flush()  # a row that waits must not take a value of the draft
        values = self.env.cache[field] if field.local else transaction.values[field]
        for id_ in self._ids:
            values[id_] = cached
            if id_:
                transaction.draft[field].add(id_)
        for record in self:
            self.env.dirty[record].add(field.name)
        self._triggers().modified(self.env, [field], self._ids)

    # -- x2many ---------------------------------------------------------------------------

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

    def _write_linked(self, field: Any, value: Any) -> None:
        commands = field.commands(value)
        for record in self:
            record._run_commands(field, commands)

    def _run_commands(self, field: Any, commands: Sequence[tuple[Any, ...]]) -> None:
        """Carry commands out on one record, in their order."""
        comodel = self.env[field.comodel_name].with_context(active_test=False)
        for command in commands:
            match command[0]:
                case Command.CREATE if field.type == "one2many":
                    comodel.create({**command[2], field.inverse_name: self.id})
                case Command.CREATE:
                    self._link(field, comodel.create(dict(command[2])))
                case Command.UPDATE:
                    comodel.browse(command[1]).write(command[2])
                case Command.DELETE:
                    comodel.browse(command[1]).unlink()
                case Command.UNLINK:
                    self._unlink_from(field, comodel.browse(command[1]))
                case Command.LINK:
                    self._link(field, comodel.browse(command[1]))
                case Command.CLEAR:
                    self._unlink_from(field, comodel.browse(self._known(field)))
                case Command.SET:
                    wanted = comodel.browse(command[2])
                    current = comodel.browse(self._known(field))
                    self._unlink_from(field, current - wanted)
                    self._link(field, wanted - current)

    def _link(self, field: Any, others: Any) -> None:
        if not others:
            return
        if field.type == "one2many":
            others.write({field.inverse_name: self.id})
        else:
            self._link_rows(field, others._ids, there=True)

    def _unlink_from(self, field: Any, others: Any) -> None:
        if not others:
            return
        if field.type == "many2many":
            self._link_rows(field, others._ids, there=False)
            return
        inverse = others._fields[field.inverse_name]
        if inverse.ondelete == "cascade" or inverse.required:
            others.unlink()
        else:
            others.write({field.inverse_name: False})

    def _link_rows(self, field: Any, others: Iterable[int], *, there: bool) -> None:
        transaction = self.env.transaction
        triggers = self._triggers()
        (id_,) = self._ids
        rows = transaction.links[field.relation, field.column1, field.column2]
        before = len(rows)
        for other in others:
            rows[id_, other] = there
        transaction.pending_rows += len(rows) - before
        if field in triggers.of and not there:
            triggers.modified(self.env, [field], [id_])
        transaction.values[field].pop(id_, None)
        for mirror in triggers.mirrors.get(field, ()):
            for other in others:
                transaction.values[mirror].pop(other, None)
        if field in triggers.of:
            triggers.modified(self.env, [field], [id_])
        if transaction.allowed or transaction.rules:
            transaction.forget_allowed()
        if self._name in ACCESS_MODELS:
            transaction.change_rights()

    # -- constraints ----------------------------------------------------------------------

    def _validate(self, records: Any, vals: Values | None) -> None:
        """Call the ``@constrains`` methods that the written fields concern."""
        for name, names in self._constrains_methods:
            if vals is not None and names.isdisjoint(vals):
                continue
            try:
                getattr(records, name)()
            except (except_orm, UnknownFieldError):
                raise
            except Exception as error:
                raise ValidationError(
                    f"The constraint {self._name}.{name} failed on {records!r}: {error}"
                ) from error

    # -- unlink ---------------------------------------------------------------------------

    def unlink(self) -> bool:
        """
        Delete the records; always True.

        Raises:
            AccessError: the user may not delete one of them.
            ValidationError: records that must not lose them still link to them.
        """
        if not self._ids:
            return True
        self.check_access_rights("unlink")
        if self.env.uid != 1:
            self._check_records("unlink")
        transaction = self.env.transaction
        transaction.flush()
        ids = self.ids
        triggers = self._triggers()
        linked = [field for field in self._fields.values() if field in triggers.of]
        triggers.modified(self.env, linked, ids)
        for field in self._fields.values():
            for id_ in ids if field in transaction.todo else ():
                transaction.todo[field].pop(id_, None)
        self._delete_rows(ids)
        self._forget_unlinked(ids)
        if self._name in ACCESS_MODELS:
            transaction.change_rights()
        return True

    def _delete_rows(self, ids: list[int]) -> None:
        cr = self.env.cr
        with explained(self.env.transaction, type(self), ids):
            cr.execute_unflushed(
                f"DELETE FROM {identifier(self._table)} WHERE id = ANY(%s::int[])",  # noqa: S608
                (array_literal(ids),),
            )
        if "ir.model.data" in self.env.registry.models and self._name != "ir.model.data":
            data = self.env["ir.model.data"].sudo()
            data.search([("model", "=", self._name), ("res_id", "in", ids)]).unlink()

    def _forget_unlinked(self, ids: list[int]) -> None:
        """Forget the records, and all that the database deleted or emptied along with them."""
        transaction = self.env.transaction
        for field in self._fields.values():
            values = transaction.values[field]
            for id_ in ids:
                values.pop(id_, None)
        self._forget_keys(ids)
        transaction.forget_allowed()
        models = self.env.registry.models
        reached, waiting = {self._name}, [self._name]
        while waiting:
            gone = waiting.pop()
            for model_class in models.values():
                for field in model_class._fields.values():
                    if field.comodel_name != gone or not field.relational:
                        continue
                    transaction.forget(field)
                    cascades = field.type == "many2one" and field.ondelete == "cascade"
                    if cascades and model_class._name not in reached:
                        reached.add(model_class._name)
                        waiting.append(model_class._name)
                        transaction.forget_model(model_class)
                        for names in model_class._natural_keys:
                            transaction.keys.pop((model_class._name, names), None)
