"""
Who a caller is: passwords and API keys, checked at each call.

A password is hashed to be slow, so one that was found right is known again by a keyed digest.
It stays valid as long as the stored hash is the very one it was found right for: that hash is
read at each call, so a change by anybody, in any process, ends it at once.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

from connector.core.exceptions import AccessDenied
from connector.server.attempts import Attempts

#: One hashing takes 64 MiB and a core; guessers must not take more than this of the machine.
HASHINGS_AT_ONCE = 2

#: An address may be that of a whole office.
FREE_ATTEMPTS_OF_ADDRESS = 50

_USER = "SELECT id, active, password_crypt FROM res_users WHERE id = %s"
_USER_OF_LOGIN = "SELECT id, active, password_crypt FROM res_users WHERE login = %s"

#: id of the user, whether active, stored hash
_Row = tuple[int, bool, str | None]


class Passwords:
    """Answers whether a password is right; holds no password, and no thread of a guesser."""

    def __init__(self, is_caching: bool = True) -> None:
        self._is_caching = is_caching
        self._key = secrets.token_bytes(32)
        self._of_user = Attempts()
        self._of_address = Attempts(FREE_ATTEMPTS_OF_ADDRESS)
        self._hashing = BoundedSemaphore(HASHINGS_AT_ONCE)

    def login(self, env: Any, login: str, password: str, address: str) -> int:
        """
        The id of the user who has this login and password; *env* is the superuser's.

        Raises:
            AccessDenied: there is none.
        """
        _check_form(password)
        row = self._row(env, _USER_OF_LOGIN, str(login))
        if self._is_known(env, row, password):
            return row[0]  # type: ignore[index]
        with self._slowed(env, str(login), address):
            uid = _user_of_key(env, password)
            if uid is not None and row is not None and uid == row[0]:
                return uid
            found: int = env["res.users"].authenticate(login, password)
            self._remember(env, row, password)
            return found

    def check(self, env: Any, uid: int, password: str, address: str) -> None:
        """
        Let the user of this id and password pass.

        Raises:
            AccessDenied: the password is wrong, or the user gone or archived.
        """
        _check_form(password)
        row = self._row(env, _USER, uid)
        if self._is_known(env, row, password):
            return
        with self._slowed(env, uid, address):
            if row is None or not row[1]:
                raise AccessDenied()
            if _user_of_key(env, password) == uid:
                return
            env["res.users"].browse(uid)._check_credentials(password)
            self._remember(env, row, password)

    def user_of_key(self, env: Any, key: str, address: str) -> int:
        """
        The id of the user of an API key.

        Raises:
            AccessDenied: it is nobody's, or no longer valid.
        """
        _check_form(key)
        with self._of_address.attempt(address):
            uid = _user_of_key(env, key)
            if uid is None:
                raise AccessDenied("Access denied: the API key is not, or no longer, valid.")
            return uid

    def _row(self, env: Any, query: str, value: Any) -> _Row | None:
        env.cr.execute_unflushed(query, (value,))
        row: _Row | None = env.cr.fetchone()
        return row

    # -- known passwords ------------------------------------------------------------------

    def _is_known(self, env: Any, row: _Row | None, password: str) -> bool:
        if row is None:
            return False
        uid, active, stored = row
        if not active or not stored:
            return False
        known = env.registry.cache.get(("password", uid))
        return (
            known is not None
            and known[1] == stored
            and hmac.compare_digest(known[0], self._digest(env, uid, password))
        )

    def _remember(self, env: Any, row: _Row | None, password: str) -> None:
        if self._is_caching and row is not None and row[2]:
            # In the registry's cache, which a signal of any process empties too.
            digest = self._digest(env, row[0], password)
            env.registry.cache[("password", row[0])] = digest, row[2]

    def _digest(self, env: Any, uid: int, password: str) -> bytes:
        text = f"{env.cr.dbname}\0{uid}\0{password}"
        return hmac.digest(self._key, text.encode(), hashlib.sha256)

    # -- guessing -------------------------------------------------------------------------

    @contextmanager
    def _slowed(self, env: Any, who: int | str, address: str) -> Iterator[None]:
        user = env.cr.dbname, who, address
        with self._of_address.attempt(address), self._of_user.attempt(user), self._hashing:
            yield


def _check_form(password: Any) -> None:
    """No password that has no bytes, or is none: nobody can have it."""
    if not isinstance(password, str) or not password or "\0" in password:
        raise AccessDenied()
    try:
        password.encode()
    except UnicodeEncodeError:
        raise AccessDenied() from None


def _user_of_key(env: Any, key: str) -> int | None:
    """The user of an API key, which may stand in the place of a password."""
    if "res.users.apikeys" not in env.registry:
        return None
    uid: int | None = env["res.users.apikeys"]._user_of(key, scope="rpc")
    return uid
