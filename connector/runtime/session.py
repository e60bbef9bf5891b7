"""The session of a script: server-level access to one database at a time."""

from __future__ import annotations

import logging
import os
from collections.abc import Container, Iterable
from contextlib import suppress
from functools import cached_property
from types import TracebackType
from typing import Self

from connector import config
from connector.core import modules as addons
from connector.core import sql
from connector.core.exceptions import DatabaseExistsError, DatabaseMissingError
from connector.core.modules.states import ALL, is_initialised
from connector.core.registry import Registry
from connector.runtime import command_line, logs, servers, version_file
from connector.runtime.access import DatabaseAccess
from connector.runtime.version import OdooVersion, OpenERPVersion

__all__ = ["OdooVersion", "OpenERPVersion", "Session"]

logger = logging.getLogger(__name__)


class Session(DatabaseAccess):
    """
    Access to one database for a script; one instance is enough for a process.

    `open` a database, work with `env`, `registry` and `cr`, and commit: transactions belong to
    the caller, and `close` commits nothing. As a context manager it closes itself.

    *conffile* is the INI file to read, None for none. With *parse_config* false, the
    configuration in use in this process stays. *buildout_dir* is the directory of the deployed
    system. A database that is missing is created where the server is the embedded one, or where
    *create* says so.
    """

    def __init__(
        self,
        conffile: str | os.PathLike[str] | None,
        buildout_dir: str | os.PathLike[str],
        parse_config: bool = True,
        *,
        create: bool = False,
    ) -> None:
        super().__init__()
        self.openerp_config_file = conffile
        self.buildout_dir = buildout_dir
        self.create = create
        self._settings = config.Config.load(conffile=conffile) if parse_config else None
        if self._settings is not None:
            config.use(self._settings)
        #: whether `open` found a database without the tables of `base`
        self.is_initialization = False
        #: whether addons that this session installs get demonstration data
        self.with_demo = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Session on {self._database!r}>" if self._database else "<Session, closed>"

    # -- life -----------------------------------------------------------------------------

    def open(self, db: str | None = None, with_demo: bool | None = False) -> None:
        """
        Load a database; without *db* the configured one, else the one that the server's URL names.

        An empty database gets the addon `base`. *with_demo* decides on demonstration data, for
        it and for what is installed until the next `open`; None follows the configuration.
        A database that is open already is closed.

        Raises:
            DatabaseMissingError: there is no such database, and this session may not create it.
        """
        self.close()
        if self._settings is not None:
            config.use(self._settings)  # another session may have used its own since
        settings = config.current()
        servers.hold(settings)
        logs.configure_where_unset(settings)
        name = db or settings.db_name or sql.default_database()
        self._ensure_database(name)
        self.with_demo = not settings.without_demo if with_demo is None else bool(with_demo)
        with sql.connect(name).cursor(sql.READ_COMMITTED) as cr:
            self.is_initialization = not is_initialised(cr)
        if self.is_initialization:
            addons.initialise(name, demo=self.with_demo)
        self._enter(name)

    def close(self) -> None:
        """
        Close the cursor and forget the database; another one may be opened then.

        What is not committed is lost. A session that is not open stays as it is.
        """
        if self._database is None:
            return
        name = self._database
        self._leave()
        Registry.delete(name)

    # -- versions -------------------------------------------------------------------------

    @property
    def version_file_path(self) -> str:
        """The file that holds the version of the code."""
        return version_file.path_in(self.buildout_dir)

    @cached_property
    def package_version(self) -> OpenERPVersion | None:
        """
        The version of the code: the first line of the file that says something.

        What follows a `#` is a comment. None where the file cannot be read or says nothing.
        """
        text = version_file.read(self.version_file_path)
        return OpenERPVersion(text) if text else None

    @staticmethod
    def parse_version_string(vstring: str) -> OpenERPVersion:
        """The version that a text names; scripts need not know where its class is."""
        return OpenERPVersion(vstring)

    # -- addons ---------------------------------------------------------------------------

    def update_modules_list(self) -> None:
        """Look for new addons; the caller commits."""
        self.env["ir.module.module"].update_list()

    def update_modules(self, modules: Iterable[str], db: str | None = None) -> None:
        """
        Update addons, and those that depend on them; `all` stands for every installed one.

        Those not installed are ignored. With *db* that database is opened and stays open.
        The cursor is closed and another one opened: what is not committed is lost.
        After an error the session is closed.

        Raises:
            ValueError: no database is open and none is named.
        """
        names = _as_names(modules)
        name = self._current_database("update_modules", db)
        if name != self._database:
            self.open(name)
        self._leave()
        installed = {ALL, *addons.installed(name)}
        ignored = sorted(set(names) - installed)
        if ignored:
            logger.info("Not updated, since not installed: %s", ", ".join(ignored))
        wanted = [module for module in names if module in installed]
        if wanted:
            addons.update(name, wanted)
        self._enter(name)

    def install_modules(
        self,
        modules: Iterable[str],
        db: str | None = None,
        update_modules_list: bool = True,
        open_with_demo: bool | None = False,
    ) -> None:
        """
        Install addons and what they depend on, with demonstration data as `open` was told.

        With *db* that database is opened with *open_with_demo*, if it is not open yet, and stays
        open. With *update_modules_list* the list of addons is renewed and the transaction
        committed before. Then the cursor is closed and another one opened: what is not committed
        is lost. After an error the session is closed.

        Raises:
            ValueError: no database is open and none is named.
            UnknownModuleError, UnmetDependencyError: nothing is installed.
        """
        names = _as_names(modules)
        name = self._current_database("install_modules", db)
        if name != self._database:
            self.open(name, with_demo=open_with_demo)
        if update_modules_list:
            self.update_modules_list()
            self.cr.commit()
        self._leave()
        addons.install(name, names, demo=self.with_demo)
        self._enter(name)

    # -- command line ---------------------------------------------------------------------

    def handle_command_line_options(self, to_handle: Container[str]) -> None:
        """
        Take what stands before `--` off the command line; with `-d` in *to_handle*, open.

        Raises:
            SystemExit: an option there is not handled, or asks for help.
        """
        command_line.handle(to_handle, lambda db: self.open(db, with_demo=False))

    # -- parts ----------------------------------------------------------------------------

    def _ensure_database(self, name: str) -> None:
        if sql.database_exists(name):
            return
        if not self.create and not servers.is_embedded(config.current()):
            raise DatabaseMissingError(
                f"There is no database {name!r} on the server at {sql.current_server().place}. "
                f"Name another one, or create it with --create or: connector db init {name}"
            )
        # Another process may create it at this moment.
        with suppress(DatabaseExistsError):
            sql.create_database(name)


def _as_names(modules: Iterable[str]) -> list[str]:
    if isinstance(modules, str):
        raise TypeError(f"A list of addons is needed, not the text {modules!r}: [{modules!r}].")
    return list(modules)
