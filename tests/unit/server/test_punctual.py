"""A caller gets no connection for ever, and no memory, by not ending his headers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from connector.server.punctual import MAX_HEAD_BYTES, punctual

HEAD_SECONDS = 0.15


async def _slow_app(_scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await asyncio.sleep(2 * HEAD_SECONDS)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    config = uvicorn.Config(_slow_app, http=punctual(HEAD_SECONDS), log_config=None)
    config.load()
    loop, state = asyncio.get_running_loop(), ServerState()
    make: Any = config.http_protocol_class
    server = await loop.create_server(
        lambda: make(config=config, server_state=state, app_state={}, _loop=loop), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        yield reader, writer
    finally:
        writer.close()
        server.close()
        await server.wait_closed()


async def _closed_within(reader: asyncio.StreamReader, seconds: float) -> bool:
    try:
        return await asyncio.wait_for(reader.read(), seconds) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def test_who_says_nothing_is_hung_up_on() -> None:
    """A connection on which no request comes is closed."""

    async def scenario() -> bool:
        async with connected() as (reader, _):
            return await _closed_within(reader, 20 * HEAD_SECONDS)

    assert asyncio.run(scenario())


def test_who_sends_headers_drop_by_drop_is_hung_up_on() -> None:
    """The time runs from the first byte, however many come."""

    async def scenario() -> bool:
        async with connected() as (reader, writer):
            writer.write(b"GET / HTTP/1.1\r\n")
            for number in range(60):
                if reader.at_eof():
                    return True
                writer.write(b"x-%d: y\r\n" % number)
                await asyncio.sleep(HEAD_SECONDS / 3)
            return False

    assert asyncio.run(scenario())


def test_headers_without_end_are_cut_off() -> None:
    """They are refused by their size, before the time is over."""

    async def scenario() -> bool:
        async with connected() as (reader, writer):
            line = b"x: " + b"y" * 4000 + b"\r\n"
            writer.write(b"GET / HTTP/1.1\r\n" + line * (MAX_HEAD_BYTES // len(line) + 8))
            return await _closed_within(reader, HEAD_SECONDS / 2)

    assert asyncio.run(scenario())


def test_who_is_quick_may_wait_for_a_slow_answer_twice() -> None:
    """The limit is on the headers alone, and each request begins anew."""

    async def scenario() -> list[bytes]:
        statuses = []
        async with connected() as (reader, writer):
            for _ in range(2):
                writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
                statuses.append(head.split(b"\r\n")[0])
        return statuses

    assert asyncio.run(scenario()) == [b"HTTP/1.1 204 No Content"] * 2
