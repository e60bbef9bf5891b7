"""Writing: values go to the cache, and wait there to be sent together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from connector.core.exceptions import FieldValueError
from connector.core.fields import Field
from connector.core.models.cache import FLUSH_ROWS
from connector.core.models.checking import Checking, Values
from connector.core.models.plan import Plan
from connector.core.models.storage import write_pending

__all__ = ["ACCESS_MODELS", "MISSING", "Values", "Writing"]

MISSING: Any = object()
#: what is written in these decides what users may do
ACCESS_MODELS = frozenset({"ir.model.access", "ir.rule", "res.groups", "res.users"})


class Writing(Checking):
    """How records change."""

    _register = False
    #: of the registry's class, made with its first use
    _plan: ClassVar[Plan | None] = None

    @classmethod
    def _writing_plan_of(cls, triggers: Any) -> Plan:
        plan = Plan(cls, triggers)
        cls._plan = plan
        return plan

    def _writing_plan(self) -> Plan:
        if self._plan is None:
            self._require_table()
        return self._plan or self._writing_plan_of(self._triggers())

    def write(self, vals: Values) -> bool:
        """
        Give fields of the records new values; always True.

        Values that are there already change nothing and are not sent.

        Raises:
            AccessError, UnknownFieldError, FieldValueError, RequiredValueError,
            ValidationError: as ``create``.
            MissingError: one of the records is gone; raised when the write is sent, and again at
                every flush until a rollback, to a savepoint too, or its unlink takes it back.
        """
        if not self._ids:
            return True
        if type(vals) is not dict:
            self._check_mappings([vals])
        transaction = self.env.transaction
        transaction.cr.check_owner()
        if self._is_restricted("write"):
            self._check_records("write")
        if transaction.deleted:
            self._check_not_deleted()
        plan = self._plan or self._writing_plan()
        if plan.grouped and self.env.uid != 1:
            self._check_groups_of(plan.grouped & vals.keys())
        if vals.keys() <= plan.plain:
            changed = self._write_plain(plan, vals)
        else:
            changed = self._write_any(plan, vals)
        if self._constrains_methods:
            self._validate(self, vals)
        if changed:
            # The records as they are now have to be the user's, too.
            self._check_records("write")
        if transaction.pending_rows > FLUSH_ROWS or self.env.context.get("flush"):
            transaction.flush()
        return True

    def _write_any(self, plan: Plan, vals: Values) -> bool:
        columns: dict[str, Any] = {}
        others: list[tuple[Field, Any]] = []
        for name, value in vals.items():
            field = self._fields.get(name)
            if field is None:
                raise self._unknown([name])
            if field.automatic:
                continue
            if field.is_column and not field.inverse and not field.related:
                columns[name] = value
            else:
                if len(vals) > 1 or not field.related:
                    self._check_other(field, value)  # else the one write is refused as a whole
                others.append((field, value))
        changed = bool(columns) and self._write_columns(plan, columns)
        for field, value in others:
            self._write_other(field, value)
        return changed or bool(others)

    def _write_columns(self, plan: Plan, vals: Values) -> bool:
        if len(self._ids) > 1 and any(self._fields[name].translate for name in vals):
            # Each record has other texts in the other languages.
            changes = [record._write_columns(plan, vals) for record in self]
            return any(changes)
        if plan.keyed.isdisjoint(vals):
            return self._write_plain(plan, vals)
        self._forget_keys(self._ids)
        changed = self._write_plain(plan, vals)
        self._remember_keys(self._ids)
        if changed and self._is_queued():
            # Another record may take the key that is given up: rows have to change in turn.
            write_pending(self.env.transaction)
        return changed

    def _is_queued(self) -> bool:
        """Does one of the records wait to be updated, not to be inserted?"""
        new = self.env.transaction.new.get(self._name, ())
        return any(id_ not in new for id_ in self._ids)

    def _write_plain(self, plan: Plan, vals: Values) -> bool:
        """Put values that differ into the cache, and note that they wait; were there any?"""
        fields = self._fields
        converted = []
        for name, given in vals.items():
            field = fields[name]
            try:
                value = field.to_cache(given, self)
            except FieldValueError as error:
                raise FieldValueError(f"{error} Nothing is written on {self!r}.") from error
            if value is None and field.required:
                raise self._required(field, {"id": self.ids})
            converted.append((field, value))
        changed = False
        for field, value in converted:
            if field in plan.watched:
                changed |= self._put_watched(plan, field, value)
            elif self._put(field, value):
                changed = True
                if field in plan.looked_at and self.env.transaction.local:
                    plan.triggers.modified(self.env, [field], self._ids)
        return changed

    def _put(self, field: Field, value: Any) -> bool:
        """One value for all the records; is it new to one of them?"""
        ids = self._differing(field, value)
        if not ids:
            return False
        values = self.env.transaction.values[field]
        for id_ in ids:
            values[id_] = value
        self._queue(field, ids)
        return True

    def _differing(self, field: Field, value: Any) -> Sequence[Any]:
        """The ids whose value, as far as it is known, is another."""
        transaction = self.env.transaction
        values = transaction.values[field]
        draft = transaction.draft.get(field) if transaction.draft else None
        ids, get = self._ids, values.get
        if draft:
            ids = [i for i in ids if get(i, MISSING) != value or i in draft]
            draft.difference_update(ids)
            return ids
        if len(ids) == 1:  # as most often
            return ids if get(ids[0], MISSING) != value else ()
        return [id_ for id_ in ids if get(id_, MISSING) != value]

    def _put_watched(self, plan: Plan, field: Field, value: Any) -> bool:
        """The same for a field that computed fields or one2many of others look at."""
        if field.relational:
            self._read_before(field)
        ids = self._differing(field, value)
        if not ids:
            return False
        triggers, values = plan.triggers, self.env.transaction.values[field]
        if field.relational:
            triggers.modified(self.env, [field], ids)  # what the old links reach
            self._forget_mirror(field, ids)
        for id_ in ids:
            values[id_] = value
        if field.relational:
            self._forget_mirror(field, ids)
        self._queue(field, ids)
        triggers.modified(self.env, [field], ids)
        return True

    def _read_before(self, field: Field) -> None:
        """Have the values of *field* in the cache: who looks at the old ones has to be told."""
        transaction = self.env.transaction
        values, new = transaction.values[field], transaction.new.get(self._name, ())
        for id_ in self._ids:
            if id_ and id_ not in values and id_ not in new:
                self._browse(self.env, (id_,), self._prefetch)._fetch(field)

    def _forget_mirror(self, field: Field, ids: Iterable[Any]) -> None:
        """Forget the one2many that show records from the other side of a changed many2one."""
        all_values = self.env.transaction.values
        for other in self._writing_plan().triggers.inverse.get(field, ()):
            known = all_values.get(other)
            if known:
                linked = all_values[field]
                for id_ in ids:
                    known.pop(linked.get(id_), None)

    def _queue(self, field: Field, ids: Sequence[Any]) -> None:
        """Note that the cached values of *field* differ from the table."""
        transaction, name = self.env.transaction, self._name
        new = transaction.new.get(name, ())
        waiting = ids
        if new or not all(ids):
            waiting = [id_ for id_ in ids if id_ and id_ not in new]
        if waiting:
            dirty = transaction.dirty[field]
            before = len(dirty)
            for id_ in waiting:
                dirty[id_] = None
            transaction.pending_rows += len(dirty) - before
            plan = self._plan or self._writing_plan()
            if plan.log:
                self._log_write(plan.log, waiting)
        if transaction.allowed or transaction.rules:
            transaction.forget_allowed()
        if name in ACCESS_MODELS:
            transaction.change_rights()

    def _log_write(self, log: Sequence[Field], ids: Iterable[Any]) -> None:
        env = self.env
        transaction, uid = env.transaction, env.uid
        touched = transaction.touched[self._name]
        by, at, now = transaction.values[log[2]], transaction.values[log[3]], env.cr.now()
        for id_ in ids:
            if touched.get(id_) != uid:
                touched[id_] = uid
                by[id_], at[id_] = uid, now

    def _write_other(self, field: Field, value: Any) -> None:
        """A field that is no plain column of the table."""
        if field.inherited or (field.related and not field.inverse):
            self._write_related(field, value)
        elif field.compute and field.inverse:
            self._write_inverse(field, value)
        elif field.x2many:
            self._write_linked(field, value)
        else:
            self._write_columns(self._writing_plan(), {field.name: value})

    def _write_related(self, field: Any, value: Any) -> None:
        for record in self:
            target: Any = record if field.inherited else record.sudo()
            for name in field.related[:-1]:
                target = target[name]
            target[:1].write({field.related[-1]: value})

    def _write_inverse(self, field: Any, value: Any) -> None:
        transaction = self.env.transaction
        cached = field.to_cache(value, self)
        values = self.env.known[field] if field.local else transaction.values[field]
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
        elif self.env.all.mode or not all(self._ids):
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
            values = self.env.known[field]
            for id_ in self._ids:
                values[id_] = cached
            return
        # Not what was computed for a look alone: in `norecompute`, or out of a draft.
        looked_at = (*transaction.todo.get(field, ()), *transaction.draft.get(field, ()))
        kept = [id_ for id_ in self._ids if id_ and id_ not in looked_at]
        if field.type == "many2many":
            self.browse(kept)._link_exactly(field, cached)
        values = transaction.values[field]
        for id_ in self._ids:
            values[id_] = cached
        if field.is_column:
            self._queue(field, kept)

    def _update_draft(self, values: Values) -> None:
        """Assign values in the cache alone, whatever the mode."""
        for name, value in values.items():
            self._assign_draft(self._field(name), value)

    def _assign_draft(self, field: Any, value: Any) -> None:
        transaction = self.env.transaction
        transaction.cr.check_owner()
        if field.x2many and hasattr(value, "_name"):
            cached: Any = tuple(value._ids)
        else:
            cached = field.to_cache(value, self)
        if any(self._ids):
            transaction.flush()  # what waits must not take a value of the draft
        values = self.env.known[field] if field.local else transaction.values[field]
        for id_ in self._ids:
            values[id_] = cached
            if id_:
                transaction.draft[field].add(id_)
        for id_ in self._ids:
            transaction.drafted[self._name, id_].add(field.name)
        self._triggers().modified(self.env, [field], self._ids, draft=True)
