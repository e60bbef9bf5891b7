"""
The lines of an imported record, as commands for its x2many fields.

Each line is a record of its own, with a binding: it counts by itself, and an unchanged record may
have changed lines.
"""

from __future__ import annotations

from typing import Any

from connector.connector import Binder, ConnectorUnit
from connector.exception import NoConnectorUnitError
from connector.session import Recordset
from connector.unit.import_run import ImportRun, Outcome
from connector.unit.mapper import Mapper

__all__ = ["ADDED", "KEPT", "WRITTEN", "MappedLines", "written"]

#: The x2many commands that an import mapper gives for lines.
ADDED, WRITTEN, KEPT = 0, 1, 4
#: A line of another record becomes one of this record's; a written one follows.
LINKED = KEPT
_OUTCOMES = {ADDED: Outcome.CREATED, WRITTEN: Outcome.UPDATED, KEPT: Outcome.UNCHANGED}

#: Target field -> commands.
Lines = dict[str, Any]


def written(lines: Lines) -> Lines:
    """Give the commands that change something, of the fields that have any."""
    changes = {}
    for target, commands in lines.items():
        changed = {line_id for kind, line_id, _ in commands if kind == WRITTEN}
        changes[target] = [
            command for command in commands if command[0] != KEPT or command[1] in changed
        ]
    return {target: commands for target, commands in changes.items() if commands}


def _linked(command: tuple[int, int, Any], own: set[int]) -> list[tuple[int, int, Any]]:
    """Link a known line that is not among the record's own, before it is written."""
    kind, line_id, line = command
    if kind == ADDED or line_id in own:
        return [command]
    return [(LINKED, line_id, 0), (WRITTEN, line_id, line or {})]


class MappedLines:
    """What a mapper has made of the lines of a record."""

    def __init__(self, unit: ConnectorUnit, mapper: Mapper) -> None:
        self._unit = unit
        self._children = mapper.children

    def taken_from(self, values: dict[str, Any]) -> Lines:
        """Take the lines out of mapped values, in place, and give them."""
        targets = [target for _, target, _ in self._children if target in values]
        return {target: values.pop(target) for target in targets}

    def adopted(self, lines: Lines, binding: Recordset | None) -> Lines:
        """
        Give the commands with those lines linked that were another record's until now.

        A record that does not exist yet has no lines: *binding* is None.
        """
        adopted = dict(lines)
        for _, target, _ in self._children:
            own = set(binding[target].ids) if binding is not None and target in lines else set()
            if target in lines:
                adopted[target] = [
                    each for command in lines[target] for each in _linked(command, own)
                ]
        return adopted

    def note(self, values: dict[str, Any], run: ImportRun) -> None:
        """Count each line in the run, by its own external id."""
        for _, target, model in self._children:
            binder = self._binder(model)
            if binder is None:
                continue
            for command, line_id, line in values.get(target) or ():
                known = self._unit.env[model].browse(line_id) if line_id else line
                run.note((model, str(known[binder._external_field])), _OUTCOMES[command])

    def removed(self, binding: Recordset, lines: Lines, run: ImportRun) -> list[Recordset]:
        """Give, and count, the normal records of the lines that the backend no longer has."""
        removed: list[Recordset] = []
        for _, target, model in self._children:
            binder = self._binder(model)
            if binder is None or target not in lines:
                continue
            kept = {line_id for command, line_id, _ in lines[target] if command != ADDED}
            gone = [line for line in binding[target] if line.id not in kept]
            for line in gone:
                run.note((model, str(line[binder._external_field])), Outcome.REMOVED)
            removed += [binder.unwrap_binding(line, browse=True) for line in gone]
        return removed

    def _binder(self, model: str) -> Binder | None:
        """Give the binder of a model of lines, None where lines are not bound."""
        try:
            return self._unit.binder_for(model)
        except NoConnectorUnitError:
            return None
