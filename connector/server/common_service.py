"""The service `common`: what there is, and who may log in."""

from __future__ import annotations

from typing import Any

from connector.core.exceptions import AccessDenied
from connector.server import version
from connector.server.caller import Caller
from connector.server.objects import Objects

ABOUT = "See https://www.odoo.com/documentation/17.0/developer/reference/external_api.html"


class CommonService:
    """Answers before anybody has logged in."""

    METHODS = ("about", "authenticate", "login", "set_loglevel", "version")

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def version(self, _caller: Caller) -> dict[str, Any]:
        return version.described()

    def about(self, _caller: Caller, extended: bool = False) -> Any:
        return [ABOUT, version.SERVER_VERSION] if extended else ABOUT

    def login(self, caller: Caller, db: str, login: str, password: str) -> int | bool:
        return self.authenticate(caller, db, login, password, {})

    def authenticate(
        self, caller: Caller, db: str, login: str, password: str, user_agent_env: Any = None
    ) -> int | bool:
        """The id of the user, or False; the environment of the caller's program is not used."""
        try:
            return self._objects.login(caller, db, login, password)
        except AccessDenied:
            return False

    def set_loglevel(self, _caller: Caller, _level: Any, _logger: Any = None) -> bool:
        """Accepted for old callers, and not followed: nobody is logged in here."""
        return True
