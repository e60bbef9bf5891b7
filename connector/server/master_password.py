"""The master password: it guards the management of databases, and may be changed over the API."""

from __future__ import annotations

import hmac
import os
import re
import tempfile
from pathlib import Path
from threading import Lock

import argon2

from connector.config import Config
from connector.core.exceptions import AccessDenied
from connector.server.attempts import Attempts
from connector.server.errors import DatabaseManagementError

KEY = "admin_passwd"
HASH_MARK = "$argon2"
_LINE = re.compile(rf"(?mi)^[ \t]*{KEY}[ \t]*[=:].*$")
_FROM_FILE = re.compile(r"(?P<path>.+) \[options\]\Z")

_hasher = argon2.PasswordHasher()


class MasterPassword:
    """`admin_passwd` of the configuration, plain or as an Argon2 hash; without it nobody passes."""

    def __init__(self, value: str | None, source: str = "") -> None:
        self._value = value
        self._source = source
        self._attempts = Attempts()
        self._lock = Lock()

    @classmethod
    def of(cls, config: Config) -> MasterPassword:
        return cls(config.admin_passwd, config.sources.get(KEY, ""))

    def check(self, given: object, address: str) -> None:
        """
        Let the holder of the master password pass.

        Raises:
            AccessDenied: it is another one, or none is set.
        """
        with self._attempts.attempt(address):
            if not self._value or not isinstance(given, str) or not self._is_right(given):
                raise AccessDenied("Access denied: wrong master password, or none is set.")

    def _is_right(self, given: str) -> bool:
        assert self._value is not None
        if not self._value.startswith(HASH_MARK):
            return hmac.compare_digest(given.encode(errors="replace"), self._value.encode())
        with self._lock:  # one hashing at a time: it takes memory
            try:
                return _hasher.verify(self._value, given)
            except (argon2.exceptions.Argon2Error, UnicodeEncodeError):
                return False

    def change(self, new: str) -> None:
        """
        Take another master password, and keep its hash in the configuration's file.

        Raises:
            DatabaseManagementError: it is empty, or the old one does not come from a file.
        """
        if not isinstance(new, str) or not new:
            raise DatabaseManagementError("The new master password is empty. Choose another one.")
        match = _FROM_FILE.match(self._source)
        if match is None:
            raise DatabaseManagementError(
                f"The master password comes from {self._source or 'nowhere'}, where the server "
                f"cannot change it. Change it there, or set {KEY} in a configuration file."
            )
        hashed = _hasher.hash(new)
        _replace_in(Path(match["path"]), hashed)
        self._value = hashed


def _replace_in(path: Path, hashed: str) -> None:
    """Change the one line of the file, its comments and its mode kept, all at once."""
    path = path.expanduser()
    try:
        text, count = _LINE.subn(lambda _: f"{KEY} = {hashed}", path.read_text(encoding="utf-8"))
        if count != 1:
            raise DatabaseManagementError(
                f"{path} has {count} lines for {KEY}. Leave it one, and try again."
            )
        number, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(number, "w", encoding="utf-8") as stream:
            os.fchmod(number, path.stat().st_mode & 0o777)
            stream.write(text)
        os.replace(aside, path)
    except OSError as error:
        raise DatabaseManagementError(
            f"The configuration file {path} cannot be written: {error.strerror}. "
            "Change the master password there by hand."
        ) from error
