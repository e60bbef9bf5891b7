"""The two faces have the seed's functions and signatures, and import no more than they may."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import connector.rpc
from connector.rpc import AsyncOdoo, Odoo, aio, sync

FUNCTIONS = {
    "about": ["extended"],
    "authenticate": ["db", "login", "password", "user_agent_env"],
    "change_admin_password": ["admin_password", "new_password"],
    "create_database": [
        "admin_password",
        "db_name",
        "demo",
        "lang",
        "user_password",
        "login",
        "country_code",
        "phone",
    ],
    "db_exist": ["db_name"],
    "drop_database": ["admin_password", "db_name"],
    "dump_database": ["admin_password", "db_name", "format"],
    "duplicate_database": ["admin_password", "db_original_name", "db_name"],
    "execute_kw": ["db", "uid", "password", "obj", "method", "args", "kwargs", "kw"],
    "list_countries": ["admin_password"],
    "list_databases": ["document"],
    "list_lang": [],
    "login": ["db", "login", "password"],
    "migrate_databases": ["admin_password", "databases"],
    "rename_database": ["admin_password", "old_name", "new_name"],
    "restore_database": ["admin_password", "db_name", "data", "copy"],
    "server_version": [],
    "version": [],
}
LOW_LEVEL = ("jsonrpc", "rpc_call_and_check", "rpc_result", "check_jsonrpc_response")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signatures_are_the_seeds(name: str) -> None:
    """Client and URL come first, all else by keyword, in both faces alike."""
    signature = inspect.signature(getattr(sync, name))
    parameters = list(signature.parameters.values())

    assert [each.name for each in parameters] == ["http_client", "url", *FUNCTIONS[name]]
    assert parameters[1].default == ""
    assert all(each.kind is each.KEYWORD_ONLY for each in parameters[2:])
    asynchronous = str(inspect.signature(getattr(aio, name)))
    assert asynchronous.replace("T_AsyncHttpClient", "T_HttpClient") == str(signature)


@pytest.mark.parametrize("name", [*FUNCTIONS, *LOW_LEVEL])
def test_the_package_offers_the_asynchronous_functions(name: str) -> None:
    """What `connector.rpc` offers is the function of `connector.rpc.aio`."""
    assert getattr(connector.rpc, name) is getattr(aio, name)
    assert inspect.iscoroutinefunction(getattr(aio, name))
    assert not inspect.iscoroutinefunction(getattr(sync, name))


def test_the_friendly_faces_have_the_same_methods() -> None:
    """Every public method of `Odoo` is one of `AsyncOdoo`, with the same parameters."""
    for name, method in inspect.getmembers(Odoo, inspect.isfunction):
        if name.startswith("_"):
            continue
        parameters = inspect.signature(getattr(AsyncOdoo, name)).parameters
        assert list(parameters) == list(inspect.signature(method).parameters), name


def test_the_client_needs_the_standard_library_alone() -> None:
    """Importing the client loads no database driver, no Redis and no HTTP library."""
    code = (
        "import sys, connector.rpc; "
        "print({'psycopg2', 'redis', 'rq', 'requests', 'httpx', 'aiohttp', 'connector.core'}"
        " & set(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"
