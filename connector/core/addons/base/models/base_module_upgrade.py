"""The wizard that does what the buttons of addons have marked."""

from typing import Any

from connector.core import api, models, modules, registries
from connector.core.exceptions import AccessError


class BaseModuleUpgrade(models.TransientModel):
    """Installs, updates and removes what is marked so."""

    _name = "base.module.upgrade"
    _description = "Upgrade Module"

    @api.model
    def upgrade_module(self, *_ids: Any) -> bool:
        """
        Do what is marked, and load the registry anew.

        The transaction so far is committed: the change works on connections of its own. Nothing
        may be done in this transaction afterwards that needs the models as they were.
        """
        if not self.user_has_groups("base.group_system"):
            raise AccessError("Only the administrator may change what is installed.")
        self.env.cr.commit()
        modules.apply_marked(self.env.cr.dbname)
        registries.registries.find(self.env.cr.dbname)
        return True
