"""The service `object`: methods of models, called as a user, in a transaction of their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from connector.core.exceptions import AccessDenied, DatabaseMissingError, UserError
from connector.server import callable_methods
from connector.server.caller import Caller
from connector.server.deadline import Deadline
from connector.server.errors import BadArgumentsError
from connector.server.gate import Gate, changes_models
from connector.server.passwords import Passwords
from connector.server.settings import Settings
from connector.server.transactions import in_transaction

Result = TypeVar("Result")


class Objects:
    """Logs callers in and calls methods for them; knows nothing of HTTP."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.passwords = Passwords(settings.caches_passwords)
        self._gates: defaultdict[str, Gate] = defaultdict(Gate)

    def run(
        self,
        database: Any,
        work: Callable[[Any], Result],
        deadline: Deadline | None,
        alone: bool = False,
    ) -> Result:
        """Do *work* in a transaction of a database that callers may reach."""
        if not isinstance(database, str) or not self._settings.may_call(database):
            raise DatabaseMissingError(f"There is no database {database!r} here.")
        limit = deadline or Deadline(self._settings.call_seconds)
        with self._gates[database].entered(alone, limit.seconds):
            return in_transaction(database, work, limit, self._settings.isolation_level)

    def login(
        self,
        caller: Caller,
        database: str,
        login: str,
        password: str,
        deadline: Deadline | None = None,
    ) -> int:
        """
        The id of the user who has this login and password.

        Raises:
            AccessDenied: there is none.
        """

        def work(env: Any) -> int:
            return self.passwords.login(env, login, password, caller.address)

        return self.run(database, work, deadline)

    def execute_kw(
        self,
        caller: Caller,
        database: str,
        uid: int,
        password: str,
        model: str,
        method: str,
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        deadline: Deadline | None = None,
    ) -> Any:
        """
        Call a public method of a model as the user of that id and password.

        Raises:
            AccessDenied: the password is wrong.
            UserError: there is no such model.
            AccessError: the method is private, or the user may not do it.
        """
        number = _user_id(uid)

        def check(env: Any) -> None:
            self.passwords.check(env, number, password, caller.address)

        return self.call(database, number, check, model, method, args, kwargs, deadline)

    def call(
        self,
        database: str,
        uid: int,
        check: Callable[[Any], None],
        model: str,
        method: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any] | None,
        deadline: Deadline | None,
    ) -> Any:
        """Call a method as a user whom *check*, given the superuser's environment, lets pass."""
        if not isinstance(args, list | tuple) or not isinstance(kwargs or {}, Mapping):
            raise BadArgumentsError("Arguments are a list, named ones a dictionary.")

        def work(env: Any) -> Any:
            check(env)
            if model not in env.registry:
                raise UserError(f"Object {model} doesn't exist")
            # Copies: a method may change what it is given, and the next try needs it as it was.
            given, named = _copied(args), _copied(kwargs or {})
            return callable_methods.call(env(user=uid)[model], method, given, named)

        return self.run(database, work, deadline, alone=changes_models(model, method))


def _copied(value: Any) -> Any:
    """A copy of the lists and dictionaries that calls are made of; what is in them is constant."""
    if isinstance(value, list | tuple):
        return [_copied(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return value


def _user_id(uid: Any) -> int:
    try:
        return int(uid)
    except (TypeError, ValueError):
        raise AccessDenied() from None
