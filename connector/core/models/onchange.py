"""Onchange: what else changes when a person changes fields of a record on a screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector.core.fields import Command, Field
from connector.core.fields.new_id import NewId
from connector.core.models.tables import Tables

__all__ = ["Onchange"]

Seen = dict[str, Any]


class Onchange(Tables):
    """What the methods marked with ``@onchange`` do to a draft of the record."""

    _register = False

    def new(self, values: Mapping[str, Any] | None = None) -> Any:
        """A record in draft: it lives in the cache alone."""
        return self._draft(NewId(), values or {})

    def _draft(self, id_: NewId, values: Mapping[str, Any]) -> Any:
        record = self.browse(id_)
        self.env.cr.check_owner()
        self.env.transaction.has_drafts = True
        for name, value in values.items():
            field = self._field(name)
            cached = field.to_cache(value, record)
            cache = self.env.known[field] if field.local else self.env.transaction.values[field]
            cache[id_] = cached
        return record

    def onchange(
        self, values: Mapping[str, Any], names: str | Sequence[str], field_onchange: Any = None
    ) -> dict[str, Any]:
        """
        What else changes when a person, having *values* before them, changes the fields *names*.

        Nothing is written, and nothing stays in the cache. What a method changes has the methods
        that watch it called in turn. The answer has the new values under ``value``, those of an
        x2many as commands, and what the methods returned under ``warning`` and ``domain``.
        *field_onchange* is there for callers of 8.0.
        """
        transaction = self.env.transaction
        transaction.flush()
        kept = transaction.on_savepoint()
        result: dict[str, Any] = {}
        try:
            with self.env.do_in_onchange():
                given = {name: value for name, value in values.items() if name != "id"}
                draft = self._draft(NewId(self.id or None), given)
                before = draft._shown_values()
                self._follow(draft, [names] if isinstance(names, str) else names, before, result)
                result["value"] = draft._changes(before)
        finally:
            transaction.forget_drafts()
            transaction.restore(kept)
        return result

    def _follow(
        self, draft: Any, names: Sequence[str], before: Seen, result: dict[str, Any]
    ) -> None:
        """Call the methods that watch *names*, and those that watch what they change."""
        waiting, done = set(names), set()
        while waiting:
            done |= waiting
            for method, watched in self._onchange_methods:
                if not waiting.isdisjoint(watched):
                    result.update(getattr(draft, method)() or {})
            now = draft._shown_values()
            waiting = {name for name in now if now[name] != before[name]} - done

    def _shown_values(self) -> Seen:
        """The values of each field; those of the records in an x2many too."""
        return {name: self._shown_value(f) for name, f in self._fields.items() if name != "id"}

    def _shown_value(self, field: Field) -> Any:
        value = self[field.name]
        return _lines(value) if field.x2many else value

    def _changes(self, before: Seen) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        for name, value in self._shown_values().items():
            field = self._fields[name]
            if value == before[name]:
                continue
            if field.x2many:
                changes[name] = [(Command.CLEAR,), *map(self[name]._as_command, self[name])]
                continue
            if field.relational:
                value = value.browse(value.ids)  # a screen cannot show what is in draft
            changes[name] = field.to_read(field.to_cache(field.to_write(value), self), self)
        return changes

    def _as_command(self, line: Any) -> tuple[Any, ...]:
        """The command that makes a record of an x2many so: link it, write on it or create it."""
        id_, draft = line.id, self.env.transaction.draft
        values = {
            field.name: field.to_write(line[field.name])
            for field in self._columns()
            if not (field.compute or field.related)
            and (id_ in draft.get(field, ()) if id_ else line[field.name])
        }
        values = {n: v for n, v in values.items() if not isinstance(v, NewId)}
        if not id_:
            return (Command.CREATE, 0, values)
        return (Command.UPDATE, id_, values) if values else (Command.LINK, id_)


def _lines(records: Any) -> Seen:
    """The values of each record of an x2many, to be compared with later ones."""
    return {
        record._ids[0]: {field.name: record[field.name] for field in records._columns()}
        for record in records
    }
