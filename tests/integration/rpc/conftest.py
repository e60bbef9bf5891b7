"""A real server of the external API, a server that sends any bytes, and every kind of client."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
import requests
import trustme

from connector.rpc import AsyncHttpTransport, HttpTransport, aio, sync


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    """The address of a running server."""
    command = [sys.executable, str(Path(__file__).with_name("odoo_server.py"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def url(base_url: str) -> str:
    """The address that calls are posted to."""
    return f"{base_url}/jsonrpc"


class Caller:
    """Calls functions by name over one kind of client, whichever face it belongs to."""

    def __init__(self, url: str, open_client: Callable[[], Any], is_async: bool) -> None:
        self.url = url
        self.is_async = is_async
        self._open_client = open_client

    def __call__(self, function: str, *, url: str | None = None, **arguments: Any) -> Any:
        place = self.url if url is None else url
        if not self.is_async:
            manager: AbstractContextManager[Any] = self._open_client()
            with manager as client:
                return getattr(sync, function)(client, place, **arguments)

        async def call() -> Any:
            manager: AbstractAsyncContextManager[Any] = self._open_client()
            async with manager as client:
                return await getattr(aio, function)(client, place, **arguments)

        return asyncio.run(call())

    def execute(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method of `res.partner` as the administrator."""
        return self(
            "execute_kw",
            db="acme",
            uid=2,
            password="s3cr3t-pa$$",
            obj="res.partner",
            method=method,
            args=list(args),
            kwargs=kwargs,
        )


def _callable(url: str) -> Any:
    """A callable over requests, which both faces take."""
    return nullcontext(lambda payload: requests.post(url, json=payload, timeout=10))


class _AsyncCallable:
    """An asynchronous callable over httpx."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx.AsyncClient()

    async def __aenter__(self) -> Any:
        async def post(payload: Any) -> Any:
            return await self.client.post(self.url, json=payload)

        return post

    async def __aexit__(self, *details: object) -> None:
        await self.client.aclose()


CLIENTS: dict[str, tuple[bool, Callable[[str], Callable[[], Any]]]] = {
    "sync-own": (False, lambda url: HttpTransport),
    "sync-requests": (False, lambda url: requests.Session),
    "sync-httpx": (False, lambda url: httpx.Client),
    "sync-callable": (False, lambda url: lambda: _callable(url)),
    "async-own": (True, lambda url: AsyncHttpTransport),
    "async-aiohttp": (True, lambda url: aiohttp.ClientSession),
    "async-httpx": (True, lambda url: httpx.AsyncClient),
    "async-callable": (True, lambda url: lambda: _AsyncCallable(url)),
    "async-plain-callable": (True, lambda url: lambda: _callable(url)),
}


@pytest.fixture(params=sorted(CLIENTS))
def call(request: pytest.FixtureRequest, url: str) -> Caller:
    """Every kind of client in turn."""
    is_async, make = CLIENTS[request.param]
    return Caller(url, make(url), is_async)


@pytest.fixture(params=sorted(name for name in CLIENTS if "callable" not in name))
def posting_call(request: pytest.FixtureRequest, url: str) -> Caller:
    """Every kind of client that is told the address, in turn."""
    is_async, make = CLIENTS[request.param]
    return Caller(url, make(url), is_async)


@pytest.fixture(params=["async-own", "sync-own"])
def own_call(request: pytest.FixtureRequest, url: str) -> Caller:
    """Each default client in turn."""
    is_async, make = CLIENTS[request.param]
    return Caller(url, make(url), is_async)


#: What a connection sends for one request: bytes, or pieces of them with short waits between.
Entry = bytes | list[bytes] | None


class ScriptedServer:
    """
    Sends prepared bytes: for each connection one script, in it one entry for each request.

    In an entry, `{request-id}` becomes the request's id, as long as that. An entry None closes
    the connection without an answer. After its last entry a connection is closed too, unless
    `stays_open` is set.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.scripts: list[list[Entry]] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self.stays_open = False
        self.says_goodbye = False  #: TLS is ended in due form before the connection is
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/jsonrpc"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listening.accept()
            except OSError:
                return
            script = self.scripts[min(self.connections, len(self.scripts) - 1)]
            self.connections += 1
            threading.Thread(target=self._serve, args=(accepted, script), daemon=True).start()

    def _serve(self, accepted: socket.socket, script: list[Entry]) -> None:
        try:
            if self._tls is not None:
                accepted = self._tls.wrap_socket(accepted, server_side=True)
            for entry in script:
                request = self._read(accepted)
                if not request:
                    break
                self.requests.append(request)
                if entry is None:
                    break
                self._answer(accepted, request, entry)
                if self.says_goodbye and isinstance(accepted, ssl.SSLSocket):
                    accepted.settimeout(0.1)
                    accepted.unwrap()
                if entry is script[-1] and self.stays_open:
                    self._read(accepted)
        except OSError:
            return
        finally:
            accepted.close()

    def _read(self, accepted: socket.socket) -> bytes:
        received = b""
        while True:
            data = accepted.recv(65_536)
            received += data
            head, separator, body = received.partition(b"\r\n\r\n")
            if not data:
                return b""
            length = re.search(rb"content-length: ([0-9]+)", head, re.IGNORECASE)
            if separator and length is not None and len(body) >= int(length[1]):
                return received

    def _answer(self, accepted: socket.socket, request: bytes, entry: bytes | list[bytes]) -> None:
        request_id = request.rpartition(b'"id":')[2].strip(b"}").ljust(12)
        pieces = [entry] if isinstance(entry, bytes) else entry
        for number, piece in enumerate(pieces):
            time.sleep(0.02 if number else 0)
            accepted.sendall(piece.replace(b"{request-id}", request_id))


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    """A server that sends prepared bytes."""
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture
def authority() -> trustme.CA:
    """A certificate authority made for the test."""
    return trustme.CA()


@pytest.fixture
def scripted_tls(authority: trustme.CA) -> Iterator[ScriptedServer]:
    """A server that sends prepared bytes over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = ScriptedServer(context)
    yield server
    server.close()
