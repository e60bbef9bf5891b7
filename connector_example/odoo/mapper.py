"""Their partners to ours, and ours to theirs: the fields have the same names, the ids do not."""

from collections.abc import Mapping
from typing import Any

from connector.session import Recordset
from connector.unit.mapper import (
    ExportMapper,
    ImportMapper,
    backend_to_m2o,
    changed_by,
    m2o_to_backend,
    mapping,
    only_create,
)
from connector_example.odoo.backend import odoo

Record = Mapping[str, Any]

COUNTRY, CATEGORY, PARTNER = "odoo.res.country", "odoo.res.partner.category", "odoo.res.partner"

#: Texts and flags, which mean the same on both sides.
PLAIN = (
    *("name", "ref", "is_company", "email", "phone", "mobile", "website", "function"),
    *("vat", "comment", "street", "street2", "zip", "city"),
)


class Activity(ImportMapper):
    """A record without the field `active` is never archived."""

    @mapping
    def active(self, record: Record) -> dict[str, Any]:
        return {"active": bool(record.get("active", True))}


@odoo
class CountryImportMapper(ImportMapper):
    """A country is known here by its code; the server's name does not replace ours."""

    _model_name = COUNTRY

    @only_create
    @mapping
    def country(self, record: Record) -> dict[str, Any]:
        known = self.env["res.country"].search([("code", "=", record["code"])], limit=1)
        if known:
            return {"openerp_id": known.id}
        return {"name": record["name"], "code": record["code"]}


@odoo
class CategoryImportMapper(Activity):
    _model_name = CATEGORY

    direct = [("name", "name"), (backend_to_m2o("parent_id", binding=CATEGORY), "parent_id")]


@odoo
class PartnerImportMapper(Activity):
    _model_name = PARTNER

    direct = [
        *((name, name) for name in PLAIN),
        (backend_to_m2o("parent_id", binding=PARTNER), "parent_id"),
        (backend_to_m2o("country_id", binding=COUNTRY), "country_id"),
    ]

    @mapping
    def type(self, record: Record) -> dict[str, Any]:
        """A kind of address that we lack is another one."""
        kinds = dict(self.model._fields["type"].choices(self.env))
        given = record.get("type") or "contact"
        return {"type": given if given in kinds else "other"}

    @mapping
    def category_id(self, record: Record) -> dict[str, Any]:
        binder = self.binder_for(CATEGORY)
        tags = [binder.to_openerp(id_, unwrap=True) for id_ in record.get("category_id") or ()]
        return {"category_id": [(6, 0, [tag if isinstance(tag, int) else tag.id for tag in tags])]}


@odoo
class CategoryExportMapper(ExportMapper):
    _model_name = CATEGORY

    direct = [
        ("name", "name"),
        ("active", "active"),
        (m2o_to_backend("parent_id", binding=CATEGORY), "parent_id"),
    ]


@odoo
class PartnerExportMapper(ExportMapper):
    _model_name = PARTNER

    direct = [
        *((name, name) for name in PLAIN),
        ("active", "active"),
        ("type", "type"),
        (m2o_to_backend("parent_id", binding=PARTNER), "parent_id"),
        (m2o_to_backend("country_id", binding=COUNTRY), "country_id"),
    ]

    @changed_by("category_id")
    @mapping
    def category_id(self, record: Recordset) -> dict[str, Any]:
        binder = self.binder_for(CATEGORY)
        ids = [int(binder.to_backend(tag.id, wrap=True)) for tag in record.category_id]
        return {"category_id": [(6, 0, ids)]}

    def finalize(self, map_record: Any, values: dict[str, Any]) -> dict[str, Any]:
        """The ids of the server are numbers; bindings keep them as text."""
        links = {
            name: int(values[name]) for name in ("parent_id", "country_id") if values.get(name)
        }
        return {**values, **links}
