"""
Mappers turn the record of one side into the values of the other.

    Mapper
    |-- ImportMapper      a record of the backend -> values for create and write
    `-- ExportMapper      a record from here -> data for the backend

The work is done in this order: direct fields, mapping methods (those of the bases first, in the
order they are written), children, `finalize`, and last what `MapRecord.update` forces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, ClassVar, TypeVar

from connector.connector import ConnectorUnit
from connector.exception import (
    MappingResultError,
    MissingSourceFieldError,
    NoConnectorUnitError,
    UnknownTargetFieldError,
)
from connector.unit.map_child import ExportMapChild, ImportMapChild, MapChild
from connector.unit.map_record import MapOptions, MapRecord
from connector.unit.mapping_definition import (
    MappingDefinition,
    MetaMapper,
    changed_by,
    mapping,
    only_create,
    source_field_name,
)
from connector.unit.modifier import (
    Modifier,
    backend_to_m2o,
    convert,
    external_to_m2o,
    follow_m2o_relations,
    m2o_to_backend,
    m2o_to_external,
    none,
    normalize_datetime,
)

__all__ = [
    "ExportMapChild",
    "ExportMapper",
    "ImportMapChild",
    "ImportMapper",
    "MapChild",
    "MapOptions",
    "MapRecord",
    "Mapper",
    "MappingDefinition",
    "backend_to_m2o",
    "changed_by",
    "convert",
    "external_to_m2o",
    "follow_m2o_relations",
    "m2o_to_backend",
    "m2o_to_external",
    "mapping",
    "none",
    "normalize_datetime",
    "only_create",
]

Values = dict[str, Any]
U = TypeVar("U", bound=ConnectorUnit)


class Mapper(ConnectorUnit, metaclass=MetaMapper):
    """Describes how a record is mapped; `map_record(record).values()` does it."""

    #: Pairs (source field or modifier, target field).
    direct: ClassVar[list[tuple[str | Modifier, str]]] = []
    #: Triples (source field, target field, model of the lines).
    children: ClassVar[list[tuple[str, str, str]]] = []
    _map_child_class: ClassVar[type[MapChild]]

    _map_methods: ClassVar[dict[str, MappingDefinition]]
    _changed_by_fields: ClassVar[frozenset[str]]

    def __init__(self, connector_env: Any) -> None:
        super().__init__(connector_env)
        self._options = MapOptions()

    @cached_property
    def _model_fields(self) -> Mapping[str, Any]:
        fields: Mapping[str, Any] = self.model._fields
        return fields

    @property
    def options(self) -> MapOptions:
        """The options of the mapping under way: `for_create`, `fields` and the caller's own."""
        return self._options

    @property
    def map_methods(self) -> Iterator[tuple[Callable[[Any], Any], MappingDefinition]]:
        """The mapping methods, bound, with what is declared about each."""
        for name, definition in self._map_methods.items():
            yield getattr(self, name), definition

    @classmethod
    def maps_only_create(cls) -> bool:
        """Say whether a record that is created is mapped in another way than one updated."""
        return any(definition.only_create for definition in cls._map_methods.values())

    def changed_by_fields(self) -> frozenset[str]:
        """The source fields whose change makes a mapping worth doing."""
        return self._changed_by_fields

    def map_record(self, record: Any, parent: MapRecord | None = None) -> MapRecord:
        """Make the mapping of *record* ready; nothing is mapped before `values()`."""
        return MapRecord(self, record, parent=parent)

    def finalize(self, map_record: MapRecord, values: Values) -> Values:
        """Hook: see all the values once more; what it returns is the result."""
        return values

    def _apply(self, map_record: MapRecord, options: MapOptions | None = None) -> Values:
        """Map a record; `MapRecord.values` calls it."""
        previous = self._options
        self._options = MapOptions() if options is None else options
        try:
            return self._mapped(map_record)
        finally:
            self._options = previous

    def _mapped(self, map_record: MapRecord) -> Values:
        fields = self._options.fields
        source = map_record.source
        values: Values = {}
        for source_or_modifier, target in self.direct:
            if not fields or source_field_name(source_or_modifier) in fields:
                values[target] = self._map_direct(source, source_or_modifier, target)
        for name, definition in self._map_methods.items():
            if self._must_map(definition, fields):
                values.update(self._map_method(name, source))
        for from_attr, to_attr, model in self.children:
            if not fields or from_attr in fields:
                values[to_attr] = self._map_child(map_record, from_attr, to_attr, model)
        return self.finalize(map_record, values)

    def _must_map(self, definition: MappingDefinition, fields: Iterable[str] | None) -> bool:
        if definition.only_create and not self._options.for_create:
            return False
        if not fields or not definition.changed_by:
            return True
        return not definition.changed_by.isdisjoint(fields)

    def _map_method(self, name: str, record: Any) -> Mapping[str, Any]:
        """Give the values that one mapping method makes of the record."""
        result = getattr(self, name)(record)
        if not result:
            return {}
        if not isinstance(result, Mapping):
            raise MappingResultError(
                f"{type(self).__module__}.{type(self).__qualname__}.{name} returns "
                f"{type(result).__name__}, not a dict. Return the mapped values by target field, "
                "or None for nothing."
            )
        return result

    def _map_direct(self, record: Any, from_attr: str | Modifier, to_attr: str) -> Any:
        """Map one direct field; import and export differ in it."""
        raise NotImplementedError

    def _map_child(
        self, map_record: MapRecord, from_attr: str, to_attr: str, model_name: str
    ) -> Any:
        try:
            items = map_record.source[from_attr]
        except KeyError as error:
            raise self._no_field(from_attr, to_attr) from error
        child = self._map_child_unit(model_name)
        return child.get_items(items, map_record, to_attr, options=self.options)

    def _map_child_unit(self, model_name: str) -> MapChild:
        try:
            return self.unit_for(self._map_child_class, model_name)
        except NoConnectorUnitError:
            # Nobody needs a special one: the default works in the same kind of environment.
            connector_env = type(self.connector_env).create_environment(
                self.backend_record, self.session, model_name, connector_env=self.connector_env
            )
            return self._map_child_class(connector_env)

    def _no_field(self, source: str, target: str) -> MissingSourceFieldError:
        return MissingSourceFieldError(
            f"The record of {self.connector_env.model_name!r} has no field {source!r}, which "
            f"{type(self).__module__}.{type(self).__qualname__} maps to {target!r}. "
            "Let the adapter give it, or map it in a method that does without."
        )


class ImportMapper(Mapper):
    """Maps a record of the backend, a mapping, to values for `create` and `write`."""

    def _map_direct(self, record: Any, from_attr: str | Modifier, to_attr: str) -> Any:
        """
        Give the value of the source field, False when it is empty or missing.

        An external id in the place of a many2one is replaced by the record it is bound to.
        """
        if not isinstance(from_attr, str):
            return from_attr(self, record, to_attr)
        value = record.get(from_attr)
        field = self._model_fields.get(to_attr)
        if field is not None and field.type == "many2one":
            return False if value is None else backend_to_m2o(from_attr)(self, record, to_attr)
        if not value:
            return False
        if field is None:
            raise UnknownTargetFieldError(
                f"{type(self).__module__}.{type(self).__qualname__} maps {from_attr!r} to "
                f"{to_attr!r}, which is no field of {self.connector_env.model_name!r}. "
                "Correct the name, or add the field to the model."
            )
        return value


class ExportMapper(Mapper):
    """Maps a record from here to data for the backend."""

    def _map_direct(self, record: Any, from_attr: str | Modifier, to_attr: str) -> Any:
        """
        Give the value of the source field, False when it is empty.

        A many2one is replaced by the external id of its record.
        """
        if not isinstance(from_attr, str):
            return from_attr(self, record, to_attr)
        try:
            value = record[from_attr]
        except KeyError as error:
            raise self._no_field(from_attr, to_attr) from error
        if not value:
            return False
        field = self._model_fields.get(from_attr)
        if field is not None and field.type == "many2one":
            return m2o_to_backend(from_attr)(self, record, to_attr)
        return value


Mapper._map_child_class = MapChild
ImportMapper._map_child_class = ImportMapChild
ExportMapper._map_child_class = ExportMapChild
MapChild._base_mapper = Mapper
ImportMapChild._base_mapper = ImportMapper
ExportMapChild._base_mapper = ExportMapper
