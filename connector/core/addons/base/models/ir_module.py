"""Addons, as the database knows them."""

from typing import Any

from connector.core import api, fields, models
from connector.core.modules import State, states
from connector.core.modules.manifest import manifest_of

_STATES = [(state.value, state.value.capitalize()) for state in State]


class IrModuleModule(models.Model):
    """One addon and its state; the buttons mark what the next load with updates does."""

    _name = "ir.module.module"
    _description = "Module"
    _order = "name"
    _sql_constraints = [
        ("name_uniq", "UNIQUE (name)", "There is a module of this name already."),
    ]

    name = fields.Char("Technical Name", required=True, readonly=True, index=True)
    state = fields.Selection(_STATES, required=True, default=State.UNINSTALLED, readonly=True)
    latest_version = fields.Char("Installed Version", readonly=True)
    demo = fields.Boolean("Demo Data", default=False, readonly=True)
    shortdesc = fields.Char("Module Name", compute="_compute_manifest")
    summary = fields.Char(compute="_compute_manifest")
    installed_version = fields.Char("Latest Version", compute="_compute_manifest")

    def _compute_manifest(self) -> None:
        """What the manifest on disk says; nothing for an addon that is found no more."""
        for module in self:
            manifest = states._manifest_or_none(module.name)
            module.shortdesc = manifest.name if manifest else module.name
            module.summary = manifest.summary if manifest else False
            module.installed_version = manifest.version if manifest else False

    @api.model
    def update_list(self) -> None:
        """Look for new addons."""
        states.synchronise(self.env.cr)
        self.env.invalidate_all()

    def button_install(self) -> None:
        """Mark these addons and what they need to be installed."""
        self._mark(states.mark_install, False)

    def button_upgrade(self) -> None:
        """Mark these addons and those that need them to be upgraded."""
        self._mark(states.mark_update)

    def button_uninstall(self) -> None:
        """Mark these addons and those that need them to be removed."""
        self._mark(states.mark_remove)

    def _mark(self, mark: Any, *args: Any) -> None:
        mark(self.env.cr, self.mapped("name"), *args)
        self.env.invalidate_all()

    def dependencies(self) -> list[str]:
        """The names of the addons that this one depends on directly."""
        self.ensure_one()
        return list(manifest_of(self.name).depends)
