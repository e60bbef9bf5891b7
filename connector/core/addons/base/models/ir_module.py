"""Addons, as the database knows them."""

from collections.abc import Callable
from typing import Any

from connector.core import api, fields, models
from connector.core.modules import State, apply_marked, states
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
    def update_list(self) -> list[int]:
        """Look for new addons; returns how many have another version now, and how many are new."""
        self.check_access_rights("write")
        known = set(self.sudo().search([]).ids)
        states.synchronise(self.env.cr)
        self.env.invalidate_all()
        modules = self.sudo().search([])
        updated = modules.filtered(
            lambda module: (
                module.latest_version and module.latest_version != module.installed_version
            )
        )
        return [len(updated), len(set(modules.ids) - known)]

    def button_install(self) -> None:
        """Mark these addons and what they need to be installed."""
        self._mark(states.mark_install, False)

    def button_immediate_install(self) -> bool:
        """
        Commit, and install these addons now, in transactions of their own; always True.

        `Registry(db_name)` is another one then, and environments made before are of the old one.
        """
        return self._apply(self.button_install)

    def button_immediate_upgrade(self) -> bool:
        """Bring these addons up to date now; see `button_immediate_install`."""
        return self._apply(self.button_upgrade)

    def button_immediate_uninstall(self) -> bool:
        """Remove these addons now; see `button_immediate_install`."""
        return self._apply(self.button_uninstall)

    def _apply(self, mark: Callable[[], None]) -> bool:
        mark()
        cr = self.env.cr
        cr.commit()
        apply_marked(cr.dbname)
        cr.rollback()  # a snapshot of before is no use any more
        type(self.env).reset()
        return True

    def button_upgrade(self) -> None:
        """Mark these addons and those that need them to be upgraded."""
        self._mark(states.mark_update)

    def button_uninstall(self) -> None:
        """Mark these addons and those that need them to be removed."""
        self._mark(states.mark_remove)

    def button_install_cancel(self) -> None:
        """Take back what was marked, by whomever: marks depend on each other."""
        self.check_access_rights("write")
        states.reset(self.env.cr)
        self.env.invalidate_all()

    button_upgrade_cancel = button_uninstall_cancel = button_install_cancel

    def _mark(self, mark: Any, *args: Any) -> None:
        self.check_access_rights("write")
        mark(self.env.cr, self.mapped("name"), *args)
        self.env.invalidate_all()

    def dependencies(self) -> list[str]:
        """The names of the addons that this one depends on directly."""
        self.ensure_one()
        return list(manifest_of(self.name).depends)
