"""Reads requests within the limits, and hands the synchronous work to threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from connector.server.caller import Caller
from connector.server.deadline import Deadline
from connector.server.settings import Settings

Result = TypeVar("Result")


class BadRequest(Exception):
    """A request that is answered by an HTTP status alone."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status

    def response(self) -> Response:
        # The rest of the body is not read, so the connection is of no further use.
        return PlainTextResponse(f"{self}\n", self.status, {"connection": "close"})


async def body_of(request: Request, settings: Settings) -> bytes:
    """
    The body of a request.

    Raises:
        BadRequest: it is too large, or takes too long to arrive.
    """
    told = request.headers.get("content-length", "0")
    if told.isdigit() and int(told) > settings.max_request_bytes:
        raise BadRequest(413, f"The request is larger than {settings.max_request_bytes} bytes.")
    try:
        async with asyncio.timeout(settings.receive_seconds):
            return await _received(request, settings.max_request_bytes)
    except TimeoutError:
        raise BadRequest(408, "The request took too long to arrive.") from None
    except ClientDisconnect:
        raise BadRequest(400, "The request is incomplete.") from None


async def _received(request: Request, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise BadRequest(413, f"The request is larger than {limit} bytes.")
        parts.append(part)
    return b"".join(parts)


def has_type(request: Request, kind: str) -> bool:
    """Whether the body is said to be of that type."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == kind


def caller_of(request: Request) -> Caller:
    return Caller(request.client.host if request.client else "")


class Threads:
    """Where calls are worked at, and cut off when their time is over."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="call")

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def run(self, work: Callable[[Deadline], Result]) -> Result:
        """
        The result of *work* in a thread.

        Raises:
            CallTimeoutError: it took too long, waiting for a thread included.
        """
        deadline = Deadline(self._settings.call_seconds)
        future = asyncio.get_running_loop().run_in_executor(self._pool, work, deadline)
        done, _ = await asyncio.wait({future}, timeout=deadline.seconds)
        if not done and deadline.expire():
            future.add_done_callback(_forget)
            raise deadline.error()
        return await future

    async def run_long(self, work: Callable[[], Result]) -> Result:
        """The result of *work*, which has time limits of its own."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _forget(future: asyncio.Future[Any]) -> None:
    """The caller was told already; an error nobody asks for would be logged as forgotten."""
    if not future.cancelled():
        future.exception()
