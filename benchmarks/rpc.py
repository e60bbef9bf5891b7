"""
Client CPU per call of the external API, ours beside the other clients', in one run.

    python benchmarks/rpc.py [--json] [--calls N] [--rounds N] [--uvicorn]

The server is a process of its own that gives prepared answers; only the client is measured:
the CPU time of this process, in microseconds per call, the least of all rounds, which alternate
between the clients. A row's ratio is the peer's time over ours. The usual server is quicker
than every client. With --uvicorn it is the slower one, so that clients wait and wake.
"""

from __future__ import annotations

import sys

# Files here are named like packages that they measure; as a script this would find them first.
if sys.path[0].endswith("benchmarks"):
    sys.path.remove(sys.path[0])


import argparse
import asyncio
import gc
import json
import re
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import aiohttp
import httpx
import odoorpc  # type: ignore[import-untyped]
import requests
import uvicorn

from connector.rpc import AsyncHttpTransport, HttpTransport, aio, sync

CONCURRENCY = 50
CALL: dict[str, Any] = {
    "db": "bench",
    "uid": 2,
    "password": "bench",
    "obj": "res.partner",
    "method": "search",
    "args": [[["is_company", "=", True]]],
}
ROWS = [
    {"id": n, "name": f"Partner {n}", "email": f"partner{n}@example.com", "country_id": [76, "FR"]}
    for n in range(80)
]
ROWS_JSON = json.dumps(ROWS).encode()

Measure = Callable[[int], float]


class Server(asyncio.Protocol):
    """Answers every JSON-RPC call with a prepared result, as quickly as it can."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, separator, body = self.received.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: *([0-9]+)", head, re.IGNORECASE)
        if not separator or length is None or len(body) < int(length[1]):
            return
        self.received = b""
        request_id = json.loads(body)["id"]
        answer = b'{"jsonrpc": "2.0", "id": %d, "result": %b}' % (request_id, prepared(body))
        self.transport.write(
            b"HTTP/1.1 200 OK\r\ndate: Sat, 21 Nov 2026 09:00:00 GMT\r\nserver: prepared\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
            % (len(answer), answer)
        )


def prepared(body: bytes) -> bytes:
    """The result of the call in *body*."""
    if b'"search_read"' in body:
        return ROWS_JSON
    if b'"login"' in body:
        return b"2"
    return b'{"lang": "en_US"}' if b'"context_get"' in body else b"[1, 2, 3]"


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The same answers over ASGI."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    request_id = json.loads(body)["id"]
    answer = b'{"jsonrpc": "2.0", "id": %d, "result": %b}' % (request_id, prepared(body))
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


def serve_uvicorn() -> None:
    """Print the address, then answer until killed."""
    # asyncio sends without delay only on sockets that were made for TCP by name.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(application, log_level="warning", lifespan="off")
    uvicorn.Server(config).run(sockets=[listening])


async def serve() -> None:
    """Print the address, then answer until killed."""
    listening = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", flush=True)
    await listening.serve_forever()


@contextmanager
def running_server(option: str = "--serve") -> Iterator[str]:
    """The address of the server, in a process that ends with the block."""
    command = [sys.executable, __file__, option]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def cpu_per_call(work: Callable[[], object], calls: int) -> float:
    """Microseconds of this process's CPU for each of *calls*."""
    gc.collect()
    start = time.process_time()
    work()
    return (time.process_time() - start) / calls * 1e6


def measure_sync(call: Callable[[], object], calls: int) -> float:
    call()

    def work() -> None:
        for _ in range(calls):
            call()

    return cpu_per_call(work, calls)


def measure_async(open_client: Callable[[], Any], url: str, calls: int) -> float:
    async def round_() -> float:
        async with open_client() as client:
            call = partial(aio.execute_kw, client, url, **CALL)
            await spread(call, CONCURRENCY)  # opens the connections
            start = time.process_time()
            await spread(call, calls)
            return (time.process_time() - start) / calls * 1e6

    gc.collect()
    return asyncio.run(round_())


async def spread(call: Callable[[], Awaitable[object]], calls: int) -> None:
    async def one_of_many() -> None:
        for _ in range(calls // CONCURRENCY):
            await call()

    await asyncio.gather(*(one_of_many() for _ in range(CONCURRENCY)))


class Canned:
    """A client that answers at once: what is left is the protocol layer."""

    def post(self, url: str, *, json: Any) -> Canned:
        self.answer = {"jsonrpc": "2.0", "id": json["id"], "result": [1, 2, 3]}
        return self

    def json(self) -> Any:
        return self.answer


def odoorpc_call(base: str) -> Callable[[], object]:
    host, _, port = base.removeprefix("http://").partition(":")
    odoo = odoorpc.ODOO(host, port=int(port), version="17.0")
    odoo.login("bench", "bench", "bench")
    return partial(odoo.execute_kw, CALL["obj"], CALL["method"], CALL["args"], {})


def measures(base: str) -> dict[str, Measure]:
    """Everything that is measured, by name."""
    url = f"{base}/jsonrpc"
    session, client, transport = requests.Session(), httpx.Client(), HttpTransport()
    rows = {**CALL, "method": "search_read", "kwargs": {"limit": 80}}

    def sync_call(http_client: Any, call: dict[str, Any] = CALL) -> Measure:
        return partial(measure_sync, partial(sync.execute_kw, http_client, url, **call))

    return {
        "sync transport": sync_call(transport),
        "sync transport, 80 rows": sync_call(transport, rows),
        "requests.Session": sync_call(session),
        "requests.Session, 80 rows": sync_call(session, rows),
        "httpx.Client": sync_call(client),
        "odoorpc": partial(measure_sync, odoorpc_call(base)),
        "protocol layer": sync_call(Canned()),
        "async transport": partial(measure_async, AsyncHttpTransport, url),
        "aiohttp": partial(measure_async, aiohttp.ClientSession, url),
        "httpx.AsyncClient": partial(measure_async, httpx.AsyncClient, url),
    }


PAIRS = [
    ("sync transport", "odoorpc"),
    ("sync transport", "requests.Session"),
    ("sync transport", "httpx.Client"),
    ("sync transport, 80 rows", "requests.Session, 80 rows"),
    ("async transport", "aiohttp"),
    ("async transport", "httpx.AsyncClient"),
    ("protocol layer", None),
]


def run(calls: int, rounds: int, server: str) -> list[dict[str, Any]]:
    """One row for each pair of ours and a peer's."""
    runs: dict[str, list[float]] = {}
    with running_server(server) as base:
        named = measures(base)
        for _ in range(rounds):
            for name, measure in named.items():
                # The slowest peer would take most of the time of a run.
                share = calls // 5 if name == "httpx.AsyncClient" else calls
                runs.setdefault(name, []).append(round(measure(share), 1))
    return [row(ours, peer, runs) for ours, peer in PAIRS]


def row(ours: str, peer: str | None, runs: dict[str, list[float]]) -> dict[str, Any]:
    mine = min(runs[ours])
    theirs = min(runs[peer]) if peer else None
    return {
        "name": f"{ours} / {peer}" if peer else ours,
        "unit": "client CPU, microseconds per call",
        "ours": mine,
        "peer": theirs,
        "ratio": round(theirs / mine, 2) if theirs else None,
        "runs": {name: runs[name] for name in (ours, peer) if name},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--uvicorn", action="store_true", help="measure against uvicorn")
    parser.add_argument("--serve-uvicorn", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
        return
    if options.serve_uvicorn:
        serve_uvicorn()
        return
    server = "--serve-uvicorn" if options.uvicorn else "--serve"
    rows = run(options.calls, options.rounds, server)
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    for each in rows:
        print(f"{each['name']:<55} {each['ours']:>8} {each['peer']!s:>8} {each['ratio']!s:>6}")


if __name__ == "__main__":
    main()
