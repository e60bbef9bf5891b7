"""Workers that reach both servers over a network which falls silent without closing anything."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import SplitResult, parse_qs, urlsplit

import pytest

from connector.queue import broker

#: A machine that is cut off: its jobs are taken up within this time.
CUT_OFF_SECONDS = 30


CHUNK_BYTES = 65536


class Proxy:
    """
    Listens on a port of the loopback interface and forwards to a server, by socket file or port.

    `freeze` stops the forwarding and closes nothing: bytes stay where they are, new connections
    are accepted and lead nowhere.  `cut` closes the server's ends as well, so that the server
    lets go of its clients, who hear nothing of it.  `heal` goes on.
    """

    def __init__(self, server: str | tuple[str, int]) -> None:
        self._address = server
        self._loop = asyncio.new_event_loop()
        self._forwarding = asyncio.Event()
        self._servers_ends: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def freeze(self) -> None:
        self._loop.call_soon_threadsafe(self._forwarding.clear)

    def heal(self) -> None:
        self._loop.call_soon_threadsafe(self._forwarding.set)

    def cut(self) -> None:
        self.freeze()
        self._loop.call_soon_threadsafe(self._close_servers_ends)

    def _do(self, work: object) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)  # type: ignore[arg-type]

    async def _listen(self) -> None:
        self._forwarding.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _close_servers_ends(self) -> None:
        for writer in self._servers_ends:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._forwarding.wait()
        there, back = await self._connected()
        self._servers_ends.add(back)
        try:
            await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer))
        finally:
            self._servers_ends.discard(back)
            for end in (back, writer):
                end.close()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._address, str):
            return await asyncio.open_unix_connection(self._address)
        return await asyncio.open_connection(*self._address)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(CHUNK_BYTES):
                await self._forwarding.wait()
                writer.write(data)
                await writer.drain()
        await self._forwarding.wait()
        writer.close()


@dataclass
class Network:
    """What one machine has between itself and the two servers."""

    postgres: Proxy
    redis: Proxy
    #: the URLs of the servers, as that machine has them
    urls: dict[str, str]


@pytest.fixture
def network(servers: Any) -> Iterator[Network]:
    near_postgres, near_redis = urlsplit(servers.database_url), urlsplit(servers.redis_url)
    with ExitStack() as stack:
        postgres = stack.enter_context(Proxy(postgres_address(near_postgres)))
        redis = stack.enter_context(Proxy(redis_address(near_redis)))
        number = near_redis.path.strip("/") if near_redis.hostname else near_redis.query[3:]
        urls = {
            "DATABASE_URL": at(near_postgres, postgres.port),
            "REDIS_URL": f"redis://127.0.0.1:{redis.port}/{number}",
        }
        yield Network(postgres, redis, urls)


def postgres_address(url: SplitResult) -> str | tuple[str, int]:
    parameters = {name: values[0] for name, values in parse_qs(url.query).items()}
    host, port = parameters.get("host") or url.hostname, parameters.get("port") or url.port
    assert host, "The tests' server has neither a socket nor a host in its URL."
    if host.startswith("/"):
        return f"{host}/.s.PGSQL.{port or 5432}"
    return host, int(port or 5432)


def redis_address(url: SplitResult) -> str | tuple[str, int]:
    return (url.hostname, url.port or 6379) if url.hostname else url.path


def at(url: SplitResult, port: int) -> str:
    """The URL with the proxy as its host."""
    user = url.netloc.rpartition("@")[0]
    return f"postgresql://{user}@127.0.0.1:{port}{url.path}"


def test_silence_loses_nothing_and_repeats_nothing(queue, network):
    """
    PostgreSQL, Redis and both fall silent while jobs run, wait and come, and answer again: every
    job runs once, and none is started a second time.
    """
    labels = [str(number) for number in range(60)]
    for label in labels[:30]:
        queue.delay(queue.jobs.leave_effect_slowly, label, 0.3)
        queue.delay(queue.jobs.leave_effect_in_a_long_statement, f"{label} too", 0.1)
    queue.environment.update(network.urls)

    with queue.workers(2):
        for silent, seconds in (
            ([network.postgres], 2),
            ([network.redis], broker.ANSWER_SECONDS + 2),
            ([network.postgres, network.redis], 2),
        ):
            before = len(queue.effects())
            queue.wait_until(lambda before=before: len(queue.effects()) > before + 2)
            for proxy in silent:
                proxy.freeze()
            new = labels.pop()
            queue.delay(queue.jobs.leave_effect, new)
            time.sleep(1)
            effects = queue.effects()
            time.sleep(seconds)
            assert new not in queue.effects()
            if network.postgres in silent:
                assert queue.effects() == effects
            for proxy in silent:
                proxy.heal()
        queue.wait_until(lambda: queue.rows(UNFINISHED) == [(0,)], seconds=60)

    expected = [*labels[:30], *(f"{label} too" for label in labels[:30]), "59", "58", "57"]
    assert sorted(queue.effects()) == sorted(expected)
    assert queue.rows("SELECT DISTINCT state, attempt FROM queue_job") == [("done", 1)]


UNFINISHED = "SELECT count(*) FROM queue_job WHERE state <> 'done'"


@pytest.mark.parametrize("name", ["leave_effect_slowly", "leave_effect_in_a_long_statement"])
def test_the_job_of_a_machine_that_is_cut_off_is_taken_up(queue, network, name):
    """
    The server lets go of a machine that hears nothing of it; another machine runs its job, and
    the first one, when it is back, writes nothing.
    """
    uuid = queue.delay(getattr(queue.jobs, name), "once", 2)
    near = dict(queue.environment)
    queue.environment.update(network.urls)

    with queue.workers():
        first = queue.wait_for_state(uuid, "started")
        network.postgres.cut()
        network.redis.cut()
        queue.environment.update(near)
        with queue.workers():
            job = queue.wait_for_state(uuid, "done", seconds=CUT_OFF_SECONDS)
            network.postgres.heal()
            network.redis.heal()
            late = queue.delay(queue.jobs.leave_effect, "late")
            queue.wait_for_state(late, "done")
            time.sleep(2)

    assert job["worker"] != first["worker"]
    assert job["attempt"] == 2
    assert queue.effects() == ["once", "late"]
