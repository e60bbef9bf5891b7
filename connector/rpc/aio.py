"""
The functions of the external API, asynchronous.

What each sends, and what its result becomes, is in `services`; every one raises `RPCError`
where there is no result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, overload

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


async def login(
    http_client: T_AsyncHttpClient,
    url: str = "",
    *,
    db: str,
    login: str,
    password: str,
) -> int | Literal[False]:
    """The id of a user, or False where login or password is wrong."""
    return await send(
        http_client,
        url,
        services.login(
            db=db,
            login=login,
            password=password,
        ),
    )


async def authenticate(
    http_client: T_AsyncHttpClient,
    url: str = "",
    *,
    db: str,
    login: str,
    password: str,
    user_agent_env: Mapping[str, Any],
) -> int | Literal[False]:
    """
    As `login`, and tells the server the address it is reached by.

    A `base_location` in *user_agent_env* becomes the server's `web.base.url` when a system user
    logs in. Prefer `login`.
    """
    return await send(
        http_client,
        url,
        services.authenticate(
            db=db,
            login=login,
            password=password,
            user_agent_env=user_agent_env,
        ),
    )


async def version(http_client: T_AsyncHttpClient, url: str = "") -> str:
    """The series of the server, such as `14.0`."""
    return await send(http_client, url, services.version())


@overload
async def about(
    http_client: T_AsyncHttpClient, url: str = "", *, extended: Literal[False]
) -> str: ...


@overload
async def about(
    http_client: T_AsyncHttpClient, url: str = "", *, extended: Literal[True]
) -> tuple[str, str]: ...


async def about(
    http_client: T_AsyncHttpClient, url: str = "", *, extended: bool
) -> tuple[str, str] | str:
    """What the server says of itself; when *extended*, with its version."""
    return await send(http_client, url, services.about(extended=extended))


async def execute_kw(
    http_client: T_AsyncHttpClient,
    url: str = "",
    *,
    db: str,
    uid: int,
    password: str,
    obj: str,
    method: str,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    kw: Mapping[str, Any] | None = None,
) -> Any:
    """
    The result of a model's method; None where it returns None.

    *args* is the list of positional arguments, *kwargs* (or *kw*) the named ones.
    """
    return await send(
        http_client,
        url,
        services.execute_kw(
            db=db,
            uid=uid,
            password=password,
            obj=obj,
            method=method,
            args=args,
            kwargs=kwargs,
            kw=kw,
        ),
    )


async def db_exist(http_client: T_AsyncHttpClient, url: str = "", *, db_name: str) -> bool:
    """Whether the server can open a database."""
    return await send(http_client, url, services.db_exist(db_name=db_name))


async def list_databases(
    http_client: T_AsyncHttpClient, url: str = "", *, document: bool = False
) -> list[str]:
    """The names of the databases that the server shows."""
    return await send(http_client, url, services.list_databases(document=document))


async def list_lang(http_client: T_AsyncHttpClient, url: str = "") -> list[list[str]]:
    """Code and name of each language."""
    return await send(http_client, url, services.list_lang())


async def list_countries(
    http_client: T_AsyncHttpClient, url: str = "", *, admin_password: str | None = None
) -> list[list[str]]:
    """Code and name of each country; most servers ask for their master password."""
    return await send(http_client, url, services.list_countries(admin_password=admin_password))


async def server_version(http_client: T_AsyncHttpClient, url: str = "") -> str:
    """The full version of the server, such as `14.0-20230102`."""
    return await send(http_client, url, services.server_version())


async def create_database(
    http_client: T_AsyncHttpClient,
    url: str = "",
    *,
    admin_password: str,
    db_name: str,
    demo: bool,
    lang: str,
    user_password: str = "admin",  # noqa: S107 - the API's own default
    login: str = "admin",
    country_code: str | None = None,
    phone: str | None = None,
) -> bool:
    """Create a database whose first user is *login*."""
    return await send(
        http_client,
        url,
        services.create_database(
            admin_password=admin_password,
            db_name=db_name,
            demo=demo,
            lang=lang,
            user_password=user_password,
            login=login,
            country_code=country_code,
            phone=phone,
        ),
    )


async def duplicate_database(
    http_client: T_AsyncHttpClient,
    url: str = "",
    *,
    admin_password: str,
    db_original_name: str,
    db_name: str,
) -> bool:
    """Copy a database under another name."""
    return await send(
        http_client,
        url,
        services.duplicate_database(
            admin_password=admin_password,
            db_original_name=db_original_name,
            db_name=db_name,
        ),
    )


async def drop_database(
    http_client: T_AsyncHttpClient, url: str = "", *, admin_password: str, db_name: str
) -> bool:
    """Delete a database; False where there is none of that name."""
    return await send(
        http_client, url, services.drop_database(admin_password=admin_password, db_name=db_name)
    )


async def dump_database(
    http_client: T_AsyncHttpClient,
    url: str = "",
    *,
    admin_password: str,
    db_name: str,
    format: str = "zip",
) -> bytes:
    """The dump: a zip with the files, or with any other *format* what `pg_dump` writes."""
    return await send(
        http_client,
        url,
        services.dump_database(
            admin_password=admin_password,
            db_name=db_name,
            format=format,
        ),
    )


async def restore_database(
    http_client: T_AsyncHttpClient,
    url: str = "",
    *,
    admin_password: str,
    db_name: str,
    data: bytes,
    copy: bool = False,
) -> bool:
    """Make a database of a dump; a *copy* gets an identity of its own."""
    return await send(
        http_client,
        url,
        services.restore_database(
            admin_password=admin_password,
            db_name=db_name,
            data=data,
            copy=copy,
        ),
    )


async def rename_database(
    http_client: T_AsyncHttpClient,
    url: str = "",
    *,
    admin_password: str,
    old_name: str,
    new_name: str,
) -> bool:
    """Give a database another name."""
    return await send(
        http_client,
        url,
        services.rename_database(
            admin_password=admin_password,
            old_name=old_name,
            new_name=new_name,
        ),
    )


async def migrate_databases(
    http_client: T_AsyncHttpClient, url: str = "", *, admin_password: str, databases: Sequence[str]
) -> bool:
    """Update every module of the databases."""
    return await send(
        http_client,
        url,
        services.migrate_databases(admin_password=admin_password, databases=databases),
    )


async def change_admin_password(
    http_client: T_AsyncHttpClient, url: str = "", *, admin_password: str, new_password: str
) -> bool:
    """Change the master password of the server."""
    return await send(
        http_client,
        url,
        services.change_admin_password(admin_password=admin_password, new_password=new_password),
    )
