"""The default asynchronous HTTP client: a pool of connections, each one an `asyncio.Protocol`."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from connector.rpc.failures import BadResponse, Lost, NotSent, Unanswered
from connector.rpc.repeating import may_repeat
from connector.rpc.transports.blocking import MAX_IDLE_SECONDS, RECEIVE_BYTES
from connector.rpc.transports.wire import (
    DEFAULT_MAX_RESPONSE_BYTES,
    Endpoint,
    HttpResponse,
    ResponseReader,
    endpoint_of,
)

Origin = tuple[str, int, bool]


class AsyncHttpTransport:
    """
    Posts JSON and reads the answer, over at most *max_connections* connections kept open.

    It serves one event loop at a time; tasks may share it. Redirects are returned as they
    are, and proxies are not used.
    """

    def __init__(
        self,
        *,
        timeout_seconds: float = 30.0,
        connect_timeout_seconds: float = 10.0,
        max_response_bytes: int = DEFAULT_MAX_RESPONSE_BYTES,
        max_connections: int = 100,
        ssl_context: ssl.SSLContext | None = None,
        may_repeat: Callable[[Any], bool] = may_repeat,
    ) -> None:
        self._timeout = timeout_seconds
        self._connect_timeout = connect_timeout_seconds
        self._max_response_bytes = max_response_bytes
        self._max_connections = max_connections
        self._ssl_context = ssl_context
        self._may_repeat = may_repeat
        self._loop: asyncio.AbstractEventLoop | None = None
        self._idle: dict[Origin, deque[_Connection]] = {}
        self._in_use = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._watch = _DeadlineWatch()

    async def post(self, url: str, *, json: Any) -> HttpResponse:
        """
        The answer to *json*, posted to *url*.

        Raises:
            TransportError: no connection, no answer in time, or no proper one.
            TypeError, ValueError: *json* or *url* cannot be sent.
        """
        endpoint = endpoint_of(url)
        request = endpoint.request(json)
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._begin_pool(loop)
        if self._in_use < self._max_connections:
            self._in_use += 1
        else:
            await self._wait_for_place(loop)
        try:
            connection = self._take_idle(endpoint)
            if connection is not None:
                try:
                    return await self._exchange(loop, endpoint, connection, request)
                except Unanswered:
                    # The server may have closed an idle connection just as the request left,
                    # or may have died of it: only a call that reads can be sent again.
                    if not self._may_repeat(json):
                        raise
            connection = await self._connect(loop, endpoint)
            return await self._exchange(loop, endpoint, connection, request)
        finally:
            self._leave()

    async def close(self) -> None:
        """Close the idle connections; the transport stays usable."""
        idle, self._idle = self._idle, {}
        for connections in idle.values():
            for connection in connections:
                # Nothing is left to send, and TLS's goodbye would outlast the loop.
                connection.abort()
        self._watch.stop()
        await asyncio.sleep(0)  # the sockets are closed in the next turn of the loop

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def _begin_pool(self, loop: asyncio.AbstractEventLoop) -> None:
        """Forget what another loop made: connections and waiting tasks belong to theirs."""
        self._loop = loop
        self._idle = {}
        self._in_use = 0
        self._waiting = deque()
        self._watch = _DeadlineWatch()

    async def _wait_for_place(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait until another call ends and hands its place on."""
        turn = loop.create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()  # the place was given already: pass it on
            raise

    def _leave(self) -> None:
        """Give the place to the first who waits, or free it."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._in_use -= 1

    async def _exchange(
        self,
        loop: asyncio.AbstractEventLoop,
        endpoint: Endpoint,
        connection: _Connection,
        request: bytes,
    ) -> HttpResponse:
        reader = ResponseReader(self._max_response_bytes)
        connection.deadline = deadline = loop.time() + self._timeout
        self._watch.add(connection, loop, deadline)
        try:
            response = await connection.begin(loop, request, reader)
        except BaseException:
            # Whatever interrupted it, the rest of the answer must not meet the next request.
            connection.abort()
            raise
        finally:
            self._watch.remove(connection)
        if response.reusable and connection.open:
            connection.deadline = loop.time() + MAX_IDLE_SECONDS
            self._idle.setdefault(endpoint.origin, deque()).append(connection)
        else:
            connection.close()
        return response

    def _take_idle(self, endpoint: Endpoint) -> _Connection | None:
        connections = self._idle.get(endpoint.origin)
        while connections:
            connection = connections.pop()
            if connection.open and connection.deadline > asyncio.get_running_loop().time():
                return connection
            connection.close()
        return None

    async def _connect(self, loop: asyncio.AbstractEventLoop, endpoint: Endpoint) -> _Connection:
        context: ssl.SSLContext | None = None
        if endpoint.tls:
            if self._ssl_context is None:
                self._ssl_context = ssl.create_default_context()
            context = self._ssl_context
        try:
            async with asyncio.timeout(self._connect_timeout):
                _, connection = await loop.create_connection(
                    _Connection, endpoint.host, endpoint.port, ssl=context
                )
        except OSError as error:
            told = str(error) or "no answer in time"
            raise NotSent(f"No connection to {endpoint.host}:{endpoint.port}: {told}") from error
        return connection


class _Connection(asyncio.BufferedProtocol):
    """One open connection, used by one exchange at a time."""

    def __init__(self) -> None:
        self.open = False
        #: when the exchange, or the rest between two, has lasted too long
        self.deadline = 0.0
        # One buffer for all that arrives: a new one for each piece costs more than the copy.
        self._buffer = bytearray(RECEIVE_BYTES)
        self._view = memoryview(self._buffer)
        self._transport: asyncio.Transport | None = None
        self._reader: ResponseReader | None = None
        self._answer: asyncio.Future[HttpResponse] | None = None

    def begin(
        self, loop: asyncio.AbstractEventLoop, request: bytes, reader: ResponseReader
    ) -> asyncio.Future[HttpResponse]:
        """
        Send *request*; the future of the answer to it.

        Its error is a `TransportError`: the answer does not come, or not properly.
        """
        assert self._transport is not None
        self._reader = reader
        self._answer = answer = loop.create_future()
        self._transport.write(request)
        return answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.open = True

    def get_buffer(self, sizehint: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        data = bytes(self._view[:nbytes])
        if self._reader is None:
            self.close()  # the server speaks unasked: its answers cannot be told apart
            return
        try:
            response = self._reader.feed(data)
        except BadResponse as error:
            self.fail(error)
            return
        if response is not None:
            self._finish(response)

    def eof_received(self) -> None:
        self.open = False

    def connection_lost(self, error: Exception | None) -> None:
        self.open = False
        reader = self._reader
        if reader is None:
            return
        # Only a clean end completes a body that lasts as long as its connection.
        response = reader.close() if error is None else None
        if response is not None:
            self._finish(response)
        elif reader.started:
            self.fail(Lost("The server closed the connection in the middle of its answer."))
        else:
            self.fail(Unanswered("The server closed the connection without an answer."))

    def fail(self, error: Exception) -> None:
        """End the exchange at hand with *error*."""
        answer, self._reader, self._answer = self._answer, None, None
        if answer is not None and not answer.done():
            answer.set_exception(error)

    def close(self) -> None:
        self.open = False
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once, without sending what is still to be sent."""
        self.open = False
        self._reader = self._answer = None
        if self._transport is not None:
            self._transport.abort()

    def _finish(self, response: HttpResponse) -> None:
        answer, self._reader, self._answer = self._answer, None, None
        if answer is not None and not answer.done():
            answer.set_result(response)


class _DeadlineWatch:
    """
    Ends exchanges that last too long, with one timer for all of them.

    A timer per call would cost more than the rest of the call's bookkeeping.
    """

    def __init__(self) -> None:
        self._connections: set[_Connection] = set()
        self._timer: asyncio.TimerHandle | None = None

    def add(
        self, connection: _Connection, loop: asyncio.AbstractEventLoop, deadline: float
    ) -> None:
        self._connections.add(connection)
        # All exchanges are given the same time, so a later one never ends before the timer.
        if self._timer is None:
            self._timer = loop.call_at(deadline, self._look, loop)

    def remove(self, connection: _Connection) -> None:
        self._connections.discard(connection)

    def stop(self) -> None:
        """End the timer, unless an exchange still needs it."""
        if self._timer is not None and not self._connections:
            self._timer.cancel()
            self._timer = None

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for connection in self._connections:
            if connection.deadline <= now:
                connection.fail(Lost("No whole answer came in time."))
        deadlines = [each.deadline for each in self._connections if each.deadline > now]
        self._timer = loop.call_at(min(deadlines), self._look, loop) if deadlines else None
