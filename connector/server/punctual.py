"""Hangs up on callers who do not get to the end of their headers."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Bytes that the head of a request may have; what comes with it in one packet is not counted.
MAX_HEAD_BYTES = 128 * 1024


class PunctualProtocol(HttpToolsProtocol):
    """
    HTTP/1.1 whose requests have a time, and a size, in which their headers must be complete.

    The body is the application's affair, which is called when the headers are.
    """

    head_seconds: float = 60.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._hang_up: asyncio.TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._hang_up is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._hang_up is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        self._expect_nothing()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._head_bytes = 0
        self._hang_up = self.loop.call_later(self.head_seconds, self.transport.close)

    def _expect_nothing(self) -> None:
        if self._hang_up is not None:
            self._hang_up.cancel()
            self._hang_up = None


def punctual(head_seconds: float) -> type[PunctualProtocol]:
    """The protocol with a time of its own; uvicorn makes the instances."""
    return type("PunctualProtocol", (PunctualProtocol,), {"head_seconds": head_seconds})
