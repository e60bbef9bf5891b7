"""
The functions of the external API, asynchronous.

What each takes, sends and returns is written once, in `services`, and how that goes over an HTTP
client in `exchange`; here is nothing but the awaiting. Every function raises `RPCError`
where there is no result.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import ParamSpec, Protocol, TypeVar

from connector.rpc import exchange, services
from connector.rpc.clients import T_AsyncHttpClient
from connector.rpc.errors import RPCError
from connector.rpc.exchange import Exchange
from connector.rpc.faces import dressed
from connector.rpc.protocol import Call

__all__ = [
    "RPCError",
    "about",
    "authenticate",
    "change_admin_password",
    "check_jsonrpc_response",
    "create_database",
    "db_exist",
    "drop_database",
    "dump_database",
    "duplicate_database",
    "execute_kw",
    "jsonrpc",
    "list_countries",
    "list_databases",
    "list_lang",
    "login",
    "migrate_databases",
    "rename_database",
    "restore_database",
    "rpc_call_and_check",
    "rpc_result",
    "server_version",
    "version",
]

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class AsyncFunction(Protocol[P, T_co]):
    """Calls one service over an HTTP client."""

    async def __call__(
        self, http_client: T_AsyncHttpClient, url: str = "", *args: P.args, **kwargs: P.kwargs
    ) -> T_co: ...


async def settled(talk: Exchange[T]) -> T:
    """What *talk* returns when everything that it yields has been awaited."""
    try:
        value = next(talk)
        while True:
            failure: Exception | None = None
            if inspect.isawaitable(value):
                try:
                    value = await value
                except Exception as error:
                    failure = error
            # Outside the handler, so that what is raised there has no context of its own here.
            value = talk.throw(failure) if failure else talk.send(value)
    except StopIteration as end:
        result: T = end.value
        return result


def _any_call(talk: Callable[P, Exchange[T]]) -> Callable[P, Awaitable[T]]:
    async def function(*args: P.args, **kwargs: P.kwargs) -> T:
        return await settled(talk(*args, **kwargs))

    return dressed(function, talk)


def _call_of(service: Callable[P, Call[T]]) -> AsyncFunction[P, T]:
    async def function(
        http_client: T_AsyncHttpClient, url: str = "", *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await settled(exchange.send(http_client, url, service(*args, **kwargs)))

    return dressed(function, service, own=2)


jsonrpc = _any_call(exchange.jsonrpc)
check_jsonrpc_response = _any_call(exchange.check_jsonrpc_response)
rpc_call_and_check = _any_call(exchange.rpc_call_and_check)
rpc_result = _any_call(exchange.rpc_result)

login = _call_of(services.login)
authenticate = _call_of(services.authenticate)
version = _call_of(services.version)
about = _call_of(services.about)
execute_kw = _call_of(services.execute_kw)
db_exist = _call_of(services.db_exist)
list_databases = _call_of(services.list_databases)
list_lang = _call_of(services.list_lang)
list_countries = _call_of(services.list_countries)
server_version = _call_of(services.server_version)
create_database = _call_of(services.create_database)
duplicate_database = _call_of(services.duplicate_database)
drop_database = _call_of(services.drop_database)
dump_database = _call_of(services.dump_database)
restore_database = _call_of(services.restore_database)
rename_database = _call_of(services.rename_database)
migrate_databases = _call_of(services.migrate_databases)
change_admin_password = _call_of(services.change_admin_password)
