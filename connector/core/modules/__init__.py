"""
Addons in a database: found, ordered, loaded, installed, updated, removed.

These functions change a database and leave its registry loaded anew.  Each may be called by
several processes at once: they take turns.
"""

from collections.abc import Iterable
from typing import Any

from connector.core import registries, sql
from connector.core.exceptions import ModuleError
from connector.core.modules.loading import MISSING_TABLES, load_modules
from connector.core.modules.states import Changes, State, is_initialised, reset

__all__ = [
    "MISSING_TABLES",
    "Changes",
    "State",
    "apply_marked",
    "initialise",
    "install",
    "installed",
    "load_modules",
    "reset_modules_state",
    "uninstall",
    "update",
]


def initialise(db_name: str, demo: bool = False) -> Any:
    """Install `base` into an empty database; returns the registry. Done already is fine."""
    return _change(db_name, Changes(initialise=True, demo=demo))


def install(db_name: str, names: Iterable[str], demo: bool = False) -> Any:
    """
    Install addons and what they depend on; returns the registry.

    Raises:
        UnknownModuleError, UnmetDependencyError, DependencyCycleError: nothing is changed.
        DatabaseNotInitialisedError: call `initialise` first.
    """
    return _change(db_name, Changes(install=tuple(names), demo=demo))


def update(db_name: str, names: Iterable[str]) -> Any:
    """Bring tables and data of installed addons, and of those that need them, up to date."""
    return _change(db_name, Changes(update=tuple(names)))


def uninstall(db_name: str, names: Iterable[str]) -> Any:
    """Remove addons, and those that need them, with their tables, columns and data."""
    return _change(db_name, Changes(uninstall=tuple(names)))


def apply_marked(db_name: str) -> Any:
    """Install, update and remove what is marked in the table of addons; returns the registry."""
    return _change(db_name, Changes())


def installed(db_name: str) -> list[str]:
    """The addons installed in a database; none in one that is not initialised."""
    with sql.connect(db_name).cursor(sql.READ_COMMITTED) as cr:
        if not is_initialised(cr):
            return []
        cr.execute("SELECT name FROM ir_module_module WHERE state = 'installed' ORDER BY name")
        return [name for (name,) in cr.fetchall()]


def reset_modules_state(db_name: str) -> None:
    """Take back what was marked for a load that failed."""
    with sql.connect(db_name).cursor(sql.READ_COMMITTED) as cr:
        if is_initialised(cr):
            reset(cr)


def _change(db_name: str, changes: Changes) -> Any:
    new = registries.builder()
    try:
        return sql.retried(lambda: new(db_name, update_module=True, changes=changes))
    except sql.errors.Error as error:
        if not sql.errors.is_conflict(error):
            raise
        raise ModuleError(
            f"The addons of {db_name!r} cannot be changed while others work in it: "
            f"{str(error).strip()}. Nothing is half done; stop the workers and try again."
        ) from error
