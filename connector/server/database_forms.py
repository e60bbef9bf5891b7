"""`/web/database/<action>`: what the page that manages databases posts, as forms."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from connector.server import faults, marshalling
from connector.server.dispatcher import DB, Dispatcher
from connector.server.jsonrpc import JSON_TYPE, dispatched, log
from connector.server.requests import BadRequest, Threads, body_of, has_type

FORM_TYPE = "application/x-www-form-urlencoded"
MASTER = "master_pwd"

#: action -> method of the service, and the fields that hold its arguments
ACTIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "create": (
        "create_database",
        ("name", "demo", "lang", "password", "login", "country_code", "phone"),
    ),
    "duplicate": ("duplicate_database", ("name", "new_name", "neutralize_database")),
    "drop": ("drop", ("name",)),
    "backup": ("dump", ("name", "backup_format")),
    "restore": ("restore", ("name", "backup_file", "copy")),
    "change_password": ("change_admin_password", ("master_pwd_new",)),
}
_DEFAULTS: Mapping[str, Any] = {
    "lang": "en_US",
    "login": "admin",
    "password": "admin",
    "backup_format": "zip",
}
_FLAGS = frozenset({"demo", "copy", "neutralize_database"})
_UNSET = frozenset({"", "0", "false", "none", "off"})


class DatabaseForms:
    """The service `db` once more, with its arguments in the fields of a form."""

    def __init__(self, dispatcher: Dispatcher, threads: Threads) -> None:
        self._dispatcher = dispatcher
        self._threads = threads

    def routes(self) -> list[Route]:
        return [Route("/web/database/{action}", self._act, methods=["POST"])]

    async def _act(self, request: Request) -> Response:
        action = ACTIONS.get(request.path_params["action"])
        if action is None:
            return PlainTextResponse("There is no such action.\n", 404)
        method, names = action
        try:
            form = await self._read(request)
        except BadRequest as error:
            return error.response()
        args = [form.get(MASTER, ""), *(_value(form, name) for name in names)]
        try:
            result = await dispatched(self._dispatcher, self._threads, request, DB, method, args)
        except Exception as error:
            log(error)
            secrets = {value for name, value in form.items() if name in (MASTER, "password")}
            status = 403 if faults.status_of(error) == 401 else 422
            told = {**faults.described(error, secrets), "debug": None}
            return Response(marshalling.to_json(told), status, media_type=JSON_TYPE)
        if method == "dump":
            return Response(base64.b64decode(result), media_type="application/octet-stream")
        return PlainTextResponse("Done.\n" if result else "There was nothing to do.\n")

    async def _read(self, request: Request) -> dict[str, str]:
        if not has_type(request, FORM_TYPE):
            raise BadRequest(415, f"The body of a form is {FORM_TYPE}.")
        body = await body_of(request, self._dispatcher.settings)
        return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))


def _value(form: Mapping[str, str], name: str) -> Any:
    given = form.get(name, _DEFAULTS.get(name, ""))
    if name in _FLAGS:
        return str(given).lower() not in _UNSET
    if name in ("country_code", "phone") and given.lower() in _UNSET:
        return None
    return given
