"""The body of an HTTP answer, read piece by piece: announced, chunked, or until the end."""

from __future__ import annotations

from enum import Enum, auto
from typing import Protocol

from connector.rpc.failures import BadResponse

MAX_LINE_BYTES = 4096


class Body(Protocol):
    """The body of an answer while it is read."""

    def feed(self, data: bytes) -> bool:
        """Take bytes in; True when the body is whole."""

    def ended_by_close(self) -> bool:
        """Whether the end of the connection is the end of the body."""

    def content(self) -> bytes:
        """The whole body."""

    #: bytes beyond the body were received
    excess: bool


class LengthBody:
    """A body whose length was announced."""

    def __init__(self, length: int) -> None:
        self._missing = length
        self._pieces: list[bytes] = []
        self.excess = False

    def feed(self, data: bytes) -> bool:
        missing = self._missing = self._missing - len(data)
        if missing < 0:
            self.excess = True
            data = data[:missing]
        self._pieces.append(data)
        return missing <= 0

    def ended_by_close(self) -> bool:
        return False

    def content(self) -> bytes:
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)


class ClosedBody:
    """A body that lasts as long as the connection."""

    excess = False

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._content = bytearray()

    def feed(self, data: bytes) -> bool:
        self._content += data
        if len(self._content) > self._limit:
            raise too_large(self._limit)
        return False

    def ended_by_close(self) -> bool:
        return True

    def content(self) -> bytes:
        return bytes(self._content)


class _Line(Enum):
    """What the next line of a chunked body is."""

    SIZE = auto()  #: the size of a chunk
    END = auto()  #: the line end behind a chunk
    TRAILER = auto()  #: a header behind the last chunk, or the empty line that ends it all


class ChunkedBody:
    """A body that comes in chunks, each behind its size, the last one empty."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._content = bytearray()
        self._rest = b""  #: the beginning of a line
        self._missing = 0  #: bytes that the chunk at hand still lacks
        self._next_line = _Line.SIZE
        self.excess = False

    def feed(self, data: bytes) -> bool:
        data = self._rest + data
        self._rest = b""
        position = 0
        while True:
            if self._missing:
                piece = data[position : position + self._missing]
                self._content += piece
                position += len(piece)
                self._missing -= len(piece)
                if self._missing:
                    return False
            end = data.find(b"\r\n", position, position + MAX_LINE_BYTES)
            if end < 0:
                self._rest = data[position:]
                if len(self._rest) >= MAX_LINE_BYTES:
                    raise BadResponse("A line between the chunks of the answer does not end.")
                return False
            if self._take_line(data[position:end]):
                self.excess = end + 2 < len(data)
                return True
            position = end + 2

    def ended_by_close(self) -> bool:
        return False

    def content(self) -> bytes:
        return bytes(self._content)

    def _take_line(self, line: bytes) -> bool:
        """Read one line between chunks; True when it ends the body."""
        if self._next_line is _Line.TRAILER:
            return not line
        if self._next_line is _Line.END:
            if line:
                raise BadResponse("A chunk of the answer is longer than its size.")
            self._next_line = _Line.SIZE
            return False
        self._missing = self._size(line)
        self._next_line = _Line.END if self._missing else _Line.TRAILER
        return False

    def _size(self, line: bytes) -> int:
        digits = line.partition(b";")[0].strip(b" \t")
        # int() alone would take signs and underscores too.
        if not 0 < len(digits) <= 15 or digits.strip(b"0123456789abcdefABCDEF"):
            raise BadResponse("A chunk of the answer has no readable size.")
        size = int(digits, 16)
        if len(self._content) + size > self._limit:
            raise too_large(self._limit)
        return size


def too_large(limit: int) -> BadResponse:
    """The error for a body beyond *limit* bytes."""
    return BadResponse(f"The answer exceeds the limit of {limit} bytes.")
