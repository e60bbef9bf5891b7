"""The addresses that a browser's client calls: sessions by cookie, methods of models, databases."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connector.rpc.redaction import secrets_of_call
from connector.server import version
from connector.server.deadline import Deadline
from connector.server.dispatcher import DB, Dispatcher
from connector.server.errors import BadArgumentsError
from connector.server.jsonrpc import dispatched, json_route
from connector.server.requests import Threads, caller_of
from connector.server.sessions import Sessions, WebSession, fingerprint

COOKIE = "session_id"


class Web:
    """`/web/...`: a session, once authenticated, stands for database, user and password."""

    def __init__(self, dispatcher: Dispatcher, threads: Threads) -> None:
        self._dispatcher = dispatcher
        self._objects = dispatcher.objects
        self._threads = threads
        self._sessions = Sessions(dispatcher.settings.session_seconds)

    def routes(self) -> list[Route]:
        settings = self._dispatcher.settings
        handlers = {
            "/web/webclient/version_info": self._version_info,
            "/web/session/get_session_info": self._session_info,
            "/web/session/check": self._check,
            "/web/dataset/call_kw": self._call_kw,
            "/web/dataset/call_kw/{path:path}": self._call_kw,
            "/web/dataset/call_button": self._call_kw,
            "/web/dataset/call_button/{path:path}": self._call_kw,
            "/web/database/list": self._list_databases,
        }
        plain = [
            Route(path, json_route(settings, handle, _secrets), methods=["POST"])
            for path, handle in handlers.items()
        ]
        return [
            *plain,
            Route("/web/session/authenticate", self._authenticate, methods=["POST"]),
            Route("/web/session/destroy", self._destroy, methods=["POST"]),
        ]

    # -- sessions -------------------------------------------------------------------------

    async def _authenticate(self, request: Request) -> Response:
        tokens: list[str] = []

        async def log_in(request: Request, params: dict[str, Any]) -> Any:
            _check_names(params, "db", "login", "password")
            session, told = await self._threads.run(
                lambda deadline: self._log_in(request, params, deadline)
            )
            self._sessions.close(request.cookies.get(COOKIE))
            tokens.append(self._sessions.open(session))
            return told

        response = await json_route(self._dispatcher.settings, log_in, _secrets)(request)
        for token in tokens:
            response.set_cookie(
                COOKIE,
                token,
                max_age=round(self._dispatcher.settings.session_seconds),
                httponly=True,
                samesite="lax",
                secure=request.url.scheme == "https",
            )
        return response

    def _log_in(
        self, request: Request, params: dict[str, Any], deadline: Deadline
    ) -> tuple[WebSession, dict[str, Any]]:
        database, login, address = params["db"], params["login"], caller_of(request).address

        def work(env: Any) -> tuple[WebSession, dict[str, Any]]:
            uid = self._objects.passwords.login(env, login, params["password"], address)
            session = WebSession(database, uid, login, fingerprint(env, uid))
            return session, _described(env(user=uid), login)

        return self._objects.run(database, work, deadline)

    async def _session_info(self, request: Request, _params: dict[str, Any]) -> Any:
        session = self._session(request)

        def work(env: Any) -> dict[str, Any]:
            session.check(env)
            return _described(env(user=session.uid), session.login)

        return await self._threads.run(
            lambda deadline: self._objects.run(session.database, work, deadline)
        )

    async def _check(self, request: Request, params: dict[str, Any]) -> None:
        await self._session_info(request, params)

    async def _destroy(self, request: Request) -> Response:
        async def log_out(request: Request, _params: dict[str, Any]) -> None:
            self._sessions.close(request.cookies.get(COOKIE))

        response = await json_route(self._dispatcher.settings, log_out, _secrets)(request)
        response.delete_cookie(COOKIE)
        return response

    def _session(self, request: Request) -> WebSession:
        return self._sessions.find(request.cookies.get(COOKIE))

    # -- calls ----------------------------------------------------------------------------

    async def _call_kw(self, request: Request, params: dict[str, Any]) -> Any:
        session = self._session(request)
        _check_names(params, "model", "method", "args")
        return await self._threads.run(
            lambda deadline: self._objects.call(
                session.database,
                session.uid,
                session.check,
                params["model"],
                params["method"],
                params["args"],
                params.get("kwargs"),
                deadline,
            )
        )

    async def _version_info(self, _request: Request, _params: dict[str, Any]) -> Any:
        return version.described()

    async def _list_databases(self, request: Request, _params: dict[str, Any]) -> Any:
        return await dispatched(self._dispatcher, self._threads, request, DB, "list", [])


def _described(env: Any, login: str) -> dict[str, Any]:
    """What a client learns of its session."""
    user = env.user.sudo()
    company = user.company_id
    is_system = user.has_group_of("base.group_system")
    return {
        "uid": user.id,
        "is_system": is_system,
        "is_admin": is_system,
        "db": env.cr.dbname,
        "username": login,
        "name": user.name,
        "partner_id": user.partner_id.id,
        "partner_display_name": user.partner_id.display_name,
        "company_id": company.id,
        "user_companies": {"current_company": [company.id, company.name]},
        "user_context": env["res.users"].context_get(),
        "server_version": version.SERVER_VERSION,
        "server_version_info": version.VERSION_INFO,
    }


def _check_names(params: dict[str, Any], *names: str) -> None:
    for name in names:
        if name not in params:
            raise BadArgumentsError(f"The parameter {name!r} is missing.")


def _secrets(params: dict[str, Any]) -> Collection[str]:
    return secrets_of_call("", "", [params], None)
