"""
A change here enqueues its export, unless an import has made it.

The shop listens for partners with the same consumers, which serve the bindings of every backend;
subscribed twice, a consumer is called once.
"""

from connector.event import on_record_create, on_record_unlink, on_record_write
from connector.unit.deleter import delay_unlink, delay_unlink_all_bindings
from connector.unit.exporter import delay_export, delay_export_all_bindings
from connector_example.odoo.mapper import CATEGORY, PARTNER

BINDINGS = (PARTNER, CATEGORY)
BOUND = ("res.partner", "res.partner.category")

on_record_create.subscribe(delay_export, BINDINGS)
on_record_write.subscribe(delay_export_all_bindings, BOUND)
on_record_unlink.subscribe(delay_unlink, BINDINGS)
on_record_unlink.subscribe(delay_unlink_all_bindings, BOUND)
