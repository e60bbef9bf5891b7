"""The service `db`: databases listed and managed by the holder of the master password."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from threading import Lock
from typing import Any

from connector.core.exceptions import AccessDenied
from connector.server import databases, version
from connector.server.caller import Caller
from connector.server.errors import BadArgumentsError, DatabaseManagementError
from connector.server.master_password import MasterPassword
from connector.server.settings import Settings

#: Methods that ask for no master password.
FREE = ("db_exist", "list", "list_lang", "server_version")

GUARDED = (
    "change_admin_password",
    "create_database",
    "drop",
    "dump",
    "duplicate_database",
    "list_countries",
    "migrate_databases",
    "rename",
    "restore",
)


class DatabaseService:
    """Off unless `list_db` is set; behind the master password but for a few questions."""

    METHODS = (*FREE, *GUARDED)

    def __init__(self, settings: Settings, master_password: MasterPassword) -> None:
        self._settings = settings
        self._master_password = master_password
        #: One at a time: they wait for each other's sessions in any case.
        self._lock = Lock()

    def check(self, caller: Caller, method: str, args: Sequence[Any]) -> Sequence[Any]:
        """
        The arguments of a method without the master password, if the caller may call it.

        Raises:
            AccessDenied: the password is wrong, or management is off.
        """
        if method in FREE:
            return args
        if not self._settings.list_db:
            raise AccessDenied("Access denied: the management of databases is off.")
        if not args:
            raise BadArgumentsError(f"db.{method} needs the master password first.")
        self._master_password.check(args[0], caller.address)
        return args[1:]

    # -- without a password ---------------------------------------------------------------

    def db_exist(self, _caller: Caller, db_name: str) -> bool:
        return self._settings.may_call(db_name) and databases.exists(db_name)

    def list(self, _caller: Caller, _document: bool = False) -> Sequence[str]:
        if not self._settings.list_db:
            raise AccessDenied("Access denied: databases are not listed.")
        return databases.names()

    def list_lang(self, _caller: Caller) -> Sequence[Sequence[str]]:
        return databases.languages()

    def server_version(self, _caller: Caller) -> str:
        return version.SERVER_VERSION

    # -- with it --------------------------------------------------------------------------

    def list_countries(self, _caller: Caller) -> Sequence[Sequence[str]]:
        return databases.countries()

    def create_database(
        self,
        _caller: Caller,
        db_name: str,
        demo: bool,
        lang: str,
        user_password: str = "admin",  # noqa: S107 - the default of the API
        login: str = "admin",
        country_code: str | None = None,
        phone: str | None = None,
    ) -> bool:
        with self._lock:
            databases.create(db_name, bool(demo), lang, user_password, login, country_code, phone)
        return True

    def duplicate_database(
        self, _caller: Caller, source: str, db_name: str, neutralize_database: bool = False
    ) -> bool:
        """Copy a database. The copy is asleep in any case, so neutralizing is left to its owner."""
        if neutralize_database:
            raise DatabaseManagementError(
                "A duplicate is asleep: no job, cron or exporter runs in it. Duplicate it without "
                "neutralize_database, and use `connector neutralize` to take its secrets out."
            )
        with self._lock:
            databases.duplicate(source, db_name)
        return True

    def drop(self, _caller: Caller, db_name: str) -> bool:
        with self._lock:
            return db_name in databases.names() and databases.drop(db_name)

    def dump(self, _caller: Caller, db_name: str, format: str = "zip") -> str:
        with self._lock:
            content = databases.dump(db_name, format, self._settings.management_seconds)
        return base64.b64encode(content).decode()

    def restore(
        self, _caller: Caller, db_name: str, data: str | bytes, _copy: bool = False
    ) -> bool:
        """Make a database of a dump in base64. It is asleep, said to be a copy or not."""
        try:
            content = base64.b64decode(data)
        except (binascii.Error, ValueError, TypeError) as error:
            raise DatabaseManagementError(f"The dump is not in base64: {error}.") from None
        with self._lock:
            databases.restore(db_name, content, self._settings.management_seconds)
        return True

    def rename(self, _caller: Caller, old_name: str, new_name: str) -> bool:
        with self._lock:
            databases.rename(old_name, new_name)
        return True

    def migrate_databases(self, _caller: Caller, db_names: Sequence[str]) -> bool:
        with self._lock:
            databases.migrate(db_names)
        return True

    def change_admin_password(self, _caller: Caller, new_password: str) -> bool:
        with self._lock:
            self._master_password.change(new_password)
        return True
