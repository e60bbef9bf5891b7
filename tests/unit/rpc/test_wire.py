"""HTTP as bytes: whatever the pieces, the answer is the same."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.rpc.failures import TransportError
from connector.rpc.transports.wire import HttpResponse, ResponseReader, endpoint_of

LIMIT = 10_000


def read(data: bytes, cuts: list[int]) -> HttpResponse | None:
    """The answer in *data*, received in pieces that end at *cuts*, then the end."""
    reader = ResponseReader(LIMIT)
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in pairwise(edges):
        piece = data[start:end]
        response = reader.feed(piece) if piece else None
        if response is not None:
            return response
    return reader.close()


def framed(body: bytes, framing: str, sizes: list[int]) -> bytes:
    """An answer with *body*; chunks have *sizes*, the last takes the rest."""
    head = b"HTTP/1.1 200 OK\r\nServer: test\r\n"
    if framing == "length":
        return head + b"content-LENGTH:%d \r\n\r\n" % len(body) + body
    if framing == "close":
        return head + b"\r\n" + body
    chunks = b""
    rest = body
    for size in [*sizes, len(body)]:
        chunk, rest = rest[:size], rest[size:]
        if chunk:
            chunks += b"%X\r\n%b\r\n" % (len(chunk), chunk)
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


@given(
    st.binary(max_size=300),
    st.sampled_from(["length", "close", "chunks"]),
    st.lists(st.integers(1, 50), max_size=5),
    st.lists(st.integers(0, 1000), max_size=8),
)
def test_an_answer_is_the_same_in_whatever_pieces(
    body: bytes, framing: str, sizes: list[int], cuts: list[int]
) -> None:
    """Every framing of every body, cut anywhere, is read as that body."""
    response = read(framed(body, framing, sizes), cuts)

    assert response is not None
    assert (response.status_code, response.content) == (200, body)
    assert response.reusable is (framing != "close")


@given(st.binary(max_size=200), st.lists(st.integers(0, 1000), max_size=3))
def test_no_bytes_do_more_than_be_refused(data: bytes, cuts: list[int]) -> None:
    """Bytes of any kind are an answer, a part of one, or refused; never another error."""
    for begin in (
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ):
        response = None
        with suppress(TransportError):
            response = read(begin + data, cuts)
        assert response is None or len(response.content) <= len(data)


def test_both_framings_at_once_end_the_connection() -> None:
    """Chunks win over a length, and the connection is not trusted with another request."""
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"

    response = read(data, [])

    assert response is not None
    assert (response.content, response.reusable) == (b"", False)


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_some_answers_have_no_body(status: bytes) -> None:
    """A status that excludes a body is not waited upon for one."""
    response = ResponseReader().feed(b"HTTP/1.1 %b\r\n\r\n" % status)

    assert response is not None
    assert response.content == b""


def test_a_request_is_what_it_should_be() -> None:
    """Host, path, type and length are written once and right."""
    endpoint = endpoint_of("https://müller.example:8443/a%20b/é?q=1")
    head, _, body = endpoint.request({"name": "é"}).partition(b"\r\n\r\n")

    assert (endpoint.host, endpoint.port, endpoint.tls) == ("müller.example", 8443, True)
    assert head.startswith(
        b"POST /a%20b/%C3%A9?q=1 HTTP/1.1\r\nHost: xn--mller-kva.example:8443\r\n"
    )
    assert head.endswith(b"Content-Length: %d" % len(body))
    assert json.loads(body) == {"name": "é"}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_lacks_are_refused(value: float) -> None:
    """NaN and infinity are refused before they are sent."""
    with pytest.raises(ValueError, match="JSON compliant"):
        endpoint_of("http://host/").request([value])


def test_an_ipv6_address_is_bracketed() -> None:
    """The host header of an IPv6 address has brackets, the address to connect to has none."""
    endpoint = endpoint_of("http://[::1]:8069/jsonrpc")

    assert endpoint.origin == ("::1", 8069, False)
    assert b"Host: [::1]:8069\r\n" in endpoint.head
