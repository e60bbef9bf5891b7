"""JSON-RPC as the external API speaks it: what is sent, and what an answer means. No I/O."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import count
from typing import Any, Generic, NamedTuple, TypeVar

from connector.rpc.causes import chain, is_cut_short, kind_of
from connector.rpc.errors import Kind, RPCError
from connector.rpc.redaction import redact, secrets_of_call, secrets_of_url, shown_url

T = TypeVar("T")

# Distinct within the process, and unlike those of a process that shared a connection by mistake.
_request_ids = count(random.randrange(1_000_000_000))  # noqa: S311 - no secret hangs on it


class Call(NamedTuple, Generic[T]):
    """One call of a service, and what is made of its result."""

    service: str
    method: str
    args: list[Any]
    #: gives the caller's value, or raises `ValueError` saying what is wrong with the result
    convert: Callable[[Any], T]
    kwargs: dict[str, Any] | None = None
    #: error class -> what to do about it, added to the message
    advice: Mapping[str, str] = {}

    def __str__(self) -> str:
        if self.service == "object" and len(self.args) >= 5:
            return f"{self.args[3]}.{self.args[4]}"
        return f"{self.service}.{self.method}"


def plain_call(
    service: str,
    method: str,
    args: Sequence[Any] | None,
    kwargs: Mapping[str, Any] | None,
    ensure_instance_of: type | tuple[type, ...] | None = None,
) -> Call[Any]:
    """A call of any service; servers ask for `args` even where there are none."""
    expected = ensure_instance_of or ()
    types = expected if isinstance(expected, tuple) else (expected,)
    convert = instance_of(*types) if types else as_is
    named = None if kwargs is None else dict(kwargs)
    return Call(service, method, list(args or ()), convert, named)


def envelope(call: Call[Any]) -> tuple[dict[str, Any], int]:
    """The payload to post, and the id that its answer must bear."""
    request_id = next(_request_ids)
    params: dict[str, Any] = {"service": call.service, "method": call.method, "args": call.args}
    if call.kwargs is not None:
        params["kwargs"] = call.kwargs
    return {"jsonrpc": "2.0", "method": "call", "params": params, "id": request_id}, request_id


def check_answer(answer: Any, response: Any, request_id: Any) -> dict[str, Any]:
    """
    The answer read from *response* when it is the one to the request.

    Its `result` is missing where the method returned None.

    Raises:
        RPCError: the server reports an error, the HTTP status does, or the id is another's.
    """
    if not isinstance(answer, dict):
        raise status_error(response) or RPCError(
            f"the answer is JSON, but {type(answer).__name__} instead of an object"
        )
    error = answer.get("error")
    answered_id = answer.get("id")
    # A server that could not read the request answers without its id.
    if error and (answered_id is None or answered_id == request_id):
        raise server_error(error)
    if by_status := status_error(response):
        raise by_status
    if answered_id != request_id:
        raise RPCError(f"the answer bears id {answered_id!r}, the request {request_id!r}")
    return answer


def server_error(error: Any) -> RPCError:
    """The error that a server's `error` member describes."""
    if not isinstance(error, dict):
        return RPCError(f"the server answered: {error}", kind=Kind.SERVER)
    data, code = error.get("data"), error.get("code")
    told = data if isinstance(data, dict) else {}
    said = told.get("message") or error.get("message") or "an error without a message"
    name, debug = told.get("name"), told.get("debug")
    return RPCError(
        f"{name}: {said}" if name else str(said),
        code if isinstance(code, int) else None,
        data if data is not None else error,
        debug if isinstance(debug, str) else None,
        Kind.SERVER,
    )


def status_error(response: Any) -> RPCError | None:
    """The error that the HTTP status of *response* means by itself, if it means one."""
    status = status_of(response)
    if status is None or status < 300:
        return None
    if status < 400:
        text = f"HTTP {status}: redirects are not followed, give the address it leads to"
    else:
        text = f"HTTP {status} instead of an answer"
    return RPCError(text, status, {"retry_after": retry_after_of(response)}, kind=Kind.HTTP)


def unreadable_answer(response: Any, cause: Exception) -> RPCError:
    """The error for a body that is no JSON, or whose end did not come."""
    error = status_error(response)
    if error is None and is_cut_short(cause):
        return failed_post(cause)
    if error is None:
        error = RPCError(f"the answer is not JSON ({type(cause).__name__})")
    error.__cause__ = cause
    return error


def failed_post(cause: Exception) -> RPCError:
    """The error for an HTTP client that raised instead of returning an answer."""
    told = str(cause) or "no details"
    error = RPCError(f"{type(cause).__name__}: {told}", kind=kind_of(cause))
    error.__cause__ = cause
    return error


def explained(error: RPCError, call: Call[Any], url: str) -> RPCError:
    """*error* with the call and the server named, and every secret hidden."""
    secrets = secrets_of_call(call.service, call.method, call.args, call.kwargs)
    secrets |= secrets_of_url(url)
    place = f" on {shown_url(url)}" if url else ""
    advice = call.advice.get((error.name or "").rpartition(".")[2], "")
    told = RPCError(
        redact(f"{call}{place}: {error.message}{advice}", secrets),
        error.code,
        redact(error.data, secrets),
        redact(error.remote_traceback, secrets) if error.remote_traceback else None,
        error.kind,
    )
    # A cause that shows a secret would show it in every traceback.
    told.__cause__ = error.__cause__ if _is_clean(error.__cause__, secrets) else None
    return told


def converted(call: Call[T], result: Any) -> T:
    """
    The caller's value of a result.

    Raises:
        RPCError: the result is not of the kind that the call gives.
    """
    try:
        return call.convert(result)
    except ValueError as error:
        raise RPCError(f"the result is not what the call gives: {error}") from error


def instance_of(*types: type) -> Callable[[Any], Any]:
    """A conversion that lets values of *types* pass as they are."""
    names = " or ".join(each.__name__ for each in types)

    def convert(result: Any) -> Any:
        if not isinstance(result, types):
            raise ValueError(f"{names} expected, {type(result).__name__} received")
        return result

    return convert


def as_is(result: Any) -> Any:
    """The conversion of a result that may be anything."""
    return result


def status_of(response: Any) -> int | None:
    """The HTTP status as requests and httpx, or aiohttp, name it; None where there is none."""
    status = getattr(response, "status_code", None)
    if status is None:
        status = getattr(response, "status", None)
    return status if isinstance(status, int) else None


def retry_after_of(response: Any) -> float | None:
    """The seconds that a busy server asks to wait, where it tells them as a number."""
    headers = getattr(response, "headers", None) or {}
    # Not every library's headers are found by a name of any case.
    told = headers.get("retry-after") or headers.get("Retry-After")
    return float(told) if isinstance(told, str) and told.isascii() and told.isdigit() else None


def _is_clean(cause: BaseException | None, secrets: Collection[str]) -> bool:
    shown = "\n".join(f"{each!r} {each}" for each in chain(cause))
    return bool(redact(shown, secrets) == shown)
