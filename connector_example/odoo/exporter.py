"""The way back: partners and categories of ours become theirs."""

from connector.exception import InvalidDataError
from connector.session import Recordset
from connector.unit.deleter import RecordDeleter
from connector.unit.exporter import RecordExporter
from connector_example.odoo.adapter import CountryAdapter
from connector_example.odoo.backend import odoo
from connector_example.odoo.mapper import CATEGORY, COUNTRY, PARTNER


class OdooExporter(RecordExporter):
    """Exports what a record needs first; a record without a binding gets one."""

    def export_needed(self, record: Recordset, model: str) -> None:
        self.export_dependency(self.binding_of(record, model))

    def binding_of(self, record: Recordset, model: str) -> Recordset:
        """The binding of a record, made if need be."""
        binder = self.binder_for(model)
        values = {"backend_id": self.backend_record.id, "openerp_id": record.id}
        quiet = self.env[model].with_context(connector_no_export=True)
        return binder.wrap_record(record.id) or quiet.create(values)


@odoo
class CategoryExporter(OdooExporter):
    _model_name = CATEGORY

    def export_dependencies(self) -> None:
        if self.binding.parent_id:
            self.export_needed(self.binding.parent_id, CATEGORY)


@odoo
class PartnerExporter(OdooExporter):
    _model_name = PARTNER

    def export_dependencies(self) -> None:
        if self.binding.parent_id:
            self.export_needed(self.binding.parent_id, PARTNER)
        for category in self.binding.category_id:
            self.export_needed(category, CATEGORY)
        if self.binding.country_id:
            self._find_country(self.binding.country_id)

    def _find_country(self, country: Recordset) -> None:
        """Countries are not exported: the server has them, under ids of its own."""
        binding = self.binding_of(country, COUNTRY)
        if binding.external_id:
            return
        found = self.unit_for(CountryAdapter, COUNTRY).id_of_code(country.code)
        if found is None:
            raise InvalidDataError(
                f"The server has no country {country.code!r}, which {self.binding} is in. "
                "Add it there, or choose another one."
            )
        self.binder_for(COUNTRY).bind(found, binding)


@odoo
class OdooDeleter(RecordDeleter):
    """What is deleted here goes there, too."""

    _model_name = [CATEGORY, PARTNER]
