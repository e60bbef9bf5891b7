"""Where the values of a mapped record come from: source, mapping function, file and line."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from connector.connector import ConnectorEnvironment, ExternalId
from connector.exception import NoConnectorUnitError
from connector.unit.backend_adapter import BackendAdapter
from connector.unit.explain import place_of
from connector.unit.importer import RecordImporter
from connector.unit.map_record import MapRecord
from connector.unit.mapper import ExportMapper, ImportMapper, Mapper
from connector.unit.mapping_definition import MappingDefinition, MetaMapper, source_field_name

__all__ = [
    "Source",
    "TracedValue",
    "export_values",
    "import_values",
    "sources",
    "traced",
    "values_of",
]


@dataclass(frozen=True)
class Source:
    """What a mapper declares about target fields."""

    target: str  #: empty for a mapping method, which tells its targets only by its result
    source: str
    function: str
    place: str  #: file and line

    def __str__(self) -> str:
        return f"{self.source}, {self.function}  {self.place}"


@dataclass(frozen=True)
class TracedValue:
    """The value that a target field gets, or why it gets none."""

    target: str
    value: Any
    source: Source
    error: Exception | None = None


def sources(mapper: Mapper) -> Iterator[Source]:
    """Give what a mapper declares, in the order in which it is done."""
    for source, target in mapper.direct:
        yield _of_direct(mapper, source, target)
    for name, definition in mapper._map_methods.items():
        yield _of_method(mapper, name, definition)
    for source, target, model in mapper.children:
        place = _declaration(type(mapper), "children", source, target)
        yield Source(target, source, f"children of {model}", place)
    if type(mapper).finalize is not Mapper.finalize:
        yield _of_finalize(mapper)


def _of_direct(mapper: Mapper, source: Any, target: str) -> Source:
    field = source_field_name(source)
    function = _function(source) if not isinstance(source, str) else _implied(mapper, field, target)
    return Source(target, field, function, _declaration(type(mapper), "direct", field, target))


def _of_method(mapper: Mapper, name: str, definition: MappingDefinition) -> Source:
    changed_by = ", ".join(sorted(definition.changed_by)) or "the record"
    only = ", only for new records" if definition.only_create else ""
    return Source("", changed_by + only, name, place_of(inspect.unwrap(getattr(mapper, name))))


def _of_finalize(mapper: Mapper) -> Source:
    return Source("", "the values", "finalize", place_of(type(mapper).finalize))


def _function(modifier: Any) -> str:
    """Name a modifier, and those in it: `none(convert)`."""
    makers = getattr(modifier, "__qualname__", "").split(".<locals>.")[:-1]
    # A closure is known by the function that makes it, an object by its class.
    name = makers[-1] if makers else getattr(modifier, "__name__", type(modifier).__name__)
    cells = dict(
        zip(
            getattr(getattr(modifier, "__code__", None), "co_freevars", ()),
            getattr(modifier, "__closure__", None) or (),
            strict=False,
        )
    )
    inner = cells["field"].cell_contents if "field" in cells else None
    return f"{name}({_function(inner)})" if callable(inner) else name


def _implied(mapper: Mapper, field: str, target: str) -> str:
    """Name what a plain pair does: a many2one is replaced by or with an external id."""
    modifier, name = "", ""
    if isinstance(mapper, ImportMapper):
        modifier, name = "backend_to_m2o", target
    elif isinstance(mapper, ExportMapper):
        modifier, name = "m2o_to_backend", field
    definition = mapper._model_fields.get(name)
    is_link = definition is not None and definition.type == "many2one"
    return f"direct({modifier})" if is_link else "direct"


# -- the lines of direct pairs ---------------------------------------------------------------


def _declaration(mapper_class: type, attribute: str, source: str, target: str) -> str:
    """Give the line of a pair, in the class or the base that writes it down."""
    declaring = [cls for cls in mapper_class.__mro__ if attribute in vars(cls)]
    for cls in declaring:
        for place, texts in _written(cls, attribute):
            if target in texts and source in texts:
                return place
    assigned = [_written(cls, attribute)[-1:] for cls in declaring]
    return next((place for [(place, _)] in filter(None, assigned)), place_of(mapper_class))


@lru_cache(maxsize=256)
def _written(cls: type, attribute: str) -> list[tuple[str, frozenset[str]]]:
    """
    Give the pairs that a class writes down: their places and the texts in them.

    The last one is the assignment itself, for pairs that are computed.
    """
    try:
        lines, start = inspect.getsourcelines(cls)
        file = inspect.getsourcefile(cls)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return []
    [definition] = tree.body
    assignments = [node for node in ast.iter_child_nodes(definition) if _assigns(node, attribute)]
    pairs = [
        node
        for assignment in assignments
        for node in ast.walk(assignment)
        if isinstance(node, ast.Tuple) and len(node.elts) in (2, 3)
    ]
    return [
        (f"{file}:{start + node.lineno - 1}", _texts(node))
        for node in [*pairs, *assignments]
        if isinstance(node, ast.Tuple | ast.stmt)
    ]


def _assigns(node: ast.AST, attribute: str) -> bool:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name == attribute
    return False


def _texts(node: ast.AST) -> frozenset[str]:
    if not isinstance(node, ast.Tuple):
        return frozenset()
    return frozenset(
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    )


# -- values ----------------------------------------------------------------------------------


class _Tracing(Mapper):
    """Remembers while it maps which declaration gave each value; an error stops one, not all."""

    def __init__(self, connector_env: Any) -> None:
        super().__init__(connector_env)
        self.told: dict[str, TracedValue] = {}
        self.failed: list[TracedValue] = []

    def _map_direct(self, record: Any, from_attr: Any, to_attr: str) -> Any:
        source = _of_direct(self, from_attr, to_attr)
        try:
            value = super()._map_direct(record, from_attr, to_attr)
        except Exception as error:
            return self._note_failure(source, error)
        self.told[to_attr] = TracedValue(to_attr, value, source)
        return value

    def _map_method(self, name: str, source: Any) -> Mapping[str, Any]:
        declared = _of_method(self, name, self._map_methods[name])
        try:
            values = super()._map_method(name, source)
        except Exception as error:
            self._note_failure(declared, error)
            return {}
        self.told.update({each: TracedValue(each, values[each], declared) for each in values})
        return values

    def _map_child(
        self, map_record: MapRecord, from_attr: str, to_attr: str, model_name: str
    ) -> Any:
        place = _declaration(type(self), "children", from_attr, to_attr)
        source = Source(to_attr, from_attr, f"children of {model_name}", place)
        try:
            value = super()._map_child(map_record, from_attr, to_attr, model_name)
        except Exception as error:
            return self._note_failure(source, error)
        self.told[to_attr] = TracedValue(to_attr, value, source)
        return value

    def _note_failure(self, source: Source, error: Exception) -> Any:
        self.failed.append(TracedValue(source.target, None, source, error))
        return False


def traced(mapper: Mapper) -> Mapper:
    """Give a mapper of the same kind that remembers where each value comes from."""
    kind = type(mapper)
    attributes = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    made = MetaMapper(kind.__name__, (_Tracing, kind), attributes)
    return cast(type[Mapper], made)(mapper.connector_env)


def values_of(map_record: MapRecord, **options: Any) -> list[TracedValue]:
    """
    Map a record with a mapper made by `traced` and give each value with its source.

    What several declarations give comes from the last one, as in the mapping; what `finalize` or
    `MapRecord.update` changes comes from there.  Values that cannot be mapped come last.
    """
    mapper = map_record.mapper
    mapper.told.clear()
    mapper.failed.clear()
    values = map_record.values(**options)
    changed = Source("", "the values", "finalize", place_of(type(mapper).finalize))
    forced = Source("", "the importer", "MapRecord.update", place_of(type(map_record).update))
    failed = {each.target for each in mapper.failed}
    found = []
    for target, value in values.items():
        if target in failed:
            continue
        known = mapper.told.get(target)
        if target in map_record._forced:
            found.append(TracedValue(target, value, forced))
        elif known is None or known.value is not value:
            found.append(TracedValue(target, value, changed))
        else:
            found.append(known)
    return [*found, *mapper.failed]


def import_values(
    connector_env: ConnectorEnvironment, external_id: ExternalId
) -> list[TracedValue]:
    """
    Read a record and give what an import would write, with the source of each value.

    Nothing is written, and no dependency is imported: an id that is not bound yet is an error.

    Raises:
        NoConnectorUnitError: nothing maps or reads the model.
        IDMissingInBackend: the backend has no such record.
    """
    try:
        importer = connector_env.get_connector_unit(RecordImporter)
    except NoConnectorUnitError:
        mapper = traced(connector_env.get_connector_unit(ImportMapper))
        adapter: Any = connector_env.get_connector_unit(BackendAdapter)
        record = adapter.read(external_id)
        is_new = not mapper.binder_for().to_openerp(external_id)
        return values_of(mapper.map_record(record), for_create=is_new)
    importer._mapper = traced(importer.mapper)
    importer.external_id = external_id
    importer.record = importer.read()
    is_new = not importer.get_binding()
    values = values_of(importer.map_data(), for_create=is_new)
    return [*values, *_linked(importer, {each.target for each in values}, is_new)]


def _linked(importer: RecordImporter, mapped: set[str], is_new: bool) -> Iterator[TracedValue]:
    """Give what the importer adds to the mapped values, to link the binding."""
    binder = importer.binder
    values = binder.link_values(importer.external_id)
    if is_new:
        values[binder._backend_field] = importer.backend_record.id
    for target in values.keys() - mapped:
        source = Source(target, "the link", "link_values", place_of(binder.link_values))
        yield TracedValue(target, values[target], source)


def export_values(
    connector_env: ConnectorEnvironment, external_id: ExternalId
) -> list[TracedValue]:
    """Give what an export of a bound record would send; nothing where it is not bound."""
    mapper = traced(connector_env.get_connector_unit(ExportMapper))
    binding = mapper.binder_for().to_openerp(external_id)
    return values_of(mapper.map_record(binding)) if binding else []
