"""Rights: what a group may do with a model."""

from typing import Any

from connector.core import api, fields, models


class IrModelAccess(models.Model):
    """Rights on a model, for the users of a group, or for everybody where there is no group."""

    _name = "ir.model.access"
    _description = "Model Access"
    _order = "model_id, group_id, name, id"

    name = fields.Char(required=True, index=True)
    active = fields.Boolean(default=True)
    model_id = fields.Many2one("ir.model", "Object", required=True, index=True, ondelete="cascade")
    group_id = fields.Many2one("res.groups", "Group", index=True, ondelete="cascade")
    perm_read = fields.Boolean("Read Access")
    perm_write = fields.Boolean("Write Access")
    perm_create = fields.Boolean("Create Access")
    perm_unlink = fields.Boolean("Delete Access")

    @api.model
    def check(self, model: str, mode: str = "read", raise_exception: bool = True) -> bool:
        """May the current user do this with records of the model of that name?"""
        return bool(self.env[model].check_access_rights(mode, raise_exception))

    def create(self, values: Any) -> Any:
        self.env.registry.invalidate_caches(self.env.cr)
        return super().create(values)

    def write(self, values: Any) -> bool:
        self.env.registry.invalidate_caches(self.env.cr)
        return bool(super().write(values))

    def unlink(self) -> bool:
        self.env.registry.invalidate_caches(self.env.cr)
        return bool(super().unlink())
