"""One call over an HTTP client, asynchronous: post, read, check, and explain what went wrong."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from connector.rpc import protocol
from connector.rpc.clients import T_AsyncHttpClient, T_AsyncResponse
from connector.rpc.errors import RPCError
from connector.rpc.protocol import Call

T = TypeVar("T")


async def send(http_client: T_AsyncHttpClient, url: str, call: Call[T]) -> T:
    """
    The result of *call*, as the caller's value.

    Raises:
        RPCError: there is none, for whatever reason.
    """
    payload, request_id = protocol.envelope(call)
    try:
        answer = await _read(await _post(http_client, url, payload), request_id)
        return protocol.converted(call, answer.get("result"))
    except RPCError as error:
        failure = protocol.explained(error, call, url)
    # Outside the handler, so that the error as it was, secrets and all, is no context of it.
    raise failure


async def jsonrpc(
    http_client: T_AsyncHttpClient,
    url: str = "",
    *,
    service: str,
    method: str,
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
) -> tuple[T_AsyncResponse, int]:
    """Post one call; the response, not looked at, and the id that its answer must bear."""
    call = protocol.plain_call(service, method, args, kwargs)
    payload, request_id = protocol.envelope(call)
    try:
        return await _post(http_client, url, payload), request_id
    except RPCError as error:
        failure = protocol.explained(error, call, url)
    raise failure


async def check_jsonrpc_response(
    resp: T_AsyncResponse, req_id: int, ensure_instance_of: type | tuple[type, ...] | None = None
) -> dict[str, Any]:
    """
    The whole answer in *resp*; `result` is missing from it where the method returned None.

    Which texts are secret is not known here: prefer `rpc_result`, whose errors hide them.

    Raises:
        RPCError: it is an error, or no answer to request *req_id*, or its result is of another
            type.
    """
    answer = await _read(resp, req_id)
    protocol.converted(
        protocol.plain_call("", "", None, None, ensure_instance_of), answer.get("result")
    )
    return answer


async def rpc_call_and_check(
    http_client: T_AsyncHttpClient,
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
        response = await _post(http_client, url, payload)
        return await check_jsonrpc_response(response, request_id, ensure_instance_of)
    except RPCError as error:
        failure = protocol.explained(error, call, url)
    raise failure


async def rpc_result(
    http_client: T_AsyncHttpClient,
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
    return await send(http_client, url, call)


async def _post(
    http_client: T_AsyncHttpClient, url: str, payload: dict[str, Any]
) -> T_AsyncResponse:
    response: Any
    try:
        if callable(http_client):
            response = http_client(payload)
        else:
            response = http_client.post(url, json=payload)
        if inspect.isawaitable(response):
            response = await response
        return cast(T_AsyncResponse, response)
    except (AttributeError, TypeError):
        raise  # an argument that is no JSON, or a client that is none
    except Exception as error:
        raise protocol.failed_post(error) from error


async def _read(response: T_AsyncResponse, request_id: int) -> dict[str, Any]:
    try:
        answer = response.json()
        if inspect.isawaitable(answer):
            answer = await answer
    except Exception as error:
        raise protocol.unreadable_answer(response, error) from error
    return protocol.check_answer(answer, response, request_id)
