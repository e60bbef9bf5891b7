"""Runs the application under uvicorn, on a socket of its own."""

from __future__ import annotations

import socket
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from connector.exception import ConfigurationError
from connector.server.punctual import punctual
from connector.server.settings import Settings

#: Calls that may be open for each thread that works; beyond that callers get a 503.
OPEN_CALLS_PER_THREAD = 64
KEEP_ALIVE_SECONDS = 30


def listen(host: str, port: int) -> socket.socket:
    """
    A socket that listens there; port 0 is any free one.

    Raises:
        ConfigurationError: the address is taken, or is none.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # Named as TCP: asyncio sends without delay only on sockets that say so.
        listening = socket.socket(family, kind, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(1024)
    except OSError as error:
        raise ConfigurationError(
            f"Cannot listen on {host}, port {port}: {error.strerror or error}. Choose another port."
        ) from error
    return listening


def url_of(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"


def run(
    app: Starlette, listening: socket.socket, settings: Settings, on_start: Callable[[], None]
) -> None:
    """Serve until a SIGINT or SIGTERM, and finish the calls that are open then."""
    config = uvicorn.Config(
        app,
        http=punctual(settings.receive_seconds),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=KEEP_ALIVE_SECONDS,
        limit_concurrency=settings.threads * OPEN_CALLS_PER_THREAD,
    )
    on_start()
    uvicorn.Server(config).run(sockets=[listening])
