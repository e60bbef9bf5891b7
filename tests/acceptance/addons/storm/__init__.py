"""A connector whose records are made from their ids: two hundred partners, five categories."""

import time
from collections.abc import Mapping
from typing import Any

from connector.backend import Backend
from connector.connector import Binder
from connector.core import fields, models
from connector.unit.backend_adapter import CRUDAdapter
from connector.unit.importer import RecordImporter
from connector.unit.mapper import ImportMapper, backend_to_m2o, mapping

CATEGORIES = 5
#: About what a shop on the local network takes; jobs overlap while they wait.
ANSWER_SECONDS = 0.005

storm = Backend("storm")


class StormBackend(models.Model):
    _name = "storm.backend"
    _inherit = "connector.backend"
    _description = "Storm backend"
    _backend_type = "storm"

    def _select_versions(self) -> list[tuple[str, str]]:
        return [("1", "1")]

    version = fields.Selection(selection="_select_versions", required=True)

    def get_backend(self) -> Backend:
        return storm


class StormBinding(models.AbstractModel):
    _name = "storm.binding"
    _inherit = "external.binding"
    _description = "Storm binding"

    backend_id = fields.Many2one("storm.backend", required=True, ondelete="restrict")
    external_id = fields.Char(required=True)

    _sql_constraints = [
        ("external_id_once", "unique(backend_id, external_id)", "A record has one binding."),
    ]


class StormCategory(models.Model):
    _name = "storm.category"
    _inherit = "storm.binding"
    _inherits = {"res.partner.category": "openerp_id"}
    _description = "Storm category"

    openerp_id = fields.Many2one("res.partner.category", required=True, ondelete="cascade")


class Partner(models.Model):
    _inherit = "res.partner"

    storm_category_id = fields.Many2one("res.partner.category")


class StormPartner(models.Model):
    _name = "storm.partner"
    _inherit = "storm.binding"
    _inherits = {"res.partner": "openerp_id"}
    _description = "Storm partner"

    openerp_id = fields.Many2one("res.partner", required=True, ondelete="cascade")


@storm
class StormBinder(Binder):
    _model_name = ["storm.partner", "storm.category"]


@storm
class CategoryAdapter(CRUDAdapter):
    _model_name = "storm.category"

    def read(self, external_id: str) -> dict[str, Any]:
        time.sleep(ANSWER_SECONDS)
        return {"id": external_id, "name": f"Category {external_id}"}


@storm
class PartnerAdapter(CRUDAdapter):
    _model_name = "storm.partner"

    def read(self, external_id: str) -> dict[str, Any]:
        time.sleep(ANSWER_SECONDS)
        return {
            "id": external_id,
            "name": f"Partner {external_id}",
            "category": str(int(external_id) % CATEGORIES),
        }


class StormMapper(ImportMapper):
    direct = [("name", "name")]

    @mapping
    def identity(self, record: Mapping[str, Any]) -> dict[str, Any]:
        return {"backend_id": self.backend_record.id, "external_id": record["id"]}


@storm
class CategoryMapper(StormMapper):
    _model_name = "storm.category"


@storm
class PartnerMapper(StormMapper):
    _model_name = "storm.partner"

    direct = [
        *StormMapper.direct,
        (backend_to_m2o("category", binding="storm.category"), "storm_category_id"),
    ]


@storm
class CategoryImporter(RecordImporter):
    _model_name = "storm.category"


@storm
class PartnerImporter(RecordImporter):
    _model_name = "storm.partner"

    _dependencies = [("category", "storm.category")]
