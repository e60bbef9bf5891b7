"""Why a backend chose the units it chose, and where each value of a record comes from."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connector.backend import Backend, UnitEntry
from connector.binder import Binder
from connector.connector import ConnectorEnvironment
from connector.connector_unit import ConnectorUnit
from connector.exception import UnitError
from connector.unit.backend_adapter import BackendAdapter
from connector.unit.batch import BatchImporter
from connector.unit.exporter import RecordExporter
from connector.unit.importer import RecordImporter
from connector.unit.mapper import ExportMapper, ImportMapper, Mapper
from connector.unit.mapping_definition import source_field_name

__all__ = ["Choice", "Source", "choices", "sources", "values_of"]

#: The questions that a synchronization asks of a backend.
ROLES: tuple[type[ConnectorUnit], ...] = (
    Binder,
    BackendAdapter,
    ImportMapper,
    RecordImporter,
    BatchImporter,
    ExportMapper,
    RecordExporter,
)


@dataclass(frozen=True)
class Choice:
    """The answer of a backend for one role: the class chosen, or why there is none."""

    role: str
    chosen: str
    candidates: tuple[str, ...]  #: each with the reason it was or was not chosen


@dataclass(frozen=True)
class Source:
    """Where target fields come from; a mapping method tells its targets only by its result."""

    target: str
    source: str
    function: str
    place: str  #: file and line


def choices(connector_env: ConnectorEnvironment) -> Iterator[Choice]:
    """Give what answers each role for the environment's model, and why."""
    backend = connector_env.backend_record.get_backend()
    for role in ROLES:
        try:
            found = backend.get_class(role, connector_env.session, connector_env.model_name)
        except UnitError as error:
            chosen, found = f"none: {error}", None
        else:
            chosen = f"{_name(found)}  {_place(found)}"
        candidates = [
            f"{_name(entry.unit_class)} on {stands_on}: "
            f"{_reason(connector_env, stands_on, entry, found)}"
            for stands_on, entry in backend.entries()
            if issubclass(entry.unit_class, role)
        ]
        yield Choice(role.__name__, chosen, tuple(candidates))


def _reason(
    connector_env: ConnectorEnvironment, stands_on: Backend, entry: UnitEntry, found: type | None
) -> str:
    session = connector_env.session
    if entry.addon not in session.env.registry._init_modules:
        return f"addon {entry.addon!r} is not installed"
    replacements = ", ".join(_name(each.unit_class) for each in entry.replaced_by)
    if entry.unit_class is found:
        return (
            f"chosen, its replacements do not answer: {replacements}"
            if replacements
            else ("chosen")
        )
    if not entry.unit_class.match(session, connector_env.model_name):
        return "for other models"
    if replacements:
        return f"replaced by {replacements}"
    if stands_on is not connector_env.backend_record.get_backend():
        return f"hidden by a version that stands below {stands_on}"
    return "answers as well"


def sources(mapper: Mapper) -> Iterator[Source]:
    """Give what a mapper declares, in the order in which it is done."""
    place = _place(type(mapper))
    for source, target in mapper.direct:
        function = "direct" if isinstance(source, str) else source.__qualname__.partition(".")[0]
        yield Source(target, source_field_name(source), function, place)
    for method, definition in mapper.map_methods:
        changed_by = ", ".join(sorted(definition.changed_by)) or "the record"
        only = ", only for new records" if definition.only_create else ""
        function = inspect.unwrap(method)
        yield Source("", changed_by + only, method.__name__, _place(function))
    for source, target, model in mapper.children:
        yield Source(target, source, f"children of {model}", place)


def values_of(mapper: Mapper, record: Any, for_create: bool) -> list[tuple[Source, Any]]:
    """Map a record and give each value with its source; later ones win, as in the mapping."""
    values = mapper.map_record(record).values(for_create=for_create)
    told: dict[str, Source] = {}
    methods = {method.__name__: method for method, _ in mapper.map_methods}
    for source in sources(mapper):
        if source.target:
            told[source.target] = source
        elif for_create or not mapper._map_methods[source.function].only_create:
            result = methods[source.function](record)
            for target in result if isinstance(result, Mapping) else ():
                told[target] = Source(target, source.source, source.function, source.place)
    finalize = Source("", "the values", "finalize", _place(type(mapper).finalize))
    return [(told.get(name, finalize), (name, value)) for name, value in values.items()]


def _name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _place(what: Any) -> str:
    try:
        return f"{inspect.getsourcefile(what)}:{inspect.getsourcelines(what)[1]}"
    except (OSError, TypeError):
        return "no source file"
