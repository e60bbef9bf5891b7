"""The envelope of JSON-RPC, and the address `/jsonrpc`, behind which are the three services."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from connector.core.exceptions import CoreError
from connector.rpc.redaction import secrets_of_call
from connector.server import faults, marshalling
from connector.server.dispatcher import DB, Dispatcher
from connector.server.errors import BadArgumentsError
from connector.server.requests import BadRequest, Threads, body_of, caller_of, has_type
from connector.server.settings import Settings

logger = logging.getLogger(__name__)

JSON_TYPE = "application/json"

#: What an address does with the parameters of a call.
Handler = Callable[[Request, dict[str, Any]], Awaitable[Any]]


def json_route(
    settings: Settings, handle: Handler, secrets: Callable[[dict[str, Any]], Collection[str]]
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that takes a call of JSON-RPC and answers with a result or an error."""

    async def endpoint(request: Request) -> Response:
        try:
            asked = await _read(request, settings)
        except BadRequest as error:
            return error.response()
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": asked.get("id")}
        params = asked.get("params") or {}
        try:
            if not isinstance(params, dict):
                raise BadArgumentsError("The parameters of a call have names.")
            params.pop("context", None)
            result = await handle(request, params)
            if result is not None:
                answer["result"] = result
            return Response(marshalling.to_json(answer), media_type=JSON_TYPE)
        except Exception as error:
            log(error)
            known = secrets(params) if isinstance(params, dict) else ()
            answer.pop("result", None)
            answer["error"] = faults.json_error(error, known)
            return Response(marshalling.to_json(answer), media_type=JSON_TYPE)

    return endpoint


async def _read(request: Request, settings: Settings) -> dict[str, Any]:
    if not has_type(request, JSON_TYPE):
        raise BadRequest(400, f"The body of a call is {JSON_TYPE}.")
    try:
        asked = json.loads(await body_of(request, settings))
    except (ValueError, RecursionError):
        raise BadRequest(400, "The body is no JSON.") from None
    if not isinstance(asked, dict):
        raise BadRequest(400, "The body is no call: it is not a JSON object.")
    return asked


def log(error: Exception) -> None:
    """Errors on purpose are the caller's; others are noted with their traceback."""
    if isinstance(error, CoreError):
        logger.info("Call refused", extra={"error": type(error).__name__})
    else:
        logger.exception("Call failed")


class JsonRpc:
    """The address `/jsonrpc`."""

    def __init__(self, dispatcher: Dispatcher, threads: Threads) -> None:
        self._dispatcher = dispatcher
        self._threads = threads
        self.endpoint = json_route(dispatcher.settings, self._handle, self._secrets)

    async def _handle(self, request: Request, params: dict[str, Any]) -> Any:
        missing = [name for name in ("service", "method", "args") if name not in params]
        if missing:
            raise BadArgumentsError(f"dispatch() is missing the argument {missing[0]!r}.")
        service, method, args = params["service"], params["method"], params["args"]
        return await dispatched(self._dispatcher, self._threads, request, service, method, args)

    def _secrets(self, params: dict[str, Any]) -> Collection[str]:
        return secrets_of(params.get("service"), params.get("method"), params.get("args"))


async def dispatched(
    dispatcher: Dispatcher, threads: Threads, request: Request, service: Any, method: Any, args: Any
) -> Any:
    """The result of a call, worked at in a thread."""
    caller = caller_of(request)
    if service == DB:
        return await threads.run_long(lambda: dispatcher.dispatch(caller, service, method, args))
    return await threads.run(
        lambda deadline: dispatcher.dispatch(caller, service, method, args, deadline)
    )


def secrets_of(service: Any, method: Any, args: Any) -> Collection[str]:
    """The passwords in a call, which no error may repeat."""
    if not isinstance(args, list | tuple):
        return ()
    return secrets_of_call(str(service), str(method), args, None)
