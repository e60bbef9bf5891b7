"""
What goes to the other system: partners, when somebody here adds, changes or deletes one.

A partner becomes a customer there when a binding is made for it.  What the importer writes stays
here: it works with `connector_no_export` in the context.
"""

from typing import Any

from connector.event import on_record_create, on_record_unlink, on_record_write
from connector.unit.deleter import RecordDeleter, delay_unlink, delay_unlink_all_bindings
from connector.unit.exporter import RecordExporter, delay_export, delay_export_all_bindings
from connector.unit.map_record import MapRecord
from connector.unit.mapper import ExportMapper

from new_connector.backend import backend
from new_connector.mapper import FIELDS


@backend
class PartnerExportMapper(ExportMapper):
    """The way back: the same fields, ours left and theirs right."""

    _model_name = "new_connector.partner"

    direct = [(ours, theirs) for theirs, ours in FIELDS]

    def finalize(self, map_record: MapRecord, values: dict[str, Any]) -> dict[str, Any]:
        """JSON knows null where a record here has False."""
        return {name: None if value is False else value for name, value in values.items()}


@backend
class PartnerExporter(RecordExporter):
    _model_name = "new_connector.partner"


@backend
class PartnerDeleter(RecordDeleter):
    _model_name = "new_connector.partner"


on_record_create.subscribe(delay_export, "new_connector.partner")
on_record_write.subscribe(delay_export_all_bindings, "res.partner")
on_record_unlink.subscribe(delay_unlink, "new_connector.partner")
on_record_unlink.subscribe(delay_unlink_all_bindings, "res.partner")
