"""Finds the method of a service; every protocol calls through here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from connector.server.caller import Caller
from connector.server.common_service import CommonService
from connector.server.database_service import DatabaseService
from connector.server.deadline import Deadline
from connector.server.errors import BadArgumentsError, UnknownMethodError, UnknownServiceError
from connector.server.master_password import MasterPassword
from connector.server.objects import Objects
from connector.server.settings import Settings

COMMON, DB, OBJECT = "common", "db", "object"
SERVICES = (COMMON, DB, OBJECT)


class Dispatcher:
    """The three services of the external API, apart from HTTP."""

    def __init__(self, settings: Settings, master_password: MasterPassword) -> None:
        self.settings = settings
        self.objects = Objects(settings)
        self._common = CommonService(self.objects)
        self.databases = DatabaseService(settings, master_password)

    def dispatch(
        self,
        caller: Caller,
        service: Any,
        method: Any,
        args: Sequence[Any],
        deadline: Deadline | None = None,
    ) -> Any:
        """
        Call a method of a service with its arguments.

        Raises:
            UnknownServiceError, UnknownMethodError, BadArgumentsError: there is nothing to call.
            Exception: whatever the method raises.
        """
        if not isinstance(args, list | tuple):
            raise BadArgumentsError(f"{service}.{method}: the arguments are a list.")
        if service == OBJECT:
            return self._object(caller, method, args, deadline)
        if service == COMMON:
            return _call(self._common, COMMON, method, [caller, *args])
        if service == DB:
            _function(self.databases, DB, method)
            rest = self.databases.check(caller, method, args)
            return _call(self.databases, DB, method, [caller, *rest])
        raise UnknownServiceError(
            f"There is no service {service!r}. The services are {', '.join(SERVICES)}."
        )

    def _object(
        self, caller: Caller, method: Any, args: Sequence[Any], deadline: Deadline | None
    ) -> Any:
        if method not in ("execute", "execute_kw"):
            raise UnknownMethodError(f"Method not available {method}")
        if len(args) < 5:
            raise BadArgumentsError(
                f"object.{method} takes database, user id, password, model, method and arguments."
            )
        database, uid, password, model, name, *rest = args
        positional, named = rest, None
        if method == "execute_kw":
            if len(rest) > 2:
                raise BadArgumentsError("object.execute_kw takes at most 7 arguments.")
            positional = rest[0] if rest else []
            named = rest[1] if len(rest) > 1 else None
        return self.objects.execute_kw(
            caller, database, uid, password, model, name, positional, named, deadline
        )


def _call(service: Any, name: str, method: Any, args: Sequence[Any]) -> Any:
    function = _function(service, name, method)
    try:
        inspect.signature(function).bind(*args)
    except TypeError as error:
        raise BadArgumentsError(f"{name}.{method}: {error}.") from None
    return function(*args)


def _function(service: Any, name: str, method: Any) -> Callable[..., Any]:
    if method not in service.METHODS:
        raise UnknownMethodError(f"Method not found: {name}.{method}")
    function: Callable[..., Any] = getattr(service, method)
    return function
