# -*- coding: utf-8 -*-
from openerp.addons.connector.unit.mapper import (
    mapping,
    ImportMapper,
    ExportMapper,
)


class CoffeeImportMapper(ImportMapper):
    @mapping
    def backend_id(self, record):
        return {"backend_id": self.backend_record.id}


def upper(field):
    """A modifier of the connector's own, in the form 8.0 knows: a closure over `field`"""

    def modifier(self, record, to_attr):
        return (record.get(field) or "").upper() or False

    return modifier


class CoffeeExportMapper(ExportMapper):
    pass
