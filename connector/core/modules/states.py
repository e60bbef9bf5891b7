"""
The states of the addons in a database, kept in `ir_module_module`.

    uninstalled --install--> to install --loaded--> installed
    installed   --update---> to upgrade --loaded--> installed
    installed   --remove---> to remove  --removed-> uninstalled

What is marked here is done by the load that follows; `reset` takes the marks back after one
that failed.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from connector.core.addon import forget_found_addons, found_addons
from connector.core.exceptions import ManifestError, ModuleError, UnknownModuleError
from connector.core.modules.graph import closure
from connector.core.modules.manifest import Manifest, forget_manifests, manifest_of
from connector.core.sql import Cursor, schema

logger = logging.getLogger(__name__)

ALL = "all"  #: in an update: every addon, by updating `base`


class State(StrEnum):
    UNINSTALLABLE = "uninstallable"  #: its manifest says so, or it is found no more
    UNINSTALLED = "uninstalled"
    INSTALLED = "installed"
    TO_INSTALL = "to install"
    TO_UPGRADE = "to upgrade"
    TO_REMOVE = "to remove"


#: the states of an addon whose tables the database has
PRESENT = (State.INSTALLED, State.TO_UPGRADE, State.TO_REMOVE)


@dataclass(frozen=True)
class Changes:
    """What one load has to do beside loading."""

    install: tuple[str, ...] = ()
    update: tuple[str, ...] = ()
    uninstall: tuple[str, ...] = ()
    #: whether new addons get their demonstration data too
    demo: bool = False
    #: whether a database without the tables of `base` gets them
    initialise: bool = False


_TABLES = """
CREATE TABLE ir_module_module (
    id SERIAL PRIMARY KEY,
    name varchar NOT NULL,
    state varchar NOT NULL,
    latest_version varchar,
    demo bool,
    -- the version whose upgrade has its scripts of the stage `end` still to come
    end_scripts_from varchar,
    create_uid int4, create_date timestamp, write_uid int4, write_date timestamp,
    CONSTRAINT ir_module_module_name_uniq UNIQUE (name)
);
CREATE TABLE ir_model_data (
    id SERIAL PRIMARY KEY,
    module varchar NOT NULL,
    name varchar NOT NULL,
    model varchar NOT NULL,
    res_id int4,
    noupdate bool,
    date_init timestamp, date_update timestamp,
    create_uid int4, create_date timestamp, write_uid int4, write_date timestamp
);
CREATE UNIQUE INDEX ir_model_data_module_name_uniq_index ON ir_model_data (module, name);
CREATE INDEX ir_model_data_model_res_id_index ON ir_model_data (model, res_id);
"""


def is_initialised(cr: Cursor) -> bool:
    """Whether the database has the tables of `base`."""
    return schema.table_exists(cr, "ir_module_module")


def create_tables(cr: Cursor) -> None:
    """Make the tables that loading itself needs; `base` completes them."""
    cr.execute(_TABLES)


def rows(cr: Cursor, states: Iterable[str]) -> list[tuple[str, str, str | None, bool | None]]:
    """Name, state, installed version and demo of the addons in some states."""
    cr.execute(
        "SELECT name, state, latest_version, demo FROM ir_module_module"
        " WHERE state = ANY(%s) ORDER BY name",
        (list(states),),
    )
    return cr.fetchall()


def names(cr: Cursor, *states: str) -> list[str]:
    """The addons in some states."""
    return [row[0] for row in rows(cr, states)]


def synchronise(cr: Cursor) -> None:
    """Look which addons there are, and write it down; those that vanished uninstalled go."""
    forget_found()
    if not schema.column_exists(cr, "ir_module_module", "end_scripts_from"):
        schema.add_column(cr, "ir_module_module", "end_scripts_from", "varchar")
    cr.execute("SELECT name, state FROM ir_module_module")
    known = dict(cr.fetchall())
    found = readable_manifests()
    for name, manifest in found.items():
        state = State.UNINSTALLED if manifest.installable else State.UNINSTALLABLE
        if name not in known:
            cr.execute(
                "INSERT INTO ir_module_module (name, state, create_uid, create_date)"
                " VALUES (%s, %s, 1, %s) ON CONFLICT (name) DO NOTHING",
                (name, state, cr.now()),
            )
        elif known[name] in (State.UNINSTALLED, State.UNINSTALLABLE) and known[name] != state:
            _set(cr, [name], state)
    gone = [n for n, s in known.items() if n not in found and s not in PRESENT]
    cr.execute("DELETE FROM ir_module_module WHERE name = ANY(%s)", (gone,))


def forget_found() -> None:
    """Look again at the next question: addons come and change while a process lives."""
    forget_found_addons()
    forget_manifests()


def readable_manifests() -> dict[str, Manifest]:
    """The manifests of all found addons; one that is broken keeps no other from being used."""
    manifests = {}
    for name in sorted(found_addons()):
        try:
            manifests[name] = manifest_of(name)
        except ManifestError as error:
            logger.warning("Addon left out", extra={"addon": name, "reason": str(error)})
    return manifests


def mark_install(cr: Cursor, wanted: Iterable[str], demo: bool) -> list[str]:
    """
    Mark addons, what they depend on, and what installs itself beside them.

    Raises:
        ModuleError: an addon is unknown, not installable, or lacks a dependency.
    """
    present = set(names(cr, *PRESENT))
    chosen = [name for name in closure(wanted) if name not in present]
    chosen += _auto_installed(present, chosen)
    for name in chosen:
        manifest = manifest_of(name)
        if not manifest.installable:
            raise ModuleError(
                f"The addon {name!r} cannot be installed: its manifest says installable: False."
            )
        manifest.check_external_dependencies()
    cr.execute(
        "UPDATE ir_module_module SET state = %s, demo = %s WHERE name = ANY(%s)",
        (State.TO_INSTALL, demo, chosen),
    )
    return chosen


def _auto_installed(present: set[str], chosen: list[str]) -> list[str]:
    """The addons that install themselves once all they depend on is there."""
    added: list[str] = []
    while True:
        there = present.union(chosen, added)
        more = [
            manifest.addon
            for manifest in readable_manifests().values()
            if manifest.auto_install
            and manifest.installable
            and manifest.addon not in there
            and there.issuperset(manifest.depends)
            and not set(chosen).union(added).isdisjoint(manifest.depends)
        ]
        if not more:
            return added
        added += more


def mark_update(cr: Cursor, wanted: Iterable[str]) -> list[str]:
    """
    Mark installed addons and all installed ones that depend on them.

    Raises:
        UnknownModuleError: one of them is not installed.
    """
    present = set(names(cr, *PRESENT))
    asked = {"base" if name == ALL else name for name in wanted}
    missing = sorted(asked - present)
    if missing:
        raise UnknownModuleError(
            f"Cannot update {', '.join(map(repr, missing))}: not installed in database "
            f"{cr.dbname!r}. Installed are: {', '.join(sorted(present))}."
        )
    chosen = sorted(with_dependents(asked, present))
    _set(cr, chosen, State.TO_UPGRADE)
    return chosen


def mark_remove(cr: Cursor, wanted: Iterable[str]) -> list[str]:
    """
    Mark installed addons and all installed ones that depend on them.

    Raises:
        ModuleError: `base` is among them, or one is not installed.
    """
    present = set(names(cr, *PRESENT))
    asked = set(wanted)
    if "base" in asked:
        raise ModuleError("The addon 'base' cannot be removed. Drop the database instead.")
    missing = sorted(asked - present)
    if missing:
        raise UnknownModuleError(
            f"Cannot remove {', '.join(map(repr, missing))}: not installed in {cr.dbname!r}."
        )
    chosen = sorted(with_dependents(asked, present))
    _set(cr, chosen, State.TO_REMOVE)
    return chosen


def with_dependents(asked: Iterable[str], present: Iterable[str]) -> set[str]:
    """*asked*, and those of *present* that need one of them, however far."""
    needed_by: dict[str, set[str]] = defaultdict(set)
    for name in present:
        manifest = _manifest_or_none(name)
        for needed in manifest.depends if manifest else ():
            needed_by[needed].add(name)
    found: set[str] = set()
    waiting = list(asked)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += needed_by[name]
    return found


def set_installed(cr: Cursor, name: str, version: str, version_before: str | None) -> None:
    """Note what an addon is now; the last scripts of its upgrade, where it is one, are to come."""
    cr.execute(
        "UPDATE ir_module_module SET state = %s, latest_version = %s, write_date = %s,"
        " end_scripts_from = COALESCE(end_scripts_from, %s) WHERE name = %s",
        (State.INSTALLED, version, cr.now(), version_before, name),
    )


def end_scripts_from(cr: Cursor) -> dict[str, str]:
    """The addons whose scripts of the stage `end` are to come, and the versions they are from."""
    cr.execute(
        "SELECT name, end_scripts_from FROM ir_module_module"
        " WHERE end_scripts_from IS NOT NULL AND state <> %s",
        (State.TO_REMOVE,),
    )
    return dict(cr.fetchall())


def note_end_scripts_ran(cr: Cursor, ran: Iterable[str]) -> None:
    cr.execute(
        "UPDATE ir_module_module SET end_scripts_from = NULL WHERE name = ANY(%s)", (list(ran),)
    )


def set_uninstalled(cr: Cursor, removed: list[str]) -> None:
    cr.execute(
        "UPDATE ir_module_module SET state = %s, latest_version = NULL, demo = NULL,"
        " end_scripts_from = NULL WHERE name = ANY(%s)",
        (State.UNINSTALLED, removed),
    )


def reset(cr: Cursor, *marks: State) -> None:
    """Take back marks, by default all: those of a load that failed."""
    cr.execute(
        "UPDATE ir_module_module SET state = CASE WHEN state = %s THEN %s ELSE %s END"
        " WHERE state = ANY(%s)",
        (
            State.TO_INSTALL,
            State.UNINSTALLED,
            State.INSTALLED,
            list(marks or (State.TO_INSTALL, State.TO_UPGRADE, State.TO_REMOVE)),
        ),
    )


def _set(cr: Cursor, chosen: list[str], state: State) -> None:
    cr.execute("UPDATE ir_module_module SET state = %s WHERE name = ANY(%s)", (state, chosen))


def _manifest_or_none(name: str) -> Manifest | None:
    try:
        return manifest_of(name)
    except (UnknownModuleError, ManifestError):
        return None
