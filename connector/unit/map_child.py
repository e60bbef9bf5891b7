"""
Mapping the lines of a record, each with the mapper of its own model.

    MapChild
    |-- ImportMapChild    commands on the lines there are
    `-- ExportMapChild    a list
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from connector.connector import Binder, ConnectorUnit, external_key
from connector.exception import NoConnectorUnitError
from connector.unit.checksum import checksum
from connector.unit.map_record import MapRecord

__all__ = ["ExportMapChild", "ImportMapChild", "MapChild"]

Values = dict[str, Any]


class MapChild(ConnectorUnit):
    """Maps the lines of a record with the mapper of the lines' model."""

    _base_mapper: ClassVar[type[ConnectorUnit]]

    def _child_mapper(self) -> Any:
        return self.unit_for(self._base_mapper)

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


class ImportMapChild(MapChild):
    """
    Gives the mapped lines as commands: a new line is added, a known one written.

    A line is known by its own external id, in the source field `_id_field`, through the binder
    of its model.  Its binding keeps a checksum, so an unchanged line gives `(4, id, 0)`: it
    stays, and nothing is to be written.  Lines without an id, or of a model without a binder or
    without the field that the binder names, are added every time.
    """

    #: Source field of a line that holds its external id.
    _id_field: ClassVar[str] = "id"
    #: Of the lines under way; None where they have no ids, or their model no binder.
    _binder: Binder | None = None

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
        external_id = external_key(map_record.source[self._id_field])
        known = self._binder.to_openerp(external_id)
        values = super().get_item_values(map_record, to_attr, {**options, "for_create": not known})
        if "checksum" in self.model._fields:
            # Of what an update would write: what is mapped for creation only never changes.
            if not known and map_record.mapper.maps_only_create():
                update = map_record.values(**{**options, "for_create": False})
                values["checksum"] = checksum(update)
            else:
                values["checksum"] = checksum(values)
        values.update(self._binder.link_values(external_id))
        if not known:
            values.setdefault(self._binder._backend_field, self.backend_record.id)
        return values

    def format_items(self, items_values: list[Values]) -> list[tuple[int, int, Any]]:
        return [self._command(values) for values in items_values]

    def _command(self, values: Values) -> tuple[int, int, Any]:
        known = self._known_line(values)
        if not known:
            return (0, 0, values)
        if "checksum" in values and known.checksum == values["checksum"]:
            return (4, known.id, 0)
        return (1, known.id, values)

    def _known_line(self, values: Values) -> Any:
        if self._binder is None:
            return None
        found = self._binder.to_openerp(values.get(self._binder._external_field))
        # A binder written for 8.0 may answer with an id.
        return self.model.browse(found) if isinstance(found, int) else found

    def _binder_if_any(self, items: list[Any]) -> Binder | None:
        if not items or any(item.get(self._id_field) in (None, "") for item in items):
            return None
        try:
            binder = self.binder_for()
        except NoConnectorUnitError:
            return None
        # A binder that keeps the ids in its own way cannot be asked for many, nor written along.
        return binder if binder._external_field in self.model._fields else None
