"""Loads the addons of a database into a registry; installs, upgrades and removes on the way."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from connector.core import sql
from connector.core.environment import Environment
from connector.core.exceptions import DatabaseNotInitialisedError, ModuleError
from connector.core.modules import (
    data,
    graph,
    identity,
    imports,
    migration,
    removal,
    signaling,
    states,
)
from connector.core.modules.external_ids import ExternalIds
from connector.core.modules.graph import Graph, Node, nodes_with_states
from connector.core.modules.states import PRESENT, Changes, State
from connector.core.sql import locks

logger = logging.getLogger(__name__)

SUPERUSER_ID = 1
MISSING_TABLES = (
    "The database {!r} has no tables of the addon 'base'. Put them there with: connector db init {}"
)

#: class and object of the session lock that one changing process of a database holds
LOCK_CLASS, LOCK_OBJECT = 0x6D6F64, 1
LOCK_WAIT_SECONDS = 600.0
LOCK_POLL_SECONDS = 0.1

#: how long ALTER TABLE waits for those who use the table; they all wait behind it meanwhile
TABLE_WAIT = "10s"


def load_modules(
    registry: Any,
    force_demo: bool = False,
    update_module: bool = False,
    changes: Changes | None = None,
) -> None:
    """
    Fill a registry from the addons installed in its database.

    With *update_module* the states are followed and *changes* are made, addon by addon, each
    with its own commit; one process at a time does so. A failure takes the marks back.

    Raises:
        DatabaseNotInitialisedError: the database lacks the tables of `base`.
    """
    imports.install_aliases()
    changes = changes or Changes()
    if force_demo:
        changes = Changes(**{**vars(changes), "demo": True})
    with registry._db.cursor(sql.REPEATABLE_READ) as cr:
        if not update_module:
            _check_initialised(cr)
            Loading(registry, cr, changes).load_only()
            return
        with _one_at_a_time(cr):
            try:
                Loading(registry, cr, changes).load_and_change()
            except BaseException:
                _take_marks_back(cr)
                raise


class Loading:
    """One load: the registry being filled, the cursor, the graph of addons loaded so far."""

    def __init__(self, registry: Any, cr: sql.Cursor, changes: Changes) -> None:
        self.registry = registry
        self.cr = cr
        self.changes = changes
        self.graph = Graph()
        #: addons installed or upgraded by this load
        self.processed: list[str] = []
        #: models whose tables this load brought up to date
        self.updated_models: set[str] = set()
        #: those of them that an addon loaded later, and not processed, extends
        self.models_to_check: set[str] = set()

    # -- the two ways -------------------------------------------------------

    def load_only(self) -> None:
        """Load what is installed; nothing is written."""
        self._load_states(*PRESENT)
        self._finish()

    def load_and_change(self) -> None:
        """Load what is installed, then install, upgrade and remove what is asked for."""
        self._prepare_database()
        self._load(["base"])
        self._mark()
        self._load_states(*PRESENT)
        # New addons come last: their data may concern models that others extend.
        self._load_states(State.TO_INSTALL)
        self._complete()
        states.reset(self.cr, State.TO_INSTALL, State.TO_UPGRADE)  # those that could not be loaded
        if self._remove():
            return
        self._finish()

    # -- steps --------------------------------------------------------------

    def _prepare_database(self) -> None:
        if not states.is_initialised(self.cr):
            if not self.changes.initialise:
                _check_initialised(self.cr)
            states.create_tables(self.cr)
            signaling.create(self.cr)
            identity.remember(self.cr)
            # Nobody sees the sequences before the commit, so nobody can have advanced them.
            self.registry.registry_sequence, self.registry.cache_sequence = signaling.read(self.cr)
        states.synchronise(self.cr)
        if not states.rows(self.cr, PRESENT):
            states.mark_install(self.cr, ["base"], self.changes.demo)
        elif {"base", states.ALL} & set(self.changes.update):
            states.mark_update(self.cr, ["base"])

    def _mark(self) -> None:
        """Mark the rest; `base` may have installed itself just now."""
        if self.changes.install:
            states.mark_install(self.cr, self.changes.install, self.changes.demo)
        others = set(self.changes.update) - {"base", states.ALL}
        if others:
            states.mark_update(self.cr, others)
        if self.changes.uninstall:
            states.mark_remove(self.cr, self.changes.uninstall)
        self.cr.commit()

    def _load_states(self, *wanted: State) -> None:
        self._load(states.names(self.cr, *wanted))

    def _load(self, names: list[str]) -> None:
        before = {node.name for node in self.graph}
        left_over = self.graph.add(names)
        if left_over:
            # One may have been deployed since this process began.
            states.forget_found()
            left_over = self.graph.add(left_over)
        if left_over:
            logger.error(
                "Installed addons cannot be loaded, they or what they need is not found",
                extra={
                    "addons": left_over,
                    "database": self.cr.dbname,
                    "reason": _why_not(left_over),
                },
            )
            self._refuse_asked(left_over)
        nodes_with_states(self.graph, states.rows(self.cr, list(State)))
        for node in self.graph:
            if node.name not in before:
                self._load_node(node)

    def _refuse_asked(self, left_over: list[str]) -> None:
        """
        Raises:
            ModuleError: one of them is to be installed or updated by name.
        """
        asked = sorted({*self.changes.install, *self.changes.update} & set(left_over))
        if asked:
            graph.closure(asked)  # says what is missing, or which addons go in a circle

    def _load_node(self, node: Node) -> None:
        started = time.perf_counter()
        changing = node.state in (State.TO_INSTALL, State.TO_UPGRADE)
        version = node.installed_version
        if changing:
            migration.migrate(self.cr, node, version, "pre")
        package = imports.import_addon(node.manifest)
        if node.state == State.TO_INSTALL:
            _call(package, node, node.manifest.pre_init_hook, self.cr)
        model_names = self.registry.load(self.cr, node)
        self.registry.loaded_addons.append(node.name)
        self.registry._init_modules.add(node.name)
        if not changing:
            self.models_to_check |= self.updated_models.intersection(model_names)
        else:
            self.updated_models.update(model_names)
            self.models_to_check.difference_update(model_names)
            self._change_node(node, package, model_names)
            self.processed.append(node.name)
            logger.info(
                "Addon ready",
                extra={"addon": node.name, "seconds": round(time.perf_counter() - started, 3)},
            )

    def _change_node(self, node: Node, package: ModuleType, model_names: list[str]) -> None:
        version, new = node.installed_version, node.state == State.TO_INSTALL
        registry, cr = self.registry, self.cr
        registry.setup_models(cr)
        registry.init_models(cr, model_names, {"module": node.name})
        env = Environment(cr, SUPERUSER_ID, {})
        data.load_files(env, node, node.manifest.data, new=new, noupdate=False)
        if node.demo or (new and self.changes.demo):
            data.load_files(env, node, node.manifest.demo, new=new, noupdate=True)
        migration.migrate(cr, node, version, "post")
        if new:
            _call(package, node, node.manifest.post_init_hook, cr, registry)
        states.set_installed(cr, node.name, node.manifest.version, version)
        cr.commit()
        node.state, node.installed_version = State.INSTALLED, node.manifest.version

    def _complete(self) -> None:
        """
        After all addons: their last scripts, and the data that they have no more.

        The addons are committed, so a script that fails here is to come at the next change.
        """
        scripts_from = states.end_scripts_from(self.cr)
        if not self.processed and not scripts_from:
            return
        self.registry.setup_models(self.cr)
        if self.models_to_check:
            self.registry.init_models(
                self.cr, sorted(self.models_to_check), {"models_to_check": True}
            )
        due = [node for node in self.graph if node.name in scripts_from]
        for node in due:
            migration.migrate(self.cr, node, scripts_from[node.name], "end")
        states.note_end_scripts_ran(self.cr, [node.name for node in due])
        env = Environment(self.cr, SUPERUSER_ID, {})
        for model_name in sorted(self.updated_models):
            env[model_name]._drop_outdated()
        ExternalIds(env).delete_left_over(self.processed)
        self.cr.commit()

    def _remove(self) -> bool:
        """Remove what is marked, then build the registry once more; False if there is nothing."""
        doomed = set(states.names(self.cr, State.TO_REMOVE))
        if not doomed:
            return False
        self.registry.setup_models(self.cr)
        for node in reversed(list(self.graph)):
            if node.name in doomed:
                package = imports.import_addon(node.manifest)
                _call(package, node, node.manifest.uninstall_hook, self.cr, self.registry)
        removal.remove(Environment(self.cr, SUPERUSER_ID, {}), doomed)
        states.set_uninstalled(self.cr, sorted(doomed))
        self.cr.commit()
        Environment.reset()
        successor = type(self.registry).new(self.cr.dbname)
        successor.registry_invalidated = True
        return True

    def _finish(self) -> None:
        registry, cr = self.registry, self.cr
        registry.setup_models(cr)
        for field, reason in registry.left_out.items():
            logger.error("Custom field left out", extra={"field": field, "reason": reason})
        env = Environment(cr, SUPERUSER_ID, {})
        registry.loaded = True
        for model_name in registry.models:
            env[model_name]._register_hook()
        registry.module_states = signaling.module_states(cr)
        # Setting up is no change; only what was processed has to be told, or what somebody
        # who died after his commit has not told.
        registry.registry_invalidated = bool(self.processed) or not signaling.told(
            cr, registry.module_states
        )
        cr.commit()


@contextmanager
def _one_at_a_time(cr: sql.Cursor) -> Iterator[None]:
    """Wait for the process that changes the same database, then keep others out."""
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    while not locks.try_session_lock(cr, LOCK_CLASS, LOCK_OBJECT):
        cr.rollback()
        if time.monotonic() > deadline:
            raise ModuleError(
                f"Another process has been changing the addons of {cr.dbname!r} for "
                f"{LOCK_WAIT_SECONDS:.0f} s. Wait for it, or find it in pg_locks: it holds the "
                f"advisory lock of class {LOCK_CLASS}."
            )
        time.sleep(LOCK_POLL_SECONDS)
    cr.execute("SELECT set_config('lock_timeout', %s, false)", (TABLE_WAIT,))
    # The snapshot was taken before the lock was granted; what the other did is not in it.
    cr.commit()
    try:
        yield
    finally:
        if not cr.connection.closed:
            cr.rollback()
            cr.execute("RESET lock_timeout")
            cr.commit()
            locks.release_session_lock(cr, LOCK_CLASS, LOCK_OBJECT)


def _take_marks_back(cr: sql.Cursor) -> None:
    """Undo the load that failed, while the lock is still held."""
    if cr.connection.closed:
        return  # the marks stay for the next load, which resets or follows them
    cr.rollback()
    if states.is_initialised(cr):
        states.reset(cr)
        cr.commit()


def _check_initialised(cr: sql.Cursor) -> None:
    if not states.is_initialised(cr):
        raise DatabaseNotInitialisedError(MISSING_TABLES.format(cr.dbname, cr.dbname))


def _why_not(left_over: list[str]) -> str:
    """Why addons cannot be put in order: what they need is missing, or they go in a circle."""
    try:
        graph.closure(left_over)
    except ModuleError as error:
        return str(error)
    return "what they need is not installed"


def _call(package: ModuleType, node: Node, hook: str | None, *args: Any) -> None:
    """Call a hook that the manifest names; what it raises tells so in a note."""
    if hook is None:
        return
    function = imports.hook_of(package, node.manifest, hook)
    try:
        function(*args)
    except Exception as error:
        error.add_note(f"Raised by the hook {hook!r} of the addon {node.name!r}.")
        raise
