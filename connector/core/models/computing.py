"""Computing: values that methods of the model make out of other fields."""

from __future__ import annotations

from typing import Any

from connector.core.decorators import depends
from connector.core.exceptions import RequiredValueError
from connector.core.fields import Field
from connector.core.models.creating import Creating

__all__ = ["Computing"]


class Computing(Creating):
    """How computed fields get their values."""

    _register = False

    def _compute_field(self, field: Field, records: Any) -> None:
        """Have the values of *field* made for *records*, together with its sister fields."""
        if field.related:
            self._compute_related(field, records)
            return
        transaction = self.env.transaction
        sisters = [f for f in self._fields.values() if f.compute == field.compute]
        if field.compute_sudo or field.store:
            records = records.sudo()
        before = {f: set(records._ids) - transaction.computing[f] for f in sisters}
        for sister, ids in before.items():
            transaction.computing[sister] |= ids
        transaction.computing_depth += 1
        try:
            unset = self._set_missing(sisters, records)
            method = field.compute
            try:
                method(records) if callable(method) else getattr(records, str(method))()
            except BaseException:
                for values, id_ in unset:
                    values.pop(id_, None)
                raise
            if records.env is not self.env and field.local:
                mine, theirs = self.env.known[field], records.env.known[field]
                mine.update((id_, theirs[id_]) for id_ in records._ids if id_ in theirs)
        finally:
            transaction.computing_depth -= 1
            for sister, ids in before.items():
                transaction.computing[sister] -= ids
            self._withhold(sisters, records)

    def _withhold(self, sisters: list[Field], records: Any) -> None:
        """What a method made of fields that are for others along with a field for the user."""
        for field in sisters:
            if field.local and field.groups and not records._is_for_user(field):
                values = records.env.known[field]
                for id_ in records._ids:
                    values.pop(id_, None)

    def _set_missing(self, sisters: list[Field], records: Any) -> list[tuple[dict[Any, Any], Any]]:
        """
        A method that leaves a record out leaves it without value.

        Returns the dictionaries and ids of the values that were not there.
        """
        unset = []
        for field in sisters:
            values = records.env.known[field] if field.local else None
            if values is not None:
                for id_ in records._ids:
                    if id_ not in values:
                        values[id_] = () if field.x2many else None
                        unset.append((values, id_))
        return unset

    def _compute_related(self, field: Field, records: Any) -> None:
        transaction = self.env.transaction
        assert field.related
        transaction.computing[field].update(records._ids)
        try:
            for record in records.sudo():
                target = record
                for name in field.related[:-1]:
                    target = target[name][:1]
                record._assign_computed(field, target[field.related[-1]] if target else False)
        finally:
            transaction.computing[field].difference_update(records._ids)

    def _recompute_field(self, field: Field) -> None:
        """Make the values that are due of a stored computed field, and have them written."""
        transaction = self.env.transaction
        if transaction.draft and not self.env.in_draft:
            transaction.forget_drafts()  # they would be computed with
        ids = list(transaction.todo.get(field, ()))
        if field.recursive:
            # One at a time: computing a record reads others that are due as well.
            asked = [id_ for id_ in self._ids if id_ in transaction.todo.get(field, ())]
            ids = asked or ids[:1]
        if not ids:
            return
        sisters = [
            f
            for f in self._fields.values()
            if f.store and (f is field or (field.compute and f.compute == field.compute))
        ]
        # What is stored is everybody's: the caller's context says nothing about it.
        present = transaction.superuser_env()[self._name].browse(ids).exists()
        for sister in sisters:
            for id_ in ids:
                transaction.todo.get(sister, {}).pop(id_, None)
            if not transaction.todo.get(sister, True):
                del transaction.todo[sister]
        if not present:
            return
        try:
            present._compute_field(field, present)
            for sister in sisters:
                present._give_missing(sister)
            present._validate(present, {sister.name for sister in sisters})
        except BaseException:
            for sister in sisters:
                transaction.todo[sister].update(dict.fromkeys(present._ids))
                for id_ in present._ids:
                    transaction.values[sister].pop(id_, None)
                    transaction.dirty.get(sister, {}).pop(id_, None)
            raise

    def _give_missing(self, field: Field) -> None:
        """
        Note that the method left some of the records without value.

        Raises:
            RequiredValueError: the field needs one.
        """
        values = self.env.transaction.values[field]
        lacking = [id_ for id_ in self._ids if id_ not in values]
        if lacking:
            values.update(dict.fromkeys(lacking, field.missing))
            if field.is_column:
                self._queue(field, lacking)
        without = [id_ for id_ in self._ids if values[id_] is None] if field.required else ()
        if without:
            raise RequiredValueError(
                f"Missing required value for {field!r} ({field.string}) on "
                f"{self.browse(without)!r}: {field.compute or '.'.join(field.related or ())!r}, by "
                f"which it is computed, gives none. Mend that, or the fields that are read."
            )

    def recompute(self) -> None:
        """Make all values that are due, unless the environment says ``norecompute``."""
        transaction = self.env.transaction
        while self.env.recompute and any(transaction.todo.values()):
            field = min(
                (f for f in transaction.todo if transaction.todo[f]), key=lambda f: f.sequence
            )
            self.env[field.model_name]._recompute_field(field)

    def modified(self, names: Any) -> None:
        """Say that fields of the records changed by other means: what depends on them is due."""
        changed = [self._field(name) for name in names]
        self._triggers().modified(self.env, changed, self._ids)

    def flush(self, names: Any = None, records: Any = None) -> None:
        """Send everything that waits."""
        self.env.transaction.flush()

    flush_model = flush
    flush_recordset = flush

    def invalidate_cache(self, names: Any = None, ids: Any = None) -> None:
        """Forget cached values: of all, of some fields, of some records."""
        if names is None and ids is None:
            self.env.invalidate_all()
            return
        chosen = [self._field(name) for name in names] if names else list(self._fields.values())
        self.env.invalidate([(field, ids) for field in chosen])

    # -- names ----------------------------------------------------------------------------

    def _name_paths(self) -> list[str]:
        name = self._rec_name
        if not name or name not in self._fields:
            return []
        return [f"{name}.display_name" if self._fields[name].relational else name]

    @depends(_name_paths)
    def _compute_display_name(self) -> None:
        names = dict(self.name_get())
        for record in self:
            record["display_name"] = names.get(record._ids[0], False)

    def _search_display_name(self, operator: str, value: Any) -> list[Any]:
        return [(self._rec_name or "id", operator, value)]

    def name_get(self) -> list[tuple[Any, str]]:
        """Pairs of id and the name to show."""
        if self._rec_name and self._rec_name in self._fields:
            name = self._rec_name
            field = self._fields[name]
            if field.relational:
                return [(r._ids[0], r[name].display_name or "") for r in self]
            return [(r._ids[0], str(r[name] or "")) for r in self]
        return [(record._ids[0], f"{record._name},{record._ids[0]}") for record in self]
