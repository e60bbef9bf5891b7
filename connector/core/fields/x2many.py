"""One2many and Many2many: fields that hold records, changed by commands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connector.core.exceptions import ModelDefinitionError
from connector.core.fields.base import Field, Records
from connector.core.fields.many2one import ID_MAX, LinkedIds
from connector.core.sql import schema

__all__ = ["Command", "Many2many", "One2many", "X2many"]


class Command:
    """The numbers of the commands that change an x2many."""

    CREATE = 0  #: (0, _, values) make a record and link it
    UPDATE = 1  #: (1, id, values) write on a linked record
    DELETE = 2  #: (2, id) unlink the record itself
    UNLINK = 3  #: (3, id) take the link away
    LINK = 4  #: (4, id) link a record that is there
    CLEAR = 5  #: (5,) take all links away
    SET = 6  #: (6, _, ids) link exactly these


ID_COMMANDS = frozenset({Command.UPDATE, Command.DELETE, Command.UNLINK, Command.LINK})


def _is_id(value: Any) -> bool:
    return type(value) is int and 0 < value <= ID_MAX


class X2many(Field):
    """What the two have in common; the cache holds a tuple of ids, archived records included."""

    relational = True
    x2many = True
    converts = True
    domain: Any = ()
    context: Any = None
    auto_join: bool = False

    def _settle(self) -> None:
        super()._settle()
        self.is_column = False

    def to_record(self, cached: Any, record: Records) -> Any:
        env = record.env
        comodel = env.registry.models[self.comodel_name]
        ids = cached or ()
        linked = comodel._browse(env, ids, LinkedIds.beside(self, record, ids))
        if not ids:
            return linked
        if self.domain:
            linked = self._in_domain(linked, record)
        if "active" in comodel._fields and self.tests_active(env):
            linked = linked.sudo().filtered("active").with_env(env)
        return linked if env.uid == 1 or not linked else linked._filter_access_rules("read")

    def tests_active(self, env: Any) -> bool:
        """Are archived records left out? The field's own context says, else that of *env*."""
        own = self.context if isinstance(self.context, Mapping) else {}
        return bool(own.get("active_test", env.context.get("active_test", True)))

    def own_domain(self, model: Any) -> Sequence[Any]:
        """What records in the field have to meet beside being linked; a text says nothing."""
        domain = self.domain(model) if callable(self.domain) else self.domain
        computed = self.compute or self.related
        return domain if isinstance(domain, (list, tuple)) and not computed else ()

    def held(self, cached: Any, record: Records) -> tuple[Any, ...]:
        """The ids in the field, of those that are linked."""
        ids = tuple(cached or ())
        if not ids or not self.domain:
            return ids
        return tuple(self._in_domain(record.env[self.comodel_name].browse(ids), record)._ids)

    def _in_domain(self, linked: Records, record: Records) -> Records:
        domain = self.own_domain(record)
        if not domain:
            return linked
        everything = linked.sudo().with_context(active_test=False)
        return everything.filtered_domain(domain).with_env(linked.env)

    def to_read(self, cached: Any, record: Records) -> Any:
        return list(self.to_record(cached, record)._ids)

    def to_write(self, value: Any) -> Any:
        return [(Command.SET, 0, list(value._ids))] if hasattr(value, "_name") else value

    def commands(self, value: Any) -> list[tuple[Any, ...]]:
        """
        Commands, a recordset, ids or dictionaries, brought to commands.

        Raises:
            FieldValueError: it is none of them.
        """
        if not value:
            return [(Command.SET, 0, [])]
        if hasattr(value, "_name"):
            self._check_model(value)
            return [(Command.SET, 0, list(value._ids))]
        if not isinstance(value, (list, tuple)):
            raise self.refuse(value, "Give commands, ids, dictionaries or records.")
        if all(isinstance(item, int) for item in value):
            return [(Command.SET, 0, list(value))]
        return [self._command(item, value) for item in value]

    def _check_model(self, records: Records) -> None:
        if records._name != self.comodel_name:
            raise self.refuse(records, f"Give records of {self.comodel_name!r}.")

    def _command(self, item: Any, value: Any) -> tuple[Any, ...]:
        if isinstance(item, dict):
            return (Command.CREATE, 0, item)
        if isinstance(item, int):
            return (Command.LINK, item)
        known = isinstance(item, (list, tuple)) and len(item) > 0 and item[0] in range(7)
        needed = {0: 3, 1: 3, 2: 2, 3: 2, 4: 2, 5: 1, 6: 3}
        if not known or len(item) < needed[item[0]]:
            raise self.refuse(value, f"{item!r} is no command; see connector.core.fields.Command.")
        return tuple(item)

    def stored_commands(self, value: Any) -> list[tuple[Any, ...]]:
        """
        The same for records that are stored: each id is a number, each values a mapping.

        Raises:
            FieldValueError: it is none of them, or one of them is of a record in draft.
        """
        commands = self.commands(value)
        for command in commands:
            kind = command[0]
            ids: Any = command[1:2] if kind in ID_COMMANDS else ()
            if kind == Command.SET:
                ids = command[2] or ()
            if not isinstance(ids, Iterable) or not all(map(_is_id, ids)):
                raise self.refuse(value, f"{command!r} needs ids of stored records.")
            if kind in (Command.CREATE, Command.UPDATE) and not isinstance(command[2], Mapping):
                raise self.refuse(value, f"{command!r} needs a dictionary of values.")
        return commands

    def to_cache(self, value: Any, records: Records = None) -> Any:
        """Ids for the cache of a record in draft: commands change what it holds."""
        comodel = records.env[self.comodel_name]
        commands = self.commands(value)
        ids = [] if commands[0][0] in (Command.CLEAR, Command.SET) else self._held(records)
        for command in commands:
            match command[0]:
                case Command.CREATE:
                    ids.append(comodel.new(self._line(command[2], records))._ids[0])
                case Command.UPDATE:
                    comodel.browse([command[1]])._update_draft(command[2])
                    ids.append(command[1])
                case Command.LINK:
                    ids.append(command[1])
                case Command.DELETE | Command.UNLINK:
                    ids = [id_ for id_ in ids if id_ != command[1]]
                case Command.CLEAR:
                    ids = []
                case Command.SET:
                    ids = list(command[2])
        return tuple(dict.fromkeys(ids))

    def _held(self, records: Records) -> list[Any]:
        if self.compute or len(records) != 1:
            return []
        return list(records._known(self) or ())

    def _line(self, values: dict[str, Any], records: Records) -> dict[str, Any]:
        """The values of a record that a command creates on *records*."""
        return values

    def description(self, env: Any) -> dict[str, Any]:
        return {
            **super().description(env),
            "relation": self.comodel_name,
            "domain": self.domain,
            "context": self.context or {},
        }


class One2many(X2many):
    """The records of *comodel_name* whose many2one *inverse_name* links here."""

    type = "one2many"
    copy = False
    inverse_name: str = ""

    def __init__(
        self,
        comodel_name: str | None = None,
        inverse_name: str | None = None,
        string: str | None = None,
        **arguments: Any,
    ) -> None:
        if comodel_name is not None:
            arguments["comodel_name"] = comodel_name
        if inverse_name is not None:
            arguments["inverse_name"] = inverse_name
        super().__init__(string, **arguments)

    def setup(self, model: Any) -> None:
        super().setup(model)
        if self.compute or self.related:
            return
        fields = model.env.registry.models[self.comodel_name]._fields
        if self.inverse_name not in fields:
            raise ModelDefinitionError(
                f"The field {self!r} needs a many2one {self.inverse_name!r} on "
                f"{self.comodel_name!r}, which has none. Add it, or correct the name."
            )

    def _line(self, values: dict[str, Any], records: Records) -> dict[str, Any]:
        if self.inverse_name and len(records) == 1:
            return {**values, self.inverse_name: records._ids[0]}
        return values

    def description(self, env: Any) -> dict[str, Any]:
        return {**super().description(env), "relation_field": self.inverse_name}


class Many2many(X2many):
    """Records of *comodel_name*, linked by rows of the table *relation*."""

    type = "many2many"
    relation: str = ""
    column1: str = ""
    column2: str = ""

    def __init__(
        self,
        comodel_name: str | None = None,
        relation: str | None = None,
        column1: str | None = None,
        column2: str | None = None,
        string: str | None = None,
        **arguments: Any,
    ) -> None:
        given = {
            "comodel_name": comodel_name,
            "relation": relation,
            "column1": column1,
            "column2": column2,
        }
        arguments.update({name: value for name, value in given.items() if value is not None})
        super().__init__(string, **arguments)

    def setup(self, model: Any) -> None:
        super().setup(model)
        if not self.store:
            return
        comodel = model.env.registry.models[self.comodel_name]
        if not self.relation:
            tables = sorted((model._table, comodel._table))
            self.relation = schema.short_name("{}_{}_rel".format(*tables))
        self.column1 = self.column1 or f"{model._table}_id"
        self.column2 = self.column2 or f"{comodel._table}_id"
        if self.column1 == self.column2:
            raise ModelDefinitionError(
                f"The field {self!r} links {model._name!r} to itself: give it "
                f"column1 and column2, so that the two ends differ."
            )
