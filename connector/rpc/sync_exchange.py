"""One call over an HTTP client, synchronous: post, read, check, and explain what went wrong."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from connector.rpc import protocol
from connector.rpc.clients import T_HttpClient, T_Response
from connector.rpc.errors import RPCError
from connector.rpc.protocol import Call

T = TypeVar("T")


def send(http_client: T_HttpClient, url: str, call: Call[T]) -> T:
    """
    The result of *call*, as the caller's value.

    Raises:
        RPCError: there is none, for whatever reason.
    """
    payload, request_id = protocol.envelope(call)
    try:
        answer = _read(_post(http_client, url, payload), request_id)
        return protocol.converted(call, answer.get("result"))
    except RPCError as error:
        failure = protocol.explained(error, call, url)
    # Outside the handler, so that the error as it was, secrets and all, is no context of it.
    raise failure


def jsonrpc(
    http_client: T_HttpClient,
    url: str = "",
    *,
    service: str,
    method: str,
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
) -> tuple[T_Response, int]:
    """Post one call; the response, not looked at, and the id that its answer must bear."""
    call = protocol.plain_call(service, method, args, kwargs)
    payload, request_id = protocol.envelope(call)
    try:
        return _post(http_client, url, payload), request_id
    except RPCError as error:
        failure = protocol.explained(error, call, url)
    raise failure


def check_jsonrpc_response(
    resp: T_Response, req_id: int, ensure_instance_of: type | tuple[type, ...] | None = None
) -> dict[str, Any]:
    """
    The whole answer in *resp*; `result` is missing from it where the method returned None.

    Which texts are secret is not known here: prefer `rpc_result`, whose errors hide them.

    Raises:
        RPCError: it is an error, or no answer to request *req_id*, or its result is of another
            type.
    """
    answer = _read(resp, req_id)
    protocol.converted(
        protocol.plain_call("", "", None, None, ensure_instance_of), answer.get("result")
    )
    return answer


def rpc_call_and_check(
    http_client: T_HttpClient,
    url: str = "",
    *,
    service: str,
    method: str,
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    ensure_instance_of: type | tuple[type, ...] | None = None,
) -> dict[str, Any]:
    """The whole answer to one call of any service."""
    call = protocol.plain_call(service, method, args, kwargs)
    payload, request_id = protocol.envelope(call)
    try:
        response = _post(http_client, url, payload)
        return check_jsonrpc_response(response, request_id, ensure_instance_of)
    except RPCError as error:
        failure = protocol.explained(error, call, url)
    raise failure


def rpc_result(
    http_client: T_HttpClient,
    url: str = "",
    *,
    service: str,
    method: str,
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    ensure_instance_of: type | tuple[type, ...] | None = None,
) -> Any:
    """The result of one call of any service."""
    call = protocol.plain_call(service, method, args, kwargs, ensure_instance_of)
    return send(http_client, url, call)


def _post(http_client: T_HttpClient, url: str, payload: dict[str, Any]) -> T_Response:
    try:
        if callable(http_client):
            return http_client(payload)
        return http_client.post(url, json=payload)
    except (AttributeError, TypeError):
        raise  # an argument that is no JSON, or a client that is none
    except Exception as error:
        raise protocol.failed_post(error) from error


def _read(response: T_Response, request_id: int) -> dict[str, Any]:
    _refuse_awaitable(response)
    try:
        answer = response.json()
    except Exception as error:
        raise protocol.unreadable_answer(response, error) from error
    _refuse_awaitable(answer)
    return protocol.check_answer(answer, response, request_id)


def _refuse_awaitable(value: object) -> None:
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise TypeError("The HTTP client is asynchronous: call it through connector.rpc.aio.")
