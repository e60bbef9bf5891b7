"""
Mappers turn the record of one side into the values of the other.

    Mapper
    |-- ImportMapper      a record of the backend -> values for create and write
    `-- ExportMapper      a record from here -> data for the backend
    MapChild
    |-- ImportMapChild    the lines of an imported record -> commands on the existing lines
    `-- ExportMapChild    the lines of an exported record -> a list

The work is done in this order: direct fields, mapping methods (those of the bases first, in the
order they are written), children, `finalize`, and last what `MapRecord.update` forces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

from connector.connector import Binder, ConnectorUnit, external_key
from connector.exception import (
    MappingDefinitionError,
    MappingResultError,
    MissingSourceFieldError,
    NoConnectorUnitError,
)
from connector.unit.checksum import checksum
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

    @property
    def options(self) -> MapOptions:
        """The options of the mapping under way: `for_create`, `fields` and the caller's own."""
        return self._options

    @property
    def map_methods(self) -> Iterator[tuple[Callable[[Any], Any], MappingDefinition]]:
        """The mapping methods, bound, with what is declared about each."""
        for name, definition in self._map_methods.items():
            yield getattr(self, name), definition

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
                values.update(self._checked(name, getattr(self, name)(source)))
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

    def _checked(self, name: str, result: Any) -> Mapping[str, Any]:
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
            f"{type(self).__module__}.{type(self).__qualname__} maps to {target!r}."
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
        field = self.model._fields.get(to_attr)
        if field is not None and field.type == "many2one":
            return False if value is None else backend_to_m2o(from_attr)(self, record, to_attr)
        if not value:
            return False
        if field is None:
            raise MappingDefinitionError(
                f"{type(self).__module__}.{type(self).__qualname__} maps {from_attr!r} to "
                f"{to_attr!r}, which is no field of {self.connector_env.model_name!r}."
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
        field = self.model._fields.get(from_attr)
        if field is not None and field.type == "many2one":
            return m2o_to_backend(from_attr)(self, record, to_attr)
        return value


class MapChild(ConnectorUnit):
    """Maps the lines of a record with the mapper of the lines' model."""

    def _child_mapper(self) -> Mapper:
        raise NotImplementedError

    def get_items(
        self, items: Any, parent: MapRecord, to_attr: str, options: Mapping[str, Any]
    ) -> Any:
        """Map every item that is not skipped and put the results into their form."""
        mapper = self._child_mapper()
        mapped = []
        for item in items or ():
            map_record = mapper.map_record(item, parent=parent)
            if self.skip_item(map_record):
                continue
            values = self.get_item_values(map_record, to_attr, options)
            if not self.skip_add_item(values):
                mapped.append(values)
        return self.format_items(mapped)

    def get_item_values(
        self, map_record: MapRecord, to_attr: str, options: Mapping[str, Any]
    ) -> Values:
        """Hook: map one line, with the options of its parent."""
        return map_record.values(**options)

    def skip_item(self, map_record: MapRecord) -> bool:
        """Hook: leave a line out before it is mapped."""
        return False

    def skip_add_item(self, values: Values) -> bool:
        """Hook: leave a line out after it is mapped."""
        return False

    def format_items(self, items_values: list[Values]) -> Any:
        """Hook: give the mapped lines the form in which the parent takes them."""
        return items_values


class ExportMapChild(MapChild):
    """Gives the mapped lines as a list."""

    def _child_mapper(self) -> Mapper:
        return self.unit_for(ExportMapper)


class ImportMapChild(MapChild):
    """
    Gives the mapped lines as commands: a new line is added, a known one written.

    A line is known by its own external id, in the source field `_id_field`, through the binder
    of its model.  Its binding keeps a checksum, so an unchanged line gives `(4, id, 0)`: it
    stays, and nothing is to be written.  Lines without an id, or of a model without a binder, are
    added every time.
    """

    #: Source field of a line that holds its external id.
    _id_field: ClassVar[str] = "id"

    def _child_mapper(self) -> Mapper:
        return self.unit_for(ImportMapper)

    def get_items(
        self, items: Any, parent: MapRecord, to_attr: str, options: Mapping[str, Any]
    ) -> Any:
        items = list(items or ())
        self._binder = self._binder_if_any(items)
        if self._binder is not None:
            self._binder.prefetch(item[self._id_field] for item in items)
        return super().get_items(items, parent, to_attr, options)

    def get_item_values(
        self, map_record: MapRecord, to_attr: str, options: Mapping[str, Any]
    ) -> Values:
        if self._binder is None:
            return super().get_item_values(map_record, to_attr, options)
        external_id = map_record.source[self._id_field]
        known = self._binder.to_openerp(external_id)
        own = {**options, "for_create": not known}
        values = super().get_item_values(map_record, to_attr, own)
        return self._bound(self._binder, external_key(external_id), known, values)

    def _bound(self, binder: Binder, external_id: str, known: Any, values: Values) -> Values:
        """Add what the binding keeps of the line; the id of a known line goes with it."""
        fields = self.model._fields
        if "checksum" in fields:
            values = {**values, "checksum": checksum(values)}
        if not known:
            values.setdefault(binder._backend_field, self.backend_record.id)
            values.setdefault(binder._external_field, external_id)
        if binder._sync_date_field in fields:
            values[binder._sync_date_field] = self.env.cr.now()
        return {**values, LINE: known}

    def format_items(self, items_values: list[Values]) -> list[tuple[int, int, Any]]:
        commands: list[tuple[int, int, Any]] = []
        for values in items_values:
            known = values.pop(LINE, None)
            if not known:
                commands.append((0, 0, values))
            elif "checksum" in values and known.checksum == values["checksum"]:
                commands.append((4, known.id, 0))
            else:
                commands.append((1, known.id, values))
        return commands

    def _binder_if_any(self, items: list[Any]) -> Binder | None:
        if not items or any(item.get(self._id_field) in (None, "") for item in items):
            return None
        try:
            return self.binder_for()
        except NoConnectorUnitError:
            return None


#: Key under which a known line travels from its mapping to its command.
LINE = "\0line"

Mapper._map_child_class = MapChild
ImportMapper._map_child_class = ImportMapChild
ExportMapper._map_child_class = ExportMapChild
