"""
One call over an HTTP client: post, read, check, and explain what went wrong.

Written once for both faces, as generators: each value that a client may give at once or only
when awaited is yielded, and comes back as what it is in the end. Who drives one decides whether
there is anything to await.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any, TypeVar

from connector.rpc import protocol
from connector.rpc.clients import T_AnyHttpClient, T_AsyncResponse
from connector.rpc.errors import RPCError
from connector.rpc.protocol import Call

T = TypeVar("T")

#: Yields what may have to be awaited, is sent its value, returns the caller's.
Exchange = Generator[Any, Any, T]


def send(http_client: T_AnyHttpClient, url: str, call: Call[T]) -> Exchange[T]:
    """
    The result of *call*, as the caller's value.

    Raises:
        RPCError: there is none, for whatever reason.
    """

    def talk() -> Exchange[T]:
        response, request_id = yield from _post(http_client, url, call)
        answer = yield from _read(response, request_id)
        return protocol.converted(call, answer.get("result"))

    return (yield from _explained(call, url, talk()))


def jsonrpc(
    http_client: T_AnyHttpClient,
    url: str = "",
    *,
    service: str,
    method: str,
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
) -> Exchange[tuple[Any, int]]:
    """Post one call; the response, not looked at, and the id that its answer must bear."""
    call = protocol.plain_call(service, method, args, kwargs)
    return (yield from _explained(call, url, _post(http_client, url, call)))


def check_jsonrpc_response(
    resp: T_AsyncResponse, req_id: int, ensure_instance_of: type | tuple[type, ...] | None = None
) -> Exchange[dict[str, Any]]:
    """
    The whole answer in *resp*; `result` is missing from it where the method returned None.

    Which texts are secret is not known here: prefer `rpc_result`, whose errors hide them.

    Raises:
        RPCError: it is an error, or no answer to request *req_id*, or its result is of another
            type.
    """
    answer = yield from _read(resp, req_id)
    protocol.converted(
        protocol.plain_call("", "", None, None, ensure_instance_of), answer.get("result")
    )
    return answer


def rpc_call_and_check(
    http_client: T_AnyHttpClient,
    url: str = "",
    *,
    service: str,
    method: str,
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    ensure_instance_of: type | tuple[type, ...] | None = None,
) -> Exchange[dict[str, Any]]:
    """The whole answer to one call of any service."""
    call = protocol.plain_call(service, method, args, kwargs)

    def talk() -> Exchange[dict[str, Any]]:
        response, request_id = yield from _post(http_client, url, call)
        return (yield from check_jsonrpc_response(response, request_id, ensure_instance_of))

    return (yield from _explained(call, url, talk()))


def rpc_result(
    http_client: T_AnyHttpClient,
    url: str = "",
    *,
    service: str,
    method: str,
    args: Sequence[Any] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    ensure_instance_of: type | tuple[type, ...] | None = None,
) -> Exchange[Any]:
    """The result of one call of any service."""
    call = protocol.plain_call(service, method, args, kwargs, ensure_instance_of)
    return (yield from send(http_client, url, call))


def _explained(call: Call[Any], url: str, talk: Exchange[T]) -> Exchange[T]:
    """*talk*, whose errors name the call and the server and show no secret."""
    try:
        return (yield from talk)
    except RPCError as error:
        failure = protocol.explained(error, call, url)
    # Outside the handler, so that the error as it was, secrets and all, is no context of it.
    raise failure


def _post(http_client: Any, url: str, call: Call[Any]) -> Exchange[tuple[Any, int]]:
    """The response, not looked at, and the id that its answer must bear."""
    payload, request_id = protocol.envelope(call)
    try:
        if callable(http_client):
            response = yield http_client(payload)
        else:
            response = yield http_client.post(url, json=payload)
    except (AttributeError, TypeError):
        raise  # an argument that is no JSON, or a client that is none
    except Exception as error:
        raise protocol.failed_post(error) from error
    return response, request_id


def _read(response: Any, request_id: int) -> Exchange[dict[str, Any]]:
    try:
        answer = yield response.json()
    except Exception as error:
        raise protocol.unreadable_answer(response, error) from error
    return protocol.check_answer(answer, response, request_id)
