"""Linking: the commands of x2many fields, and the rows of many2many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connector.core.fields import Command
from connector.core.models.writing import ACCESS_MODELS, Writing

__all__ = ["Linking"]


class Linking(Writing):
    """How links are made and taken away."""

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
                    self._unlink_from(field, comodel.browse(self._held(field)))
                case Command.SET:
                    wanted = comodel.browse(command[2])
                    current = comodel.browse(self._held(field))
                    self._unlink_from(field, current - wanted)
                    self._link(field, wanted - current)

    def _held(self, field: Any) -> tuple[Any, ...]:
        return field.held(self._known(field), self)  # type: ignore[no-any-return]

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

    def _link_exactly(self, field: Any, wanted: Sequence[int]) -> None:
        """Have the links of a many2many be those, whatever is linked now."""
        for record in self:
            linked = record._known(field)
            record._link_rows(field, [id_ for id_ in linked if id_ not in wanted], there=False)
            record._link_rows(field, [id_ for id_ in wanted if id_ not in linked], there=True)

    def _link_rows(self, field: Any, others: Sequence[int], *, there: bool) -> None:
        transaction = self.env.transaction
        triggers = self._triggers()
        (id_,) = self._ids
        rows = transaction.links[field.relation, field.column1, field.column2]
        before = len(rows)
        for other in others:
            rows[id_, other] = there
        transaction.pending_rows += len(rows) - before
        mirrors = triggers.mirrors.get(field, ())
        ends = [(field, [id_]), *((mirror, others) for mirror in mirrors)]
        watched = [(end, ids) for end, ids in ends if end in triggers.of]
        for end, ids in watched if not there else ():
            triggers.modified(self.env, [end], ids)
        for end, ids in ends:
            for each in ids:
                transaction.values[end].pop(each, None)
        for end, ids in watched:
            triggers.modified(self.env, [end], ids)
        if transaction.allowed or transaction.rules:
            transaction.forget_allowed()
        if self._name in ACCESS_MODELS:
            transaction.change_rights()
