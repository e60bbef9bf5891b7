"""
The server's own errors; what models raise comes from the core.

    CoreError
    |-- UnknownServiceError     KeyError        there is no service of that name
    |-- UnknownMethodError      AttributeError  the service or model has no such method
    |-- BadArgumentsError       TypeError       the arguments do not fit the method
    |-- SessionExpiredError                     the session cookie is not, or no longer, valid
    |-- CallTimeoutError                        the call took too long; it changed nothing
    |-- TooManyAttemptsError    (AccessDenied)  wrong passwords before; wait
    `-- DatabaseManagementError                 a database cannot be managed as asked
"""

from __future__ import annotations

from connector.core.exceptions import AccessDenied, CoreError


class UnknownServiceError(CoreError, KeyError):
    """There is no service of that name."""


class UnknownMethodError(CoreError, AttributeError):
    """The service or the model has no such method."""


class BadArgumentsError(CoreError, TypeError):
    """The arguments do not fit the method."""


class SessionExpiredError(CoreError):
    """The session cookie is not, or no longer, valid."""

    def __init__(self, message: str = "Session expired. Log in again.") -> None:
        super().__init__(message)


class CallTimeoutError(CoreError):
    """The call took too long; it changed nothing."""


class TooManyAttemptsError(AccessDenied):
    """Wrong passwords came before; the next one is looked at only after a while."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"Access denied: too many attempts. Wait {max(1, round(seconds))} seconds."
        )


class DatabaseManagementError(CoreError):
    """A database cannot be managed as asked."""
