"""
The newer address of methods, `/json/2/<model>/<method>`: API keys, named arguments, HTTP statuses.

`/doc-bearer/<model>.json` tells what the methods of a model are called with.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connector.core.exceptions import AccessDenied, UnknownModelError
from connector.server import callable_methods, faults, marshalling, model_doc
from connector.server.deadline import Deadline
from connector.server.dispatcher import Dispatcher
from connector.server.errors import BadArgumentsError, UnknownMethodError
from connector.server.gate import changes_models
from connector.server.jsonrpc import JSON_TYPE, log
from connector.server.requests import BadRequest, Threads, body_of, caller_of, has_type

DATABASE_HEADER = "x-odoo-database"
SCHEME = "bearer"


class Json2:
    """Calls of methods by named arguments, by the holder of an API key."""

    def __init__(self, dispatcher: Dispatcher, threads: Threads) -> None:
        self._dispatcher = dispatcher
        self._threads = threads

    def routes(self) -> list[Route]:
        return [
            Route("/json/2/{model}/{method}", self._call, methods=["POST"]),
            Route("/json/{path:path}", self._lost, methods=["GET", "POST", "PUT", "DELETE"]),
            Route("/doc-bearer/{model}.json", self._doc, methods=["GET"]),
        ]

    async def _call(self, request: Request) -> Response:
        model, method = request.path_params["model"], request.path_params["method"]
        try:
            named = await self._read(request)
        except BadRequest as error:
            return error.response()

        def work(env: Any) -> Any:
            return _call_named(_model(env, model), method, named)

        return await self._answered(request, work, alone=changes_models(model, method))

    async def _doc(self, request: Request) -> Response:
        name = request.path_params["model"]
        return await self._answered(request, lambda env: model_doc.described(_model(env, name)))

    async def _lost(self, _request: Request) -> Response:
        error = UnknownMethodError("Did you mean POST /json/2/<model>/<method>?")
        return _response(faults.described(error), 404)

    async def _read(self, request: Request) -> dict[str, Any]:
        if not has_type(request, JSON_TYPE):
            raise BadRequest(415, f"The body of a call is {JSON_TYPE}.")
        body = await body_of(request, self._dispatcher.settings)
        try:
            named = json.loads(body or b"{}")
        except (ValueError, RecursionError):
            raise BadRequest(400, "The body is no JSON.") from None
        if not isinstance(named, dict):
            raise BadRequest(400, "The body is no JSON object of named arguments.")
        return named

    async def _answered(
        self, request: Request, work: Callable[[Any], Any], alone: bool = False
    ) -> Response:
        """The answer to *work*, done as the user of the API key."""
        try:
            key = _key_of(request)
            database = self._database_of(request)
            address = caller_of(request).address

            def as_user(env: Any) -> Any:
                uid = self._dispatcher.objects.passwords.user_of_key(env, key, address)
                return work(env(user=uid))

            def run(deadline: Deadline) -> Any:
                return self._dispatcher.objects.run(database, as_user, deadline, alone)

            return _response(await self._threads.run(run), 200)
        except Exception as error:
            log(error)
            status = faults.status_of(error)
            return _response(faults.described(error), status)

    def _database_of(self, request: Request) -> str:
        named = request.headers.get(DATABASE_HEADER) or self._dispatcher.settings.default_database
        if not named:
            raise BadArgumentsError(f"Name the database in the header {DATABASE_HEADER}.")
        return named


def _call_named(model: Any, method: str, named: dict[str, Any]) -> Any:
    named = dict(named)
    context = named.pop("context", None)
    ids = named.pop("ids", None)
    callable_methods.remote_method(type(model), method)  # before anything is said of its arguments
    if not callable_methods.is_of_model(type(model), method):
        return callable_methods.call(model, method, [ids or []], named, context)
    if ids is not None:
        raise BadArgumentsError(f"{model._name}.{method} concerns no records: leave ids out.")
    return callable_methods.call(model, method, [], named, context)


def _model(env: Any, name: str) -> Any:
    if name not in env.registry:
        raise UnknownModelError(f"The model {name!r} does not exist.")
    return env[name]


def _key_of(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != SCHEME or not key.strip():
        raise AccessDenied("Access denied: an API key is needed, as Authorization: bearer <key>.")
    return key.strip()


def _response(value: Any, status: int) -> Response:
    headers = {"www-authenticate": SCHEME} if status == 401 else None
    return Response(marshalling.to_json(value), status, headers, JSON_TYPE)
