"""The default synchronous HTTP client: sockets kept open, shared by threads, safe over a fork."""

from __future__ import annotations

import os
import select
import socket
import ssl
import time
import weakref
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from connector.rpc.failures import Lost, NotSent, Unanswered
from connector.rpc.repeating import may_repeat
from connector.rpc.transports.wire import (
    DEFAULT_MAX_RESPONSE_BYTES,
    Endpoint,
    HttpResponse,
    ResponseReader,
    endpoint_of,
)

#: Below the size from which malloc asks the kernel for memory at each call.
RECEIVE_BYTES = 65_536

#: A connection left alone for longer is not used again: something between may have forgotten it.
MAX_IDLE_SECONDS = 60.0

_transports: weakref.WeakSet[HttpTransport] = weakref.WeakSet()


class HttpTransport:
    """
    Posts JSON and reads the answer, over connections that are kept open.

    Threads may share one. Redirects are returned as they are, and proxies are not used.
    """

    def __init__(
        self,
        *,
        timeout_seconds: float = 30.0,
        connect_timeout_seconds: float = 10.0,
        max_response_bytes: int = DEFAULT_MAX_RESPONSE_BYTES,
        max_idle: int = 16,
        ssl_context: ssl.SSLContext | None = None,
        may_repeat: Callable[[Any], bool] = may_repeat,
    ) -> None:
        # The deques' own operations are atomic, so threads need no lock.
        self._idle: dict[tuple[str, int, bool], deque[_Connection]] = {}
        self._timeout = timeout_seconds
        self._connect_timeout = connect_timeout_seconds
        self._max_response_bytes = max_response_bytes
        self._max_idle = max_idle
        self._ssl_context = ssl_context
        self._may_repeat = may_repeat
        _transports.add(self)

    def post(self, url: str, *, json: Any) -> HttpResponse:
        """
        The answer to *json*, posted to *url*.

        Raises:
            TransportError: no connection, no answer in time, or no proper one.
            TypeError, ValueError: *json* or *url* cannot be sent.
        """
        endpoint = endpoint_of(url)
        request = endpoint.request(json)
        connection = self._take_idle(endpoint)
        if connection is not None:
            try:
                return self._exchange(endpoint, connection, request)
            except Unanswered:
                # The server may have closed an idle connection just as the request left,
                # or may have died of it: only a call that reads can be sent again.
                if not self._may_repeat(json):
                    raise
        return self._exchange(endpoint, self._connect(endpoint), request)

    def close(self) -> None:
        """Close the idle connections; the transport stays usable."""
        idle, self._idle = self._idle, {}
        for connections in idle.values():
            while connections:
                connections.pop().close()

    def __del__(self) -> None:
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _exchange(
        self, endpoint: Endpoint, connection: _Connection, request: bytes
    ) -> HttpResponse:
        reader = ResponseReader(self._max_response_bytes)
        try:
            response = connection.exchange(request, reader, self._timeout)
        except BaseException:
            # Whatever interrupted it, the rest of the answer must not meet the next request.
            connection.close()
            raise
        if response.reusable:
            self._keep(endpoint, connection)
        else:
            connection.close()
        return response

    def _take_idle(self, endpoint: Endpoint) -> _Connection | None:
        connections = self._idle.get(endpoint.origin)
        while connections:
            try:
                connection = connections.pop()
            except IndexError:  # another thread took the last one
                return None
            if connection.is_usable():
                return connection
            connection.close()
        return None

    def _keep(self, endpoint: Endpoint, connection: _Connection) -> None:
        connections = self._idle.get(endpoint.origin)
        if connections is None:
            connections = self._idle.setdefault(endpoint.origin, deque())
        if len(connections) < self._max_idle:
            connections.append(connection)
        else:
            connection.close()

    def _connect(self, endpoint: Endpoint) -> _Connection:
        address = (endpoint.host, endpoint.port)
        try:
            sock = socket.create_connection(address, self._connect_timeout)
        except OSError as error:
            raise NotSent(f"No connection to {endpoint.host}:{endpoint.port}: {error}") from error
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if endpoint.tls:
                if self._ssl_context is None:
                    self._ssl_context = ssl.create_default_context()
                sock = self._ssl_context.wrap_socket(
                    # An answer cut short by someone between must not look whole.
                    sock,
                    server_hostname=endpoint.host,
                    suppress_ragged_eofs=False,
                )
            sock.settimeout(self._timeout)
        except OSError as error:
            sock.close()
            raise NotSent(
                f"No secure connection to {endpoint.host}:{endpoint.port}: {error}"
            ) from error
        return _Connection(sock)

    def _forget_connections(self) -> None:
        """Close this process's copies of the sockets, unheard by the server."""
        self.close()


class _Connection:
    """One open socket, used by one exchange at a time."""

    __slots__ = ("_poll", "_shortened", "_sock", "_used_at")

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._used_at = time.monotonic()
        self._shortened = False
        poller = select.poll()
        poller.register(sock, select.POLLIN)
        self._poll = poller.poll

    def is_usable(self) -> bool:
        """Whether the server has neither closed the connection nor spoken unasked."""
        if time.monotonic() - self._used_at > MAX_IDLE_SECONDS:
            return False
        return not self._poll(0) or self._only_tls_spoke()

    def exchange(self, request: bytes, reader: ResponseReader, timeout: float) -> HttpResponse:
        """
        Send *request* and read the answer to it.

        Raises:
            TransportError: it does not come, in time, or properly.
        """
        deadline = time.monotonic() + timeout
        if self._shortened:
            self._sock.settimeout(timeout)
            self._shortened = False
        self._send(request)
        while True:
            data = self._receive(reader)
            response = reader.feed(data) if data else reader.close()
            if response is not None:
                self._used_at = time.monotonic()
                return response
            if not data:
                raise _ended(reader)
            self._shorten(deadline)

    def close(self) -> None:
        self._sock.close()

    def _send(self, request: bytes) -> None:
        try:
            self._sock.sendall(request)
        except TimeoutError as error:
            raise Lost("The request could not be sent in time.") from error
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            # A server that refuses a large request answers before it has read the whole and
            # closes: its answer is worth reading, and if there is none, that is found there.
            return
        except OSError as error:
            raise Lost(f"The request could not be sent: {error}") from error

    def _receive(self, reader: ResponseReader) -> bytes:
        try:
            return self._sock.recv(RECEIVE_BYTES)
        except TimeoutError as error:
            raise Lost("No whole answer came in time.") from error
        except OSError as error:
            raise _ended(reader) from error

    def _shorten(self, deadline: float) -> None:
        """Let the next wait end at the deadline: a server that dribbles gets no extra time."""
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise Lost("No whole answer came in time.")
        self._sock.settimeout(remaining)
        self._shortened = True

    def _only_tls_spoke(self) -> bool:
        """Whether what can be read is TLS's own, such as a session ticket."""
        if not isinstance(self._sock, ssl.SSLSocket):
            return False
        self._sock.settimeout(0)
        self._shortened = True
        try:
            self._sock.recv(1)
        except (ssl.SSLWantReadError, BlockingIOError):
            return True
        except OSError:
            return False
        return False


def _ended(reader: ResponseReader) -> Lost:
    if reader.started:
        return Lost("The server closed the connection in the middle of its answer.")
    return Unanswered("The server closed the connection without an answer.")


def _forget_connections() -> None:
    for transport in list(_transports):
        transport._forget_connections()


# Two processes that write on one socket would read each other's answers.
os.register_at_fork(after_in_child=_forget_connections)
