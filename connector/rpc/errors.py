"""
The one error of the client.

    RuntimeError
    └── RPCError      kind: SERVER | HTTP | PROTOCOL | UNREACHED | LOST
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What went wrong, and with it what a caller may do next."""

    SERVER = "server"  #: the server took the call and answered with an error
    HTTP = "http"  #: an HTTP status stood where an answer belongs
    PROTOCOL = "protocol"  #: what came back is not the answer to what was asked
    UNREACHED = "unreached"  #: nothing was sent, so repeating is safe
    LOST = "lost"  #: sent, but no whole answer came: the outcome is unknown


class RPCError(RuntimeError):
    """
    A call of the external API gave no result.

    The message names the call and the server and holds no secret: passwords
    are hidden in it, in `data` and in `remote_traceback`.
    """

    def __init__(
        self,
        message: str,
        code: int | None = None,
        data: Any = None,
        remote_traceback: str | None = None,
        kind: Kind = Kind.PROTOCOL,
    ) -> None:
        super().__init__(message)
        self.message = message
        #: the server's error code, or the HTTP status for `Kind.HTTP`
        self.code = code
        #: what the server said of its error: name, message, arguments, context
        self.data = data
        #: the traceback of the server, as text
        self.remote_traceback = remote_traceback
        self.kind = kind

    @property
    def retry_after_seconds(self) -> float | None:
        """How long a busy server asks to wait, if it does."""
        seconds = self.data.get("retry_after") if isinstance(self.data, dict) else None
        return seconds if isinstance(seconds, float) else None

    @property
    def name(self) -> str | None:
        """The class of the server's error, such as `odoo.exceptions.AccessError`."""
        name = self.data.get("name") if isinstance(self.data, dict) else None
        return name if isinstance(name, str) else None

    def __reduce__(self) -> tuple[Any, ...]:
        # BaseException would be rebuilt from the message alone.
        values = (self.message, self.code, self.data, self.remote_traceback, self.kind)
        return type(self), values
