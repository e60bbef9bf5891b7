"""Where the modules of the old frameworks stand here."""

from __future__ import annotations

import ast

#: An old module, in the spelling of 8.0 -> the new one; the longest beginning that fits counts.
MODULES = {
    "openerp.addons.connector.checkpoint.checkpoint": "connector.checkpoint",
    "openerp.addons.connector.unit.binder": "connector.connector",
    "openerp.addons.connector.backend_model": "connector.models.backend",
    "openerp.addons.connector.setting": "connector.models.settings",
    "openerp.addons.connector.queue.model": "connector.models.queue_job",
    "openerp.addons.connector.jobrunner.channels": "connector.queue.channels",
    "openerp.addons.connector.tests.common": "connector.testing",
    "openerp.addons.connector": "connector",
    "openerp.addons.queue_job.job": "connector.queue.job",
    "openerp.addons.queue_job.exception": "connector.exception",
    "openerp.tools.translate": "connector.core.tools",
    "openerp.tools.misc": "connector.core.tools",
    "openerp.tests.common": "connector.core.testing",
    "openerp.tests": "connector.core.testing",
    "openerp": "connector.core",
}


def new_module(module: str) -> str | None:
    """Give the module that stands here for an old one; None when it is none of the framework's."""
    spelling = _of_8(module)
    for old in sorted(MODULES, key=len, reverse=True):
        if spelling == old or spelling.startswith(f"{old}."):
            if spelling.startswith(f"{old}.addons."):
                return None  # an addon of the author's
            return MODULES[old] + spelling[len(old) :]
    return None


def new_home(module: str, name: str) -> tuple[str, str]:
    """Give the module and the name by which a name of an old module is imported here."""
    if (moved := MODULES.get(_of_8(f"{module}.{name}"))) is not None:
        parent, _, leaf = moved.rpartition(".")
        return parent, leaf
    return new_module(module) or module, name


def new_imports(node: ast.ImportFrom) -> list[str]:
    """Give the lines that stand here for `from old import names`."""
    names_of: dict[str, list[str]] = {}
    for each in node.names:
        module, name = new_home(node.module or "", each.name)
        known_as = each.asname or each.name
        alias = f" as {known_as}" if known_as != name else ""
        names_of.setdefault(module, []).append(f"{name}{alias}")
    return [f"from {module} import {', '.join(names)}" for module, names in names_of.items()]


def other_addon(module: str) -> str | None:
    """Give the addon that an old import takes a module of; None for the framework's own."""
    first, second, *rest = [*_of_8(module).split("."), ""]
    is_addon = first in ("openerp", "connector") and second == "addons"
    return rest[0] or None if is_addon and rest and new_module(module) is None else None


def _of_8(module: str) -> str:
    """10.0 spells `odoo` what 8.0 spells `openerp`."""
    return f"openerp{module[4:]}" if module.partition(".")[0] == "odoo" else module
