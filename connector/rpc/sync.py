"""
The functions of the external API, synchronous.

What each takes, sends and returns is written once, in `services`; every one raises `RPCError`
where there is no result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

from connector.rpc import services
from connector.rpc.clients import T_HttpClient
from connector.rpc.errors import RPCError
from connector.rpc.faces import dressed
from connector.rpc.protocol import Call
from connector.rpc.sync_exchange import (
    check_jsonrpc_response,
    jsonrpc,
    rpc_call_and_check,
    rpc_result,
    send,
)

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


class Function(Protocol[P, T_co]):
    """Calls one service over an HTTP client."""

    def __call__(
        self, http_client: T_HttpClient, url: str = "", *args: P.args, **kwargs: P.kwargs
    ) -> T_co: ...


def _synchronous(service: Callable[P, Call[T]]) -> Function[P, T]:
    def function(http_client: T_HttpClient, url: str = "", *args: P.args, **kwargs: P.kwargs) -> T:
        return send(http_client, url, service(*args, **kwargs))

    return dressed(function, service)


login = _synchronous(services.login)
authenticate = _synchronous(services.authenticate)
version = _synchronous(services.version)
about = _synchronous(services.about)
execute_kw = _synchronous(services.execute_kw)
db_exist = _synchronous(services.db_exist)
list_databases = _synchronous(services.list_databases)
list_lang = _synchronous(services.list_lang)
list_countries = _synchronous(services.list_countries)
server_version = _synchronous(services.server_version)
create_database = _synchronous(services.create_database)
duplicate_database = _synchronous(services.duplicate_database)
drop_database = _synchronous(services.drop_database)
dump_database = _synchronous(services.dump_database)
restore_database = _synchronous(services.restore_database)
rename_database = _synchronous(services.rename_database)
migrate_databases = _synchronous(services.migrate_databases)
change_admin_password = _synchronous(services.change_admin_password)
