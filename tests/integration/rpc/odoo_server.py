"""
A small server of the external API, with Starlette and uvicorn, in a process of its own.

It does what real servers do: `args` is required, None leaves `result` out, errors come with
HTTP 200, dumps are base64. Beside it stand addresses that misbehave. It prints its address.
"""

from __future__ import annotations

import asyncio
import base64
import json
import operator
import socket
import time
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

MASTER_PASSWORD = "master"
COUNTRIES = [["BE", "Belgium"], ["FR", "France"]]
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    "in": lambda value, values: value in values,
}

users = {("demo", "demo"): 7, ("admin", "s3cr3t-pa$$"): 2}
databases: dict[str, bytes] = {"acme": b"-- acme\n"}
partners: dict[int, dict[str, Any]] = {
    number: {"id": number, "name": f"Partner {number % 7}", "active": True}
    for number in range(1, 24)
}
calls: Counter[str] = Counter()


class AccessDenied(Exception):
    """Access Denied"""

    def __init__(self) -> None:
        super().__init__("Access Denied")


class DatabaseExists(Warning):
    """A database of that name is there already."""


class SerializationFailure(Exception):
    """Another transaction was in the way."""


class Common:
    def login(self, db: str, login: str, password: str) -> int | bool:
        return self.authenticate(db, login, password, {})

    def authenticate(self, db: str, login: str, password: str, env: dict[str, Any]) -> int | bool:
        if db not in databases:
            raise KeyError(db)
        calls["login"] += 1
        return users.get((login, password), False)

    def version(self) -> dict[str, Any]:
        return {
            "server_version": "17.0-20260101",
            "server_version_info": [17, 0, 0, "final", 0, ""],
            "server_serie": "17.0",
            "protocol_version": 1,
        }

    def about(self, extended: bool = False) -> Any:
        text = "See http://openerp.com"
        return [text, "17.0-20260101"] if extended else text


class Db:
    free = ("db_exist", "list", "list_lang", "server_version")

    def db_exist(self, name: str) -> bool:
        return name in databases

    def list(self, document: bool = False) -> list[str]:
        return sorted(databases)

    def list_lang(self) -> Any:
        return [["en_US", "English (US)"], ["fr_FR", "French / Français"]]

    def server_version(self) -> str:
        return "17.0-20260101"

    def list_countries(self) -> Any:
        return COUNTRIES

    def create_database(
        self,
        name: str,
        demo: bool,
        lang: str,
        user_password: str = "admin",
        login: str = "admin",
        country_code: str | None = None,
        phone: str | None = None,
    ) -> bool:
        if name in databases:
            raise DatabaseExists(f"database {name!r} already exists!")
        facts = [name, demo, lang, user_password, login, country_code, phone]
        databases[name] = json.dumps(facts).encode()
        return True

    def duplicate_database(self, source: str, name: str) -> bool:
        databases[name] = databases[source]
        return True

    def drop(self, name: str) -> bool:
        return databases.pop(name, None) is not None

    def dump(self, name: str, format: str) -> str:
        if format == "broken":
            return "this is no base64!"
        return base64.encodebytes(format.encode() + b"\x00" + databases[name]).decode()

    def restore(self, name: str, data: str, copy: bool = False) -> bool:
        databases[name] = base64.b64decode(data)
        return True

    def rename(self, old: str, new: str) -> bool:
        databases[new] = databases.pop(old)
        return True

    def migrate_databases(self, names: Any) -> bool:
        return all(name in databases for name in names)

    def change_admin_password(self, new: str) -> bool:
        global MASTER_PASSWORD
        MASTER_PASSWORD = new
        return True


class Partner:
    """The model `res.partner`."""

    def search(
        self,
        domain: Any,
        offset: int = 0,
        limit: int | None = None,
        order: str = "id",
        context: Any = None,
    ) -> list[int]:
        rows = [row for row in partners.values() if matches(row, domain, context or {})]
        for term in reversed(order.split(",")):
            name, _, direction = term.strip().partition(" ")
            rows.sort(key=operator.itemgetter(name), reverse=direction == "desc")
        return [row["id"] for row in rows][offset : offset + limit if limit else None]

    def search_count(self, domain: Any, context: Any = None) -> int:
        return len(self.search(domain, context=context))

    def read(self, ids: Any, fields: Any = None, context: Any = None) -> list[dict[str, Any]]:
        wanted = [ids] if isinstance(ids, int) else ids
        names = ["id", *(fields or partners[1])]
        return [{name: partners[each][name] for name in names} for each in wanted]

    def search_read(self, domain: Any, fields: Any = None, **named: Any) -> list[dict[str, Any]]:
        calls["search_read"] += 1
        return self.read(self.search(domain, **named), fields)

    def create(self, values: Any, context: Any = None) -> Any:
        if isinstance(values, list):
            return [self.create(each) for each in values]
        number = max(partners) + 1
        partners[number] = {"id": number, "name": False, "active": True, **values}
        return number

    def write(self, ids: Any, values: Any, context: Any = None) -> bool:
        for each in ids:
            partners[each].update(values)
        return True

    def unlink(self, ids: Any, context: Any = None) -> bool:
        for each in ids:
            del partners[each]
        return True

    def fields_get(self, allfields: Any = None, attributes: Any = None, context: Any = None) -> Any:
        described = {"id": {"type": "integer"}, "name": {"type": "char", "string": "Name"}}
        return {
            name: {key: value for key, value in facts.items() if key in (attributes or facts)}
            for name, facts in described.items()
            if name in (allfields or described)
        }

    def nothing(self) -> None:
        """Return None."""

    def echo(self, *args: Any, **kwargs: Any) -> Any:
        return [list(args), kwargs]

    def fail(self, text: str, **kwargs: Any) -> None:
        raise ValueError(text)

    def name_get(self, conflicts: int) -> int:
        """Meet another transaction the first times."""
        calls["name_get"] += 1
        if calls["name_get"] <= conflicts:
            raise SerializationFailure("could not serialize access")
        return calls["name_get"]

    def conflict(self) -> None:
        calls["conflict"] += 1
        raise SerializationFailure("could not serialize access")

    async def sleep(self, seconds: float) -> int:
        """The number of calls that slept at once, at most."""
        calls["asleep"] += 1
        calls["most_asleep"] = max(calls["most_asleep"], calls["asleep"])
        await asyncio.sleep(seconds)
        calls["asleep"] -= 1
        return calls["most_asleep"]

    def called(self, name: str) -> int:
        return calls[name]

    def forget_calls(self) -> bool:
        calls.clear()
        return True

    def large(self, size: int) -> str:
        return "x" * size


def matches(row: dict[str, Any], domain: Any, context: dict[str, Any]) -> bool:
    if context.get("active_test", True) and not row["active"]:
        return False
    results: list[bool] = []
    for term in reversed(domain):
        if term in ("|", "&"):
            first, second = results.pop(), results.pop()
            results.append(first or second if term == "|" else first and second)
        else:
            name, comparison, value = term
            results.append(OPERATORS[comparison](row[name], value))
    return all(results)


async def dispatch(service: str, method: str, args: Any) -> Any:
    """Run one call, as the real dispatcher does; unknown names raise."""
    if service == "common":
        return getattr(Common(), method)(*args)
    if service == "db":
        if method not in Db.free:
            if args[0] != MASTER_PASSWORD:
                raise AccessDenied
            args = args[1:]
        return getattr(Db(), method)(*args)
    if service != "object":
        raise KeyError(service)
    _, uid, password, model, name, positional, *named = args
    if users.get(next((key for key in users if key[1] == password), ("", ""))) != uid:
        raise AccessDenied
    if model != "res.partner":
        raise UserWarning(f"Object {model} doesn't exist")
    if name.startswith("_"):
        raise AccessDenied
    result = getattr(Partner(), name)(*positional, **(named[0] if named else {}))
    return await result if asyncio.iscoroutine(result) else result


async def jsonrpc(request: Request) -> Response:
    if request.headers.get("content-type") != "application/json":
        return HTMLResponse("<h1>Bad Request</h1>", 400)
    try:
        asked = json.loads(await request.body())
    except ValueError:
        return HTMLResponse("<h1>Bad Request</h1>", 400)
    answer = {"jsonrpc": "2.0", "id": asked.get("id")}
    try:
        params = asked["params"]
        result = await dispatch(params["service"], params["method"], params["args"])
        if result is not None:
            answer["result"] = result
    except Exception as error:
        answer["error"] = described(error)
    return JSONResponse(answer)


def described(error: Exception) -> dict[str, Any]:
    kind = type(error)
    place = "odoo.exceptions" if kind.__module__ == "__main__" else kind.__module__
    debug = "".join(traceback.format_exception(error))
    return {
        "code": 200,
        "message": "Odoo Server Error",
        "data": {
            "name": f"{place}.{kind.__name__}",
            "debug": debug,
            "message": str(error),
            "arguments": list(error.args),
            "context": {},
        },
    }


async def not_found(request: Request) -> Response:
    """What version 16 says of an unknown record behind a route."""
    asked = await request.json()
    error = {"code": 404, "message": "404: Not Found", "data": {"name": "werkzeug.NotFound"}}
    return JSONResponse({"jsonrpc": "2.0", "id": asked["id"], "error": error}, 404)


async def other_id(request: Request) -> Response:
    return JSONResponse({"jsonrpc": "2.0", "id": "another", "result": True})


async def page(request: Request) -> Response:
    return HTMLResponse("<h1>Welcome</h1>")


async def trouble(request: Request) -> Response:
    return HTMLResponse("<h1>Internal Server Error</h1>", 500)


async def busy(request: Request) -> Response:
    """Busy for the first two calls, as a proxy is while its server starts."""
    calls["busy"] += 1
    return await jsonrpc(request) if calls["busy"] > 2 else HTMLResponse("busy", 503)


async def elsewhere(request: Request) -> Response:
    return RedirectResponse("/jsonrpc?token=t0ken", 301)


async def a_list(request: Request) -> Response:
    return JSONResponse([1, 2])


async def slow(request: Request) -> Response:
    await asyncio.sleep(5)
    return JSONResponse({"at": time.time()})


app = Starlette(
    routes=[
        Route("/" + path, endpoint, methods=["POST"])
        for path, endpoint in {
            "jsonrpc": jsonrpc,
            "not-found": not_found,
            "other-id": other_id,
            "page": page,
            "trouble": trouble,
            "busy/jsonrpc": busy,
            "elsewhere": elsewhere,
            "list": a_list,
            "slow": slow,
        }.items()
    ]
)


if __name__ == "__main__":
    # asyncio sends without delay only on sockets that were made for TCP by name.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)  # noqa: T201 - its only output
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])
