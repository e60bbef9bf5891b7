"""Sessions on a database for scripts, and the programs that upgrade, start and test."""

from __future__ import annotations

__all__ = ["already_imported", "clear_import_registry"]

_imported: set[str] = set()


def already_imported(module_name: str) -> bool:
    """
    Whether this was asked of the module before; from now on it was.

    Only the last part of a dotted name counts: `openerp.addons.shop` and `shop` are one module.
    Who gets False imports the module at once.
    """
    name = module_name.rpartition(".")[2]
    known = name in _imported
    _imported.add(name)
    return known


def clear_import_registry() -> None:
    """Forget which modules `already_imported` was asked of."""
    _imported.clear()
