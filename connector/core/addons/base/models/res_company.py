"""Companies."""

from collections.abc import Mapping, Sequence
from typing import Any

from connector.core import fields, models


class ResCompany(models.Model):
    """An organisation that this database works for."""

    _name = "res.company"
    _description = "Companies"
    _order = "name"
    _sql_constraints = [
        ("name_uniq", "unique(name)", "There is a company of this name already."),
    ]

    name = fields.Char("Company Name", required=True)
    partner_id = fields.Many2one("res.partner", "Partner", required=True)
    parent_id = fields.Many2one("res.company", "Parent Company", index=True)
    child_ids = fields.One2many("res.company", "parent_id", "Child Companies")
    user_ids = fields.Many2many(
        "res.users", "res_company_users_rel", "cid", "user_id", "Accepted Users"
    )
    email = fields.Char(related="partner_id.email")
    country_id = fields.Many2one(related="partner_id.country_id")

    def create(self, vals: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Any:
        """A company that names no partner gets one of its own name."""
        if isinstance(vals, Mapping):
            return super().create(self._with_partner(vals))
        return super().create([self._with_partner(each) for each in vals])

    def _with_partner(self, vals: Mapping[str, Any]) -> dict[str, Any]:
        if vals.get("partner_id") or not vals.get("name"):
            return dict(vals)
        partner = self.env["res.partner"].create({"name": vals["name"], "is_company": True})
        return {**vals, "partner_id": partner.id}
