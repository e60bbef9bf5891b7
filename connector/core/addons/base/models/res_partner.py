"""Partners: the people and organisations one deals with."""

from typing import Any

from connector.core import api, fields, models
from connector.core.exceptions import ValidationError


class ResPartnerCategory(models.Model):
    """A tag of partners; tags form a tree."""

    _name = "res.partner.category"
    _description = "Partner Tags"
    _order = "name"

    name = fields.Char("Tag Name", required=True)
    color = fields.Integer("Color Index")
    active = fields.Boolean(default=True)
    parent_id = fields.Many2one(
        "res.partner.category", "Parent Category", index=True, ondelete="cascade"
    )
    child_ids = fields.One2many("res.partner.category", "parent_id", "Child Tags")
    partner_ids = fields.Many2many(
        "res.partner",
        "res_partner_res_partner_category_rel",
        "category_id",
        "partner_id",
        "Partners",
    )

    @api.constrains("parent_id")
    def _check_parent(self) -> None:
        if not self._check_recursion():
            raise ValidationError("A tag cannot be its own parent, however far above.")


class ResPartner(models.Model):
    """A person, a company, or an address of one."""

    _name = "res.partner"
    _description = "Partner"
    _order = "name"

    name = fields.Char(required=True, index=True)
    ref = fields.Char("Internal Reference", index=True)
    active = fields.Boolean(default=True)
    is_company = fields.Boolean("Is a Company", default=False)
    type = fields.Selection(
        [
            ("contact", "Contact"),
            ("invoice", "Invoice address"),
            ("delivery", "Shipping address"),
            ("other", "Other address"),
        ],
        "Address Type",
        default="contact",
    )
    parent_id = fields.Many2one("res.partner", "Related Company", index=True)
    child_ids = fields.One2many("res.partner", "parent_id", "Contacts")
    category_id = fields.Many2many(
        "res.partner.category",
        "res_partner_res_partner_category_rel",
        "partner_id",
        "category_id",
        "Tags",
    )
    company_id = fields.Many2one("res.company", "Company", index=True)
    user_id = fields.Many2one("res.users", "Salesperson")
    lang = fields.Char("Language", help="Code of the language that the partner is written to in.")
    email = fields.Char()
    phone = fields.Char()
    mobile = fields.Char()
    fax = fields.Char()
    website = fields.Char()
    function = fields.Char("Job Position")
    vat = fields.Char("TIN", help="Tax identification number.")
    comment = fields.Text("Notes")
    street = fields.Char()
    street2 = fields.Char()
    zip = fields.Char()
    city = fields.Char()
    state_id = fields.Many2one("res.country.state", "State", ondelete="restrict")
    country_id = fields.Many2one("res.country", "Country", ondelete="restrict")
    customer = fields.Boolean("Is a Customer", default=True)
    supplier = fields.Boolean("Is a Vendor", default=False)

    @api.constrains("parent_id")
    def _check_parent(self) -> None:
        if not self._check_recursion():
            raise ValidationError("A partner cannot be its own parent, however far above.")

    def address_get(self, kinds: Any = ("contact",)) -> dict[str, int]:
        """The partner to use for each kind of address: an own address of that kind, else itself."""
        self.ensure_one()
        own = {child.type: child.id for child in self.child_ids}
        return {kind: own.get(kind, self.id) for kind in kinds}
