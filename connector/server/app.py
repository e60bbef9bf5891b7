"""The application: addresses, and what answers behind each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from connector.server import xmlrpc
from connector.server.database_forms import DatabaseForms
from connector.server.dispatcher import Dispatcher
from connector.server.json2 import Json2
from connector.server.jsonrpc import JsonRpc
from connector.server.master_password import MasterPassword
from connector.server.requests import Threads
from connector.server.settings import Settings
from connector.server.version import SERVER_VERSION
from connector.server.web import Web


def make_app(settings: Settings, master_password: MasterPassword) -> Starlette:
    """An ASGI application that serves the external API of the databases of this process."""
    dispatcher = Dispatcher(settings, master_password)
    threads = Threads(settings)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        threads.close()

    json_rpc = JsonRpc(dispatcher, threads).endpoint
    integers = xmlrpc.integer_faults(dispatcher, threads).endpoint
    strings = xmlrpc.string_faults(dispatcher, threads).endpoint
    return Starlette(
        routes=[
            Route("/jsonrpc", json_rpc, methods=["POST"]),
            Route("/jsonrpc/", json_rpc, methods=["POST"]),
            Route("/xmlrpc/2/{service}", integers, methods=["POST"]),
            Route("/xmlrpc/{service}", strings, methods=["POST"]),
            *Web(dispatcher, threads).routes(),
            *DatabaseForms(dispatcher, threads).routes(),
            *Json2(dispatcher, threads).routes(),
            Route("/", _greeting),
            Route("/web", _greeting),
        ],
        lifespan=lifespan,
    )


async def _greeting(_request: Request) -> Response:
    """Clients ask for the address itself before they call, to see where it leads."""
    return PlainTextResponse(f"External API of connector, {SERVER_VERSION}.\n")
