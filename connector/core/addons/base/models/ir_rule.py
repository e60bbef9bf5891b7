"""Rules: which records of a model a user may see and change."""

from typing import Any

from connector.core import api, fields, models
from connector.core.exceptions import ValidationError
from connector.core.modules.values import evaluate


class IrRule(models.Model):
    """A domain that records must meet: global rules all of them, rules of groups one of them."""

    _name = "ir.rule"
    _description = "Record Rule"
    _order = "name, id"
    _sql_constraints = [
        (
            "no_access_rights",
            "CHECK (perm_read OR perm_write OR perm_create OR perm_unlink)",
            "A rule must concern reading, writing, creating or deleting.",
        ),
    ]

    name = fields.Char(index=True)
    active = fields.Boolean(default=True)
    model_id = fields.Many2one("ir.model", "Object", required=True, index=True, ondelete="cascade")
    groups = fields.Many2many("res.groups", "rule_group_rel", "rule_group_id", "group_id")
    domain_force = fields.Text("Domain", help="A domain; `user` and `time` may be used in it.")
    perm_read = fields.Boolean("Apply for Read", default=True)
    perm_write = fields.Boolean("Apply for Write", default=True)
    perm_create = fields.Boolean("Apply for Create", default=True)
    perm_unlink = fields.Boolean("Apply for Delete", default=True)
    # The name is a keyword of Python, so it cannot stand left of an equals sign.
    vars()["global"] = fields.Boolean(
        "Global", compute="_compute_global", store=True, depends=("groups",)
    )

    def _compute_global(self) -> None:
        for rule in self:
            rule["global"] = not rule.groups

    @api.model
    def _domain_for(self, text: str | None, uid: int) -> list[Any]:
        """The domain of a rule, as it is for one user."""
        user = self.env["res.users"].sudo().browse(uid)
        domain = evaluate(text or "[]", {"user": user, "uid": uid})
        if not isinstance(domain, list):
            raise ValidationError(f"The domain of a rule is no list: {text!r}. Mend the rule.")
        return domain

    def create(self, values: Any) -> Any:
        self.env.registry.invalidate_caches(self.env.cr)
        return super().create(values)

    def write(self, values: Any) -> bool:
        self.env.registry.invalidate_caches(self.env.cr)
        return bool(super().write(values))

    def unlink(self) -> bool:
        self.env.registry.invalidate_caches(self.env.cr)
        return bool(super().unlink())
