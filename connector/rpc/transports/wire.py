"""HTTP/1.1 as bytes: the request that is sent, the answer read piece by piece. No I/O."""

from __future__ import annotations

import base64
import json
import re
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from connector.rpc.failures import BadResponse
from connector.rpc.transports.body import Body, ChunkedBody, ClosedBody, LengthBody, too_large

MAX_HEAD_BYTES = 65_536
DEFAULT_MAX_RESPONSE_BYTES = 256 * 1024 * 1024

# Written once: `json.dumps` with arguments makes a new encoder at each call.
_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_decode = json.JSONDecoder().decode

_HEADER = re.compile(r"\r\n([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n]*)")


class Endpoint(NamedTuple):
    """Where requests of one URL go, and how each of them begins."""

    host: str
    port: int
    tls: bool
    head: bytes

    @property
    def origin(self) -> tuple[str, int, bool]:
        """What connections may be shared by."""
        return self[:3]

    def request(self, payload: Any) -> bytes:
        """
        The bytes of a request that posts *payload*.

        Raises:
            TypeError, ValueError: *payload* cannot be written as JSON.
        """
        body = _encode(payload).encode("ascii")
        return b"%b%d\r\n\r\n%b" % (self.head, len(body), body)


@lru_cache(maxsize=128)
def endpoint_of(url: str) -> Endpoint:
    """
    The endpoint that *url* names.

    Raises:
        ValueError: *url* is not an address that can be posted to.
    """
    # Spaces and line ends would reach into the request's head.
    if not url.isprintable() or " " in url:
        raise ValueError("The URL holds spaces or control characters.")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("The URL must begin with http:// or https:// and name a host.")
    tls = parts.scheme == "https"
    host = parts.hostname
    port = parts.port or (443 if tls else 80)
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    if parts.query:
        target += "?" + quote(parts.query, safe="/?%:@!$&'()*+,;=~-._")
    lines = [
        f"POST {target} HTTP/1.1",
        f"Host: {_host_header(host, parts.port)}",
        "Accept: application/json",
        "Accept-Encoding: identity",
        "Content-Type: application/json",
        *_authorization(parts.username, parts.password),
        "Content-Length: ",
    ]
    return Endpoint(host, port, tls, "\r\n".join(lines).encode("ascii"))


def _host_header(host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host.encode("idna").decode("ascii")
    return name if port is None else f"{name}:{port}"


def _authorization(user: str | None, password: str | None) -> list[str]:
    if user is None and password is None:
        return []
    pair = f"{unquote(user or '')}:{unquote(password or '')}".encode()
    return [f"Authorization: Basic {base64.b64encode(pair).decode('ascii')}"]


class HttpResponse:
    """An answer read whole."""

    __slots__ = ("content", "headers", "reusable", "status_code")

    def __init__(
        self, status_code: int, headers: dict[str, str], content: bytes, reusable: bool
    ) -> None:
        self.status_code = status_code
        #: by lower-case name
        self.headers = headers
        self.content = content
        #: whether the connection may carry another request
        self.reusable = reusable

    def json(self) -> Any:
        """
        The body as JSON.

        Raises:
            ValueError: it is none.
        """
        return _decode(self.content.decode("utf-8"))

    def __repr__(self) -> str:
        return f"<HttpResponse {self.status_code}, {len(self.content)} bytes>"


class ResponseReader:
    """Reads one answer from the pieces in which it arrives."""

    __slots__ = ("_body", "_head", "_headers", "_keep_alive", "_limit", "_status")

    def __init__(self, max_response_bytes: int = DEFAULT_MAX_RESPONSE_BYTES) -> None:
        self._limit = max_response_bytes
        self._head = b""
        self._status = 0
        self._headers: dict[str, str] = {}
        self._keep_alive = True
        self._body: Body | None = None

    @property
    def started(self) -> bool:
        """Whether any byte was received."""
        return self._body is not None or bool(self._head)

    def feed(self, data: bytes) -> HttpResponse | None:
        """
        Take bytes in; the answer when it is whole.

        Raises:
            BadResponse: they are no HTTP answer within the limits.
        """
        if self._body is None:
            data = self._feed_head(data)
        body = self._body
        return self._response(body) if body is not None and body.feed(data) else None

    def close(self) -> HttpResponse | None:
        """The answer that the end of the connection completes, if it completes one."""
        if self._body is None or not self._body.ended_by_close():
            return None
        self._keep_alive = False
        return self._response(self._body)

    def _feed_head(self, data: bytes) -> bytes:
        """Take in the head and choose the body; returns what belongs to the body."""
        self._head += data
        while (end := self._head.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES)) >= 0:
            head, self._head = self._head[:end], self._head[end + 4 :]
            version, self._status, self._headers = parse_head(head)
            if self._status >= 200:
                self._begin_body(version)
                return self._head
            # Interim answers (100, 103) precede the one that counts.
        if len(self._head) >= MAX_HEAD_BYTES:
            raise BadResponse(f"The head of the answer exceeds {MAX_HEAD_BYTES} bytes.")
        return b""

    def _begin_body(self, version: str) -> None:
        headers = self._headers
        connection = headers.get("connection", "").lower()
        self._keep_alive = "close" not in connection and (
            version == "HTTP/1.1" or "keep-alive" in connection
        )
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise BadResponse("The answer is compressed, which was not asked for.")
        self._body = self._choose_body()

    def _choose_body(self) -> Body:
        headers = self._headers
        if self._status in (204, 304):
            return LengthBody(0)
        encoding = headers.get("transfer-encoding")
        if encoding is not None:
            if encoding.lower() != "chunked":
                raise BadResponse(f"Transfer encoding {encoding!r} is unknown.")
            # Both headers at once is how answers are smuggled past a proxy.
            self._keep_alive = self._keep_alive and "content-length" not in headers
            return ChunkedBody(self._limit)
        length = headers.get("content-length")
        if length is None:
            self._keep_alive = False
            return ClosedBody(self._limit)
        if not (length.isascii() and length.isdigit()):
            raise BadResponse(f"Content-Length {length!r} is no number.")
        if len(length) > 18 or int(length) > self._limit:
            raise too_large(self._limit)
        return LengthBody(int(length))

    def _response(self, body: Body) -> HttpResponse:
        reusable = self._keep_alive and not body.excess
        return HttpResponse(self._status, self._headers, body.content(), reusable)


def parse_head(head: bytes) -> tuple[str, int, dict[str, str]]:
    """
    Version, status and headers, by lower-case name.

    Raises:
        BadResponse: *head* is not the head of an HTTP/1 answer.
    """
    text = head.decode("latin-1")
    version, status = text[:8], text[9:12]
    if version not in ("HTTP/1.1", "HTTP/1.0") or not (status.isascii() and status.isdigit()):
        raise BadResponse("What answers does not speak HTTP/1.1.")
    found = _HEADER.findall(text)
    if len(found) != text.count("\n"):
        raise BadResponse("The answer has a malformed header.")
    headers = {name.lower(): value.rstrip(" \t") for name, value in found}
    if len(headers) != len(found):
        names = [name.lower() for name, _ in found]
        for name in ("content-length", "transfer-encoding"):
            if names.count(name) > 1:
                raise BadResponse(f"The answer has two headers {name}.")
    return version, int(status), headers
