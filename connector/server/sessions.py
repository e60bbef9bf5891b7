"""The sessions of the web routes: who has logged in, by the token in a cookie."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

from connector.server.errors import SessionExpiredError

MOST_SESSIONS = 10_000

_USER = "SELECT password_crypt FROM res_users WHERE id = %s AND active"


@dataclass
class WebSession:
    """One login: it lasts as long as the password that it was made with."""

    database: str
    uid: int
    login: str
    fingerprint: bytes
    last_used: float = 0.0

    def check(self, env: Any) -> None:
        """
        Let the user pass who is still there, with the password of the login.

        Raises:
            SessionExpiredError: password or active flag were changed, by whomever.
        """
        if fingerprint(env, self.uid) != self.fingerprint:
            raise SessionExpiredError()


def fingerprint(env: Any, uid: int) -> bytes:
    """What changes with the user's password; empty for a user who may not log in."""
    env.cr.execute_unflushed(_USER, (uid,))
    row = env.cr.fetchone()
    return hashlib.sha256(str(row[0]).encode()).digest() if row and row[0] else b""


class Sessions:
    """Sessions by their tokens, of which only digests are kept; the least used go first."""

    def __init__(self, idle_seconds: float) -> None:
        self._idle_seconds = idle_seconds
        self._sessions: OrderedDict[bytes, WebSession] = OrderedDict()
        self._lock = Lock()

    def open(self, session: WebSession) -> str:
        """Keep a session; returns its token."""
        token = secrets.token_urlsafe(32)
        session.last_used = time.monotonic()
        with self._lock:
            self._sessions[_digest(token)] = session
            while len(self._sessions) > MOST_SESSIONS:
                self._sessions.popitem(last=False)
        return token

    def find(self, token: str | None) -> WebSession:
        """
        The session of a token.

        Raises:
            SessionExpiredError: there is none, or it was idle for too long.
        """
        now = time.monotonic()
        with self._lock:
            key = _digest(token or "")
            session = self._sessions.get(key)
            if session is None or now - session.last_used > self._idle_seconds:
                self._sessions.pop(key, None)
                raise SessionExpiredError()
            session.last_used = now
            self._sessions.move_to_end(key)
            return session

    def close(self, token: str | None) -> None:
        """Forget a session, if it is there."""
        with self._lock:
            self._sessions.pop(_digest(token or ""), None)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
