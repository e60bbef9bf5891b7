"""Linking: the commands of x2many fields, and records that go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from connector.core.fields import Command
from connector.core.models.broken import explained
from connector.core.models.writing import ACCESS_MODELS, Writing
from connector.core.query import array_literal, identifier

__all__ = ["Linking"]


class Linking(Writing):
    """How links are made and taken away, and what unlink does."""

    _register = False

    # -- x2many ---------------------------------------------------------------------------

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
