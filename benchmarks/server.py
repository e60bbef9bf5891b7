"""
The API server on one core: `execute_kw` of `search_read` of 80 records.

    python -P benchmarks/server.py [--json] [--seconds N] [--clients N]

The server is a process of its own, kept to one core; its database is made for the run, on the
server of DATABASE_URL. Calls come over JSON-RPC on connections that stay open. Told are calls per
second, with and without the cache of passwords, and where the server's CPU time of one call goes:

    core         the transaction: signals, password, search, read
    marshalling  JSON to arguments, result to JSON
    HTTP         all else: uvicorn, Starlette, threads
"""

from __future__ import annotations

import sys

# Files here are named like packages that they measure; as a script this would find them first.
if sys.path[0].endswith("benchmarks"):
    sys.path.remove(sys.path[0])


import argparse
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psutil

from connector.config import Config
from connector.core import modules, sql
from connector.core.environment import Environment
from connector.core.registry import Registry
from connector.rpc import HttpTransport
from connector.rpc.sync import execute_kw
from connector.runtime.servers import open_servers
from connector.server import marshalling
from connector.server.app import make_app
from connector.server.caller import Caller
from connector.server.dispatcher import Dispatcher
from connector.server.master_password import MasterPassword
from connector.server.run import listen, run, url_of
from connector.server.settings import Settings

DATABASE = "bench_server"
PASSWORD = "bench"
ROWS = 80
FIELDS = ["name", "email", "country_id", "is_company", "street", "city", "zip", "phone"]
ARGS: list[Any] = [[["ref", "=", "bench"]], FIELDS]


@contextmanager
def database() -> Iterator[None]:
    sql.drop_database(DATABASE)
    sql.create_database(DATABASE)
    try:
        registry = modules.initialise(DATABASE)
        with Environment.manage(), registry.cursor() as cr:
            env = Environment(cr, 1, {})
            env["res.users"].browse(1).write({"password": PASSWORD})
            country = env.ref("base.fr").id
            rows = [partner(number, country) for number in range(ROWS)]
            env["res.partner"].create(rows)
        yield
    finally:
        Registry.delete(DATABASE)
        sql.drop_database(DATABASE)


def partner(number: int, country: int) -> dict[str, Any]:
    return {
        "name": f"Partner {number}",
        "email": f"partner{number}@example.com",
        "country_id": country,
        "ref": "bench",
        "city": "Lyon",
    }


def serve(caches: bool) -> None:
    """Be the server."""
    with open_servers(Config.load()):
        settings = Settings(databases=(DATABASE,), caches_passwords=caches, threads=4)
        listening = listen("127.0.0.1", 0)
        app = make_app(settings, MasterPassword(None))
        run(app, listening, settings, lambda: print(url_of(listening), flush=True))


@contextmanager
def server(caches: bool) -> Iterator[tuple[str, psutil.Process]]:
    """A server process, kept to one core."""
    command = [sys.executable, "-P", __file__, "--serve", str(int(caches))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            found = psutil.Process(process.pid)
            if hasattr(found, "cpu_affinity"):
                found.cpu_affinity([0])
            assert process.stdout is not None
            yield process.stdout.readline().strip(), found
        finally:
            process.terminate()


def measure(caches: bool, seconds: float, clients: int) -> dict[str, float]:
    """Calls per second, and the server's CPU time of one call in microseconds."""
    with server(caches) as (url, process):
        call(url, time.monotonic())  # loads the registry
        before = sum(process.cpu_times()[:2])
        start = time.monotonic()
        end = start + seconds
        with ThreadPoolExecutor(clients) as pool:
            done = sum(pool.map(lambda _: call(url, end), range(clients)))
        took = time.monotonic() - start
        used = sum(process.cpu_times()[:2]) - before
    return {"calls_per_second": done / took, "server_cpu_us": used / done * 1e6}


def call(url: str, end: float) -> int:
    """Call until the end; at least once."""
    done = 0
    with HttpTransport() as client:
        while not done or time.monotonic() < end:
            rows = execute_kw(
                client,
                f"{url}/jsonrpc",
                db=DATABASE,
                uid=1,
                password=PASSWORD,
                obj="res.partner",
                method="search_read",
                args=ARGS,
            )
            assert len(rows) == ROWS
            done += 1
    return done


def parts(seconds: float) -> dict[str, float]:
    """CPU microseconds of one call spent in the core and in marshalling, in this process."""
    dispatcher = Dispatcher(Settings(databases=(DATABASE,)), MasterPassword(None))
    args = [DATABASE, 1, PASSWORD, "res.partner", "search_read", ARGS]
    params = {"service": "object", "method": "execute_kw", "args": args}
    payload = json.dumps({"jsonrpc": "2.0", "method": "call", "params": params, "id": 1})

    def core() -> Any:
        return dispatcher.dispatch(Caller("bench"), "object", "execute_kw", args)

    result = core()
    answer = {"jsonrpc": "2.0", "id": 1, "result": result}
    read = cpu_time(lambda: json.loads(payload), seconds / 4)
    written = cpu_time(lambda: marshalling.to_json(answer), seconds / 4)
    return {"core_us": cpu_time(core, seconds), "marshalling_us": read + written}


def cpu_time(function: Callable[[], Any], seconds: float) -> float:
    end = time.monotonic() + seconds
    best = float("inf")
    while time.monotonic() < end:
        start = time.process_time()
        for _ in range(20):
            function()
        best = min(best, (time.process_time() - start) / 20)
    return best * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(bool(options.serve))
        return
    with open_servers(Config.load()) as services:
        os.environ["DATABASE_URL"] = services.database_url
        with database():
            cached = measure(True, options.seconds, options.clients)
            hashed = measure(False, options.seconds, options.clients)
            spent = parts(options.seconds / 2)
    http = cached["server_cpu_us"] - spent["core_us"] - spent["marshalling_us"]
    figures = {"with_cache": cached, "without_cache": hashed, **spent, "http_us": http}
    if options.json:
        print(json.dumps(figures, indent=2))
        return
    for name, told in (("with the cache of passwords", cached), ("without it", hashed)):
        rate, used = told["calls_per_second"], told["server_cpu_us"]
        print(f"{name:<28} {rate:8.0f} calls/s {used:10.0f} us of server CPU per call")
    for name in ("core_us", "marshalling_us", "http_us"):
        print(f"  {name.removesuffix('_us'):<26} {figures[name]:8.0f} us")


if __name__ == "__main__":
    main()
