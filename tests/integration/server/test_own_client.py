"""All 18 functions of the own client, on both faces, against the own server."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from connector.rpc import AsyncHttpTransport, HttpTransport, RPCError, aio, sync


@pytest.fixture(params=["sync", "aio"])
def call(request: pytest.FixtureRequest, server: Any) -> Callable[..., Any]:
    """Calls a function of one face by its name."""
    url = f"{server.url}/jsonrpc"

    def call_sync(name: str, **named: Any) -> Any:
        with HttpTransport(timeout_seconds=120) as client:
            return getattr(sync, name)(client, url, **named)

    def call_aio(name: str, **named: Any) -> Any:
        async def run() -> Any:
            async with AsyncHttpTransport(timeout_seconds=120) as client:
                found = getattr(aio, name)(client, url, **named)
                return await found if inspect.isawaitable(found) else found

        return asyncio.run(run())

    return call_sync if request.param == "sync" else call_aio


def test_functions_without_a_master_password(call: Callable[..., Any], server: Any) -> None:
    """Versions, logins, calls and questions about databases are answered."""
    who = {"db": server.database, "login": "admin", "password": server.password}
    assert call("version") == "17.0"
    assert isinstance(call("about", extended=False), str)
    assert call("about", extended=True)[1] == call("server_version")
    assert call("login", **who) == call("authenticate", **who, user_agent_env={}) == 1
    assert call("login", **{**who, "password": "wrong"}) is False
    assert server.database in call("list_databases")
    assert call("db_exist", db_name=server.database) is True
    assert ["en_US", "English"] in call("list_lang")
    with pytest.raises(RPCError):
        call("list_countries")
    assert ["BE", "Belgium"] in call("list_countries", admin_password=server.master)


def test_calls_of_methods(call: Callable[..., Any], server: Any) -> None:
    """Methods take positional and named arguments; None comes back as None."""
    who = {"db": server.database, "uid": 1, "password": server.password, "obj": "res.partner"}
    made = call("execute_kw", **who, method="create", args=[{"name": "Own client"}])
    found = call(
        "execute_kw", **who, method="search", args=[[["id", "=", made]]], kwargs={"limit": 1}
    )
    assert found == [made]
    assert call("execute_kw", **who, method="toggle_active", args=[[made]]) is None
    with pytest.raises(RPCError, match="Private methods") as caught:
        call("execute_kw", **who, method="_write", args=[[made]])
    assert caught.value.name == "odoo.exceptions.AccessError"


def test_databases_are_managed(
    call: Callable[..., Any], server: Any, new_name: Callable[[], str]
) -> None:
    """Databases are made, copied, dumped, restored, renamed, updated and dropped."""
    made, copy, restored, renamed = new_name(), new_name(), new_name(), new_name()
    master = {"admin_password": server.master}
    assert call(
        "create_database", **master, db_name=made, demo=False, lang="en_US", user_password="pw"
    )
    assert call("duplicate_database", **master, db_original_name=made, db_name=copy)
    data = call("dump_database", **master, db_name=made)
    assert data.startswith(b"PK")
    assert call("restore_database", **master, db_name=restored, data=data)
    assert call("rename_database", **master, old_name=copy, new_name=renamed)
    assert call("migrate_databases", **master, databases=[made])
    assert call("login", db=renamed, login="admin", password="pw") == 1
    for name in (made, restored, renamed):
        assert call("drop_database", **master, db_name=name) is True
    assert call("drop_database", **master, db_name=copy) is False
    with pytest.raises(RPCError, match="CONNECTOR_ADMIN_PASSWD"):
        call("change_admin_password", **master, new_password="other")
