"""One open database: its cursor, its environment, and the version written in it."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from typing import Any

from connector.config import current
from connector.core.environment import Environment
from connector.core.exceptions import UnknownModelError
from connector.core.registry import SUPERUSER_ID, Registry
from connector.runtime.version import OpenERPVersion

logger = logging.getLogger(__name__)

#: Parameter of the database that holds the version it was upgraded to last.
DB_VERSION_PARAMETER = "buildout.db_version"

_SET_BY_OPEN = ("uid", "env", "context")


class DatabaseAccess:
    """What a session has while a database is open; `Session` opens and closes it."""

    #: the open cursor, or the one closed last
    cr: Any
    uid: int
    env: Any
    context: dict[str, Any]

    def __init__(self) -> None:
        self.cr = None
        self._database: str | None = None
        self._environments: AbstractContextManager[None] | None = None
        self._was_ready = False
        self._db_version: OpenERPVersion | None = None

    def __getattr__(self, name: str) -> Any:
        if name in _SET_BY_OPEN:
            raise AttributeError(
                f"A session has no {name!r} before a database is open: call open()."
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    # -- cursor and environment -----------------------------------------------------------

    def ready(self) -> bool:
        """Whether a database was loaded, even if it was closed since."""
        return self._was_ready

    def is_cursor_closed(self) -> bool:
        return self.cr is None or bool(self.cr.closed)

    def init_cursor(self) -> None:
        """
        Open a new cursor on the database in the place of the one before.

        `clean_environments` gives an `env` on it.
        """
        if not self.is_cursor_closed():
            self.cr.close()
        name = self._current_database("init_cursor", None)
        self.cr = Registry(name).cursor(current().isolation_level)

    def rollback(self) -> None:
        """Undo the transaction, and begin with fresh environments."""
        self.cr.rollback()
        self.clean_environments()

    def init_environments(self) -> None:
        """
        Enter the context that environments live in, without leaving it.

        `open` and what changes the registry do so. Twice is fine.
        """
        if self._environments is None:
            self._environments = Environment.manage()
            self._environments.__enter__()

    def clean_environments(self, reinit: bool = True) -> None:
        """
        Leave that context, and with *reinit* enter a new one, with a new `env`.

        Nothing is done where it was not entered.
        """
        if self._environments is None:
            return
        left, self._environments = self._environments, None
        left.__exit__(None, None, None)
        if reinit:
            self.init_environments()
            Environment.reset()  # around this one, a caller may have a context of its own
            if not self.is_cursor_closed():
                self.env = Environment(self.cr, self.uid, self.context)

    # -- records --------------------------------------------------------------------------

    def registry(self, model: str) -> Any:
        """
        The model of that name, as an empty recordset in `env`.

        `res_users` is taken for `res.users` where one model alone fits.

        Raises:
            UnknownModelError: no model of that name, or several fit.
        """
        if model not in self.env:
            plain = model.replace(".", "_")
            fitting = sorted(name for name in self.env if name.replace(".", "_") == plain)
            if len(fitting) > 1:
                raise UnknownModelError(
                    f"Several models fit {model!r} in database {self._database!r}: "
                    f"{', '.join(fitting)}. Write one of them out."
                )
            model = fitting[0] if fitting else model
        return self.env[model]

    def ref(self, xmlid: str) -> int:
        """
        The id of the record with an external id, `addon.name`.

        Raises:
            ValueError: it has no dot, or there is no such record.
        """
        return int(self.browse_ref(xmlid).id)

    def browse_ref(self, xmlid: str) -> Any:
        """The record with an external id; errors as of `ref`."""
        return self.env.ref(xmlid)

    # -- version ---------------------------------------------------------------------------

    @property
    def db_version(self) -> OpenERPVersion | None:
        """
        The version that the database was upgraded to last; None where none was written.

        What is set is part of the transaction: the caller commits it.
        """
        if self._db_version is None:
            text = self.env["ir.config_parameter"].get_param(DB_VERSION_PARAMETER)
            self._db_version = OpenERPVersion(text) if text else None
        return self._db_version

    @db_version.setter
    def db_version(self, version: object) -> None:
        text = None if version is None else str(version)
        self.env["ir.config_parameter"].set_param(DB_VERSION_PARAMETER, text)
        self._db_version = OpenERPVersion(text) if text else None
        self.cr.postrollback.add(self._forget_db_version)

    def _forget_db_version(self) -> None:
        self._db_version = None

    # -- parts ----------------------------------------------------------------------------

    def _enter(self, name: str) -> None:
        """Have cursor and environment on a database whose tables are there."""
        registry = Registry(name).check_signaling()
        self._database = name
        try:
            if registry.asleep():
                logger.warning(
                    "Database %r is a copy and asleep: no job, cron or exporter runs. "
                    "Use `connector adopt %s` or `connector neutralize %s`.", name, name, name
                )  # fmt: skip
            self.init_cursor()
            self.uid = SUPERUSER_ID
            self.init_environments()
            self.context = Environment(self.cr, self.uid, {})["res.users"].context_get()
            self.env = Environment(self.cr, self.uid, self.context)
        except BaseException:
            self._leave()
            raise
        self._was_ready = True

    def _leave(self) -> None:
        if not self.is_cursor_closed():
            self.cr.close()
        self.clean_environments(reinit=False)
        self._forget_db_version()
        self._database = None

    def _current_database(self, method: str, db: str | None) -> str:
        name = db or self._database
        if name is None:
            raise ValueError(
                f"{method} needs either the session to be opened or an explicit database name"
            )
        return name
