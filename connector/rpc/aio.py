"""
The functions of the external API, asynchronous.

What each takes, sends and returns is written once, in `services`; every one raises `RPCError`
where there is no result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

from connector.rpc import services
from connector.rpc.aio_exchange import (
    check_jsonrpc_response,
    jsonrpc,
    rpc_call_and_check,
    rpc_result,
    send,
)
from connector.rpc.clients import T_AsyncHttpClient
from connector.rpc.errors import RPCError
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


def _asynchronous(service: Callable[P, Call[T]]) -> AsyncFunction[P, T]:
    async def function(
        http_client: T_AsyncHttpClient, url: str = "", *args: P.args, **kwargs: P.kwargs
    ) -> T:
        return await send(http_client, url, service(*args, **kwargs))

    return dressed(function, service)


login = _asynchronous(services.login)
authenticate = _asynchronous(services.authenticate)
version = _asynchronous(services.version)
about = _asynchronous(services.about)
execute_kw = _asynchronous(services.execute_kw)
db_exist = _asynchronous(services.db_exist)
list_databases = _asynchronous(services.list_databases)
list_lang = _asynchronous(services.list_lang)
list_countries = _asynchronous(services.list_countries)
server_version = _asynchronous(services.server_version)
create_database = _asynchronous(services.create_database)
duplicate_database = _asynchronous(services.duplicate_database)
drop_database = _asynchronous(services.drop_database)
dump_database = _asynchronous(services.dump_database)
restore_database = _asynchronous(services.restore_database)
rename_database = _asynchronous(services.rename_database)
migrate_databases = _asynchronous(services.migrate_databases)
change_admin_password = _asynchronous(services.change_admin_password)
