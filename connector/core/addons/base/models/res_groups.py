"""Groups of users."""

from typing import Any

from connector.core import fields, models


class ResGroups(models.Model):
    """A group gives its users rights; it may imply other groups."""

    _name = "res.groups"
    _description = "Access Groups"
    _order = "name"
    _sql_constraints = [
        ("name_uniq", "unique(name)", "There is a group of this name already."),
    ]

    name = fields.Char(required=True)
    comment = fields.Text()
    users = fields.Many2many("res.users", "res_groups_users_rel", "gid", "uid", "Users")
    implied_ids = fields.Many2many("res.groups", "res_groups_implied_rel", "gid", "hid", "Inherits")
    model_access = fields.One2many("ir.model.access", "group_id", "Access Controls")
    rule_groups = fields.Many2many(
        "ir.rule", "rule_group_rel", "group_id", "rule_group_id", "Rules"
    )

    def create(self, values: Any) -> Any:
        groups = super().create(values)
        groups._give_implied()
        return groups

    def write(self, values: Any) -> bool:
        done = super().write(values)
        if "users" in values or "implied_ids" in values:
            self._give_implied()
        self.env.registry.invalidate_caches(self.env.cr)
        return bool(done)

    def _with_implied(self) -> Any:
        """These groups and all that they imply, however far."""
        found = self.browse()
        waiting = self
        while waiting:
            found |= waiting
            waiting = waiting.mapped("implied_ids") - found
        return found

    def _give_implied(self) -> None:
        """Put the users of each group into the groups that it implies."""
        for group in self:
            missing = group.users
            if missing:
                missing._add_groups(group._with_implied())
