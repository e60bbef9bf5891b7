"""
Errors as each protocol tells them.

Clients tell errors apart by the names that real servers give them, so those stand for the core's.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Collection
from typing import Any
from xmlrpc.client import Fault

from connector.core import exceptions as core
from connector.rpc.redaction import redact
from connector.server.errors import (
    BadArgumentsError,
    SessionExpiredError,
    UnknownMethodError,
    UnknownServiceError,
)

#: class -> its name for clients; an error has the name of its nearest class here, else its own
_NAMES: dict[type[BaseException], str] = {
    core.UserError: "odoo.exceptions.UserError",
    core.AccessError: "odoo.exceptions.AccessError",
    core.MissingError: "odoo.exceptions.MissingError",
    core.ValidationError: "odoo.exceptions.ValidationError",
    core.AccessDenied: "odoo.exceptions.AccessDenied",
    core.RedirectWarning: "odoo.exceptions.RedirectWarning",
    core.DatabaseExistsError: "odoo.service.db.DatabaseExists",
    SessionExpiredError: "odoo.http.SessionExpiredException",
    UnknownServiceError: "builtins.KeyError",
    UnknownMethodError: "builtins.AttributeError",
    BadArgumentsError: "builtins.TypeError",
}

SERVER_ERROR, NOT_FOUND, SESSION_EXPIRED = 200, 404, 100

APPLICATION_FAULT, WARNING_FAULT, DENIED_FAULT, ACCESS_FAULT = 1, 2, 3, 4

_FAILING_ROW = re.compile(r" ?Failing row contains \(.*\)\.?")

_WARNINGS = (core.except_orm, core.RedirectWarning)


def json_error(error: BaseException, secrets: Collection[str] = ()) -> dict[str, Any]:
    """The member `error` of a JSON-RPC answer; *secrets* of the call are hidden in it."""
    code, message = SERVER_ERROR, "Odoo Server Error"
    if isinstance(error, SessionExpiredError):
        code, message = SESSION_EXPIRED, "Odoo Session Expired"
    data = {**described(error, secrets), "exception_type": _kind(error)}
    return {"code": code, "message": message, "data": data}


def described(error: BaseException, secrets: Collection[str] = ()) -> dict[str, Any]:
    """What every JSON protocol says of an error."""
    told = {
        "name": name_of(error),
        "debug": debug_of(error),
        "message": message_of(error),
        "arguments": [_argument(argument) for argument in _arguments(error)],
        "context": dict(getattr(error, "context", None) or {}),
    }
    shown: dict[str, Any] = redact(told, secrets)
    return shown


def integer_fault(error: BaseException, secrets: Collection[str] = ()) -> Fault:
    """A fault as `/xmlrpc/2` gives it: the kind of error is a number."""
    if isinstance(error, core.AccessDenied):
        code = DENIED_FAULT
    elif isinstance(error, core.AccessError):
        code = ACCESS_FAULT
    elif isinstance(error, _WARNINGS):
        code = WARNING_FAULT
    else:
        return Fault(APPLICATION_FAULT, redact(debug_of(error), secrets))
    return Fault(code, redact(message_of(error), secrets))


def string_fault(error: BaseException, secrets: Collection[str] = ()) -> Fault:
    """A fault as `/xmlrpc` gives it: the kind of error and its text are the code."""
    message = redact(message_of(error), secrets)
    if isinstance(error, core.AccessDenied):
        return _fault("AccessDenied", message)
    if isinstance(error, _WARNINGS):
        kind = "UserError"
        if isinstance(error, core.AccessError | core.MissingError):
            kind = type(error).__name__
        elif isinstance(error, core.RedirectWarning):
            kind = "Warning"
        return _fault(f"warning -- {kind}\n\n{message}", "")
    return _fault(message, redact(debug_of(error), secrets))


def _fault(code: str, text: str) -> Fault:
    return Fault(code, text)  # type: ignore[arg-type]  # the first protocol has texts for codes


def status_of(error: BaseException) -> int:
    """The HTTP status of an error, where the protocol has one."""
    match error:
        case core.AccessDenied() | SessionExpiredError():
            return 401
        case core.AccessError():
            return 403
        case core.MissingError() | core.UnknownModelError() | UnknownMethodError():
            return 404
        case core.DatabaseMissingError():
            return 404
        case core.except_orm() | BadArgumentsError():
            return 422
        case _:
            return 500


def name_of(error: BaseException) -> str:
    for cls in type(error).__mro__:
        if cls in _NAMES:
            return _NAMES[cls]
    return f"{type(error).__module__}.{type(error).__qualname__}"


def message_of(error: BaseException) -> str:
    """What the error says, without the rows that PostgreSQL quotes."""
    return _without_detail(str(error))


def debug_of(error: BaseException) -> str:
    """The traceback; who is denied access learns nothing of the inside."""
    if isinstance(error, core.AccessDenied):
        return message_of(error)
    return _without_detail("".join(traceback.format_exception(error)))


def _arguments(error: BaseException) -> tuple[Any, ...]:
    if isinstance(error, core.except_orm):
        return (message_of(error),)
    return error.args


def _argument(value: Any) -> Any:
    if isinstance(value, bool | int | float | None):
        return value
    return _without_detail(str(value))


def _without_detail(text: str) -> str:
    """A failing row may hold what its reader may not see."""
    if "DETAIL:" in text:
        text = "\n".join(line for line in text.split("\n") if "DETAIL:" not in line)
    return _FAILING_ROW.sub("", text) if "Failing row" in text else text


def _kind(error: BaseException) -> str:
    """The kind of error, as servers up to 14 told it."""
    match error:
        case core.AccessDenied():
            return "access_denied"
        case core.AccessError():
            return "access_error"
        case core.MissingError():
            return "missing_error"
        case core.ValidationError():
            return "validation_error"
        case core.except_orm():
            return "user_error"
        case core.RedirectWarning():
            return "warning"
        case _:
            return "internal_error"
