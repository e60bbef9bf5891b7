"""Both servers over TCP, with passwords and TLS, as on several machines."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
import trustme

from connector.core import sql
from connector.embedded import Services
from connector.queue import broker

PASSWORD = "not-for-the-log"


class Reached(NamedTuple):
    """The two servers, as another machine has them."""

    database_url: str
    redis_url: str


@pytest.fixture(scope="module")
def servers(
    servers: Any, own_servers: Services, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reached]:
    """Servers that listen, and ask for a password."""
    port = listen(own_servers)
    database_url = f"postgresql://connector:{PASSWORD}@127.0.0.1:{port}/connector"
    redis = broker.connect(own_servers.redis_url)
    redis.acl_setuser(
        "worker", True, passwords=f"+{PASSWORD}", keys="*", channels="*", categories=["+@all"]
    )
    authority = tmp_path_factory.mktemp("tls") / "authority.pem"
    with Encrypted(unquote(urlsplit(own_servers.redis_url).path), authority) as redis_port:
        redis_url = f"rediss://worker:{PASSWORD}@127.0.0.1:{redis_port}/0?ssl_ca_certs={authority}"
        sql.use_server(database_url)
        broker.use_redis(redis_url)
        yield Reached(database_url, redis_url)
        broker.current().close()
        sql.close_all()
    redis.acl_deluser("worker")
    redis.close()
    listen_no_more(own_servers, database_url)
    sql.use_server(servers.database_url)
    broker.use_redis(servers.redis_url)


def listen(services: Services) -> int:
    """Have PostgreSQL listen, and ask for a password; answer its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    sql.use_server(services.database_url)
    administer(
        "ALTER SYSTEM SET listen_addresses TO '127.0.0.1'",
        f"ALTER SYSTEM SET port TO {port}",
        f"ALTER ROLE connector PASSWORD '{PASSWORD}'",
    )
    access = Path(services.layout.postgres_data) / "pg_hba.conf"
    access.with_suffix(".kept").write_text(access.read_text())
    access.write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    restart(services)
    return port


def listen_no_more(services: Services, database_url: str) -> None:
    sql.use_server(database_url)
    administer("ALTER SYSTEM RESET ALL")
    access = Path(services.layout.postgres_data) / "pg_hba.conf"
    access.write_text(access.with_suffix(".kept").read_text())
    restart(services)


def administer(*statements: str) -> None:
    with sql.current_server().maintenance() as cr:
        for statement in statements:
            cr.execute(statement)


def restart(services: Services) -> None:
    sql.close_all()
    os.kill(services.pids()["postgres"], signal.SIGINT)
    while "postgres" in services.pids():
        time.sleep(0.05)
    services.ensure_postgres()


class Encrypted:
    """A port that speaks TLS and forwards to a socket file; its authority goes to a file."""

    def __init__(self, path: str, authority_file: Path) -> None:
        self._path = path
        authority = trustme.CA()
        authority.cert_pem.write_to_path(authority_file)
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(self._context)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> int:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context), self._loop
        ).result(10)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def __exit__(self, *_details: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(self._path)
        try:
            await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))
        finally:
            for end in (back, writer):
                end.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


def options(handle: int) -> dict[str, int]:
    """What the kernel does for the socket of that number."""
    with socket.socket(fileno=os.dup(handle)) as end:
        return {
            "keepalive": end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
            **{
                name: end.getsockopt(socket.IPPROTO_TCP, getattr(socket, f"TCP_{name.upper()}"))
                for name in ("keepidle", "keepintvl", "keepcnt", "user_timeout")
            },
        }


WATCHED = {"keepalive": 1, "keepidle": 2, "keepintvl": 2, "keepcnt": 3, "user_timeout": 8000}


def test_both_ends_of_a_connection_watch_each_other(database):
    """
    Of a connection to PostgreSQL both kernels ask after the other end every 2 seconds and give up
    after 8, and the server looks for its client during a statement.
    """
    names = [
        "client_connection_check_interval",
        *(f"tcp_keepalives_{name}" for name in ("idle", "interval", "count")),
        "tcp_user_timeout",
    ]
    there, server = sql.connect(database.name), sql.current_server()
    for kind in (there.cursor, there.chained_cursor, server.maintenance):
        with kind() as cr:
            assert options(cr.connection.fileno()) == WATCHED
            cr.execute(
                "SELECT current_setting(name) FROM unnest(%s) WITH ORDINALITY AS asked (name, n)"
                " ORDER BY n",
                (names,),
            )
            assert [row[0] for row in cr.fetchall()] == ["2s", "2", "2", "3", "8000"]


def test_a_connection_to_redis_is_watched(servers):
    """
    The same holds of the client's end of a connection to Redis.
    """
    redis = broker.current().redis
    connection = redis.connection_pool.get_connection()
    try:
        assert options(connection._sock.fileno()) == WATCHED
    finally:
        redis.connection_pool.release(connection)


def test_jobs_run_over_tcp_with_passwords_and_tls(queue):
    """
    Workers and their children that know the servers by URLs with passwords, Redis by TLS, run
    jobs; no password is told.
    """
    with queue.workers(2, options=("--fork",)):
        uuid = queue.delay(queue.jobs.leave_effect_slowly, "slow", 1)
        queue.wait_for_state(uuid, "started")
        places = queue.rows(
            "SELECT DISTINCT client_addr::text FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend'"
        )
        users = {client["user"] for client in broker.current().redis.client_list()}
        queue.wait_for_state(uuid, "done")

    assert places == [("127.0.0.1/32",)]
    assert "worker" in users
    assert PASSWORD not in queue.log.read_text()


def test_a_wrong_password_is_told_without_it(queue):
    """
    With a wrong password for either server the worker says which one, and shows none.
    """
    right = dict(queue.environment)
    for name, told in (("DATABASE_URL", "connect to database"), ("REDIS_URL", "Redis at")):
        queue.environment = right | {name: right[name].replace(PASSWORD, "wrong-and-hidden")}
        queue.log.write_text("")
        with queue.workers() as process:
            assert process.wait(20) != 0
        assert told in queue.log.read_text()
        assert "wrong-and-hidden" not in queue.log.read_text()
