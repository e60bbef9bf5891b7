"""What is imported: all that changed since the last time, with what it needs."""

from datetime import datetime, timedelta
from typing import Any

from connector.connector import ConnectorEnvironment
from connector.session import ConnectorSession, Recordset
from connector.unit.batch import import_batch
from connector.unit.importer import RecordImporter
from connector_example.odoo.adapter import OdooAdapter
from connector_example.odoo.backend import odoo
from connector_example.odoo.mapper import CATEGORY, COUNTRY, PARTNER

#: A transaction stamps its records when it begins and shows them when it ends; what began before
#: the last import and ended after it is looked at again. Unchanged records cost next to nothing.
OVERLAP = timedelta(minutes=10)
STAMP = "%Y-%m-%d %H:%M:%S"


def import_partners(session: ConnectorSession, backend_id: int) -> str:
    """
    Enqueue the import of partners and categories that changed since the last time, and note it.

    Returns the uuid of the last job's batch. Countries come with the partners that need them.
    """
    backend = session.env["odoo.backend"].browse(backend_id)
    filters = {"since": backend.import_since} if backend.import_since else {}
    marks = [_last_write(session, backend, model) for model in (CATEGORY, PARTNER)]
    categories = import_batch.delay(session, CATEGORY, backend_id, filters=filters)
    partners: str = import_batch.delay(
        session, PARTNER, backend_id, filters=filters, depends_on=[categories]
    )
    # Stored with the jobs: either both are there or none.
    if known := [mark for mark in marks if mark]:
        earliest = datetime.strptime(max(known)[:19], STAMP) - OVERLAP
        backend.write({"import_since": earliest.strftime(STAMP)})
    return partners


def _last_write(session: ConnectorSession, backend: Recordset, model: str) -> str | None:
    environment = ConnectorEnvironment(backend, session, model)
    return environment.get_connector_unit(OdooAdapter).last_write()


@odoo
class CountryImporter(RecordImporter):
    _model_name = COUNTRY


@odoo
class CategoryImporter(RecordImporter):
    _model_name = CATEGORY
    _dependencies = [("parent_id", CATEGORY)]


@odoo
class PartnerImporter(RecordImporter):
    """A partner brings its categories, its country and its parents, and alone its children."""

    _model_name = PARTNER
    _dependencies = [
        ("parent_id", PARTNER),
        ("country_id", COUNTRY),
        ("category_id", CATEGORY),
    ]

    def after_import(self, binding: Recordset) -> None:
        # A listing has the children anyway, as records of their own.
        if self.import_run.gathers is None:
            children: list[Any] = self.record.get("child_ids") or []
            for child in children:
                self.import_dependency(child, PARTNER)
