# -*- coding: utf-8 -*-
from openerp import models, fields
from openerp.addons.connector.exception import MappingError
from openerp.addons.connector.unit.mapper import (
    mapping,
    changed_by,
    only_create,
    none,
    convert,
    backend_to_m2o,
    m2o_to_backend,
)
from .backend import coffee, coffee2
from .unit.import_synchronizer import CoffeeImporter, AddCheckpoint
from .unit.mapper import CoffeeImportMapper, CoffeeExportMapper, upper


class ResPartner(models.Model):
    _inherit = "res.partner"

    coffee_bind_ids = fields.One2many(
        comodel_name="coffee.res.partner", inverse_name="openerp_id", string="Coffee Bindings"
    )


class CoffeeResPartner(models.Model):
    _name = "coffee.res.partner"
    _inherit = "coffee.binding"
    _inherits = {"res.partner": "openerp_id"}
    _description = "Coffee Customer"

    openerp_id = fields.Many2one(
        comodel_name="res.partner", string="Partner", required=True, ondelete="cascade"
    )
    main_category_id = fields.Many2one(comodel_name="coffee.res.partner.category")
    created_at = fields.Datetime(string="Created At (on the shop)", readonly=True)
    address_ids = fields.One2many("coffee.address", "coffee_partner_id")


class CoffeeAddress(models.Model):
    _name = "coffee.address"
    _inherit = "coffee.binding"
    _inherits = {"res.partner": "openerp_id"}

    openerp_id = fields.Many2one("res.partner", required=True, ondelete="cascade")
    coffee_partner_id = fields.Many2one("coffee.res.partner", required=True, ondelete="cascade")


class CoffeeResPartnerCategory(models.Model):
    _name = "coffee.res.partner.category"
    _inherit = "coffee.binding"
    _inherits = {"res.partner.category": "openerp_id"}

    openerp_id = fields.Many2one("res.partner.category", required=True, ondelete="cascade")


@coffee
class CategoryImportMapper(CoffeeImportMapper):
    _model_name = "coffee.res.partner.category"

    direct = [("label", "name")]

    @mapping
    @only_create
    def openerp_id(self, record):
        """Will bind the group to an existing one with the same name"""
        category = self.env["res.partner.category"].search([("name", "=", record["label"])])
        if len(category) == 1:
            return {"openerp_id": category.id}


@coffee
class PartnerImportMapper(CoffeeImportMapper):
    _model_name = "coffee.res.partner"

    direct = [
        ("email", "email"),
        (none("telephone"), "phone"),
        (convert("zip", str), "zip"),
        (upper("town"), "city"),
        ("created_at", "created_at"),
        (backend_to_m2o("group_id"), "main_category_id"),
    ]
    children = [("addresses", "address_ids", "coffee.address")]

    @mapping
    @changed_by("firstname", "lastname")
    def name(self, record):
        parts = [part for part in (record["firstname"], record["lastname"]) if part]
        return {"name": " ".join(parts)}

    @mapping
    def category_id(self, record):
        if not record.get("group_id"):
            return
        binder = self.binder_for("coffee.res.partner.category")
        category_id = binder.to_openerp(record["group_id"], unwrap=True).id
        if not category_id:
            raise MappingError("The group %s does not exist" % record["group_id"])
        return {"category_id": [(4, category_id)]}

    @only_create
    @mapping
    def comment(self, record):
        return {"comment": "imported"}

    def finalize(self, map_record, values):
        if self.backend_record.default_category_id and "category_id" not in values:
            values["category_id"] = [(4, self.backend_record.default_category_id.id)]
        return values


@coffee
class AddressImportMapper(CoffeeImportMapper):
    _model_name = "coffee.address"

    direct = [("street", "street")]

    @mapping
    def name(self, record):
        return {"name": record["street"]}


@coffee2
class PartnerImportMapper2(PartnerImportMapper):
    """Version 2 of the shop tells the website too"""

    _model_name = "coffee.res.partner"

    direct = PartnerImportMapper.direct + [("site", "website")]


@coffee
class PartnerImporter(CoffeeImporter):
    _model_name = ["coffee.res.partner"]

    def _import_dependencies(self):
        self._import_dependency(self.coffee_record["group_id"], "coffee.res.partner.category")

    def _create(self, data):
        binding = super(PartnerImporter, self)._create(data)
        self.unit_for(AddCheckpoint).run(binding.id)
        return binding


@coffee
class PartnerExportMapper(CoffeeExportMapper):
    _model_name = "coffee.res.partner"

    direct = [
        ("email", "email"),
        ("phone", "telephone"),
        (m2o_to_backend("main_category_id"), "group_id"),
    ]

    @changed_by("name")
    @mapping
    def names(self, record):
        firstname, sep, lastname = record.name.partition(" ")
        return {"firstname": firstname, "lastname": lastname}
