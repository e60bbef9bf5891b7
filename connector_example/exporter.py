"""
What goes to the shop: customers, when somebody here changes, adds or deletes one.

A partner becomes a customer of the shop when a `shop.customer` is made for it.  What the importer
writes stays here: it works with `connector_no_export` in the context.
"""

from connector.event import on_record_create, on_record_unlink, on_record_write
from connector.unit.deleter import RecordDeleter, delay_unlink, delay_unlink_all_bindings
from connector.unit.exporter import RecordExporter, delay_export, delay_export_all_bindings
from connector_example.backend import shop


@shop
class CustomerExporter(RecordExporter):
    _model_name = "shop.customer"


@shop
class CustomerDeleter(RecordDeleter):
    _model_name = "shop.customer"


on_record_create.subscribe(delay_export, "shop.customer")
on_record_write.subscribe(delay_export_all_bindings, "res.partner")
on_record_unlink.subscribe(delay_unlink, "shop.customer")
on_record_unlink.subscribe(delay_unlink_all_bindings, "res.partner")
