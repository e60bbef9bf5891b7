"""The default HTTP clients on the wire: what they read, repeat, refuse and give up."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import socket
import ssl
import threading
import time
from typing import Any

import pytest

from connector.rpc import AsyncHttpTransport, HttpTransport, Kind, RPCError, aio, sync

BODY = b'{"jsonrpc": "2.0", "id": {request-id}, "result": "17.0"}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
OK = b"HTTP/1.1 200 OK\r\n" + LENGTH + b"\r\n" + BODY

VERSION: tuple[str, dict[str, Any]] = ("server_version", {})
CREATE: tuple[str, dict[str, Any]] = (
    "execute_kw",
    {"db": "a", "uid": 1, "password": "p", "obj": "m", "method": "create", "args": [{}]},
)


class Talk:
    """Makes several calls, one after the other, over one default client of either face."""

    def __init__(self, is_async: bool) -> None:
        self.is_async = is_async

    def __call__(self, *calls: tuple[str, dict[str, Any]], url: str, **options: Any) -> list[Any]:
        """The result, or the error, of each call."""
        if self.is_async:
            return asyncio.run(self._asynchronously(calls, url, options))
        results: list[Any] = []
        with HttpTransport(**options) as transport:
            for function, arguments in calls:
                try:
                    results.append(getattr(sync, function)(transport, url, **arguments))
                except RPCError as error:
                    results.append(error)
                time.sleep(0.03)
        return results

    async def _asynchronously(self, calls: Any, url: str, options: Any) -> list[Any]:
        results: list[Any] = []
        async with AsyncHttpTransport(**options) as transport:
            for function, arguments in calls:
                try:
                    results.append(await getattr(aio, function)(transport, url, **arguments))
                except RPCError as error:
                    results.append(error)
                await asyncio.sleep(0.03)
        return results


@pytest.fixture(params=["sync", "async"])
def talk(request: pytest.FixtureRequest) -> Talk:
    """Each face in turn."""
    return Talk(request.param == "async")


def chunked(*chunks: bytes, trailer: bytes = b"") -> bytes:
    """An answer in chunks, the last one empty."""
    body = b"".join(b"%x;note=1\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + body + b"0\r\n" + trailer + b"\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        OK,
        [OK[:5], OK[5:20], OK[20:38], OK[38:40], OK[40:50], OK[50:-1], OK[-1:]],
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        [b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", OK],
        b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + BODY,
        chunked(BODY),
        chunked(BODY[:9], BODY[9:50], BODY[50:], trailer=b"X-Sum: 1\r\n"),
    ],
    ids=["whole", "pieces", "interim", "hints", "until-close", "close", "chunk", "chunks"],
)
def test_every_framing_is_read(talk: Talk, scripted: Any, sent: Any) -> None:
    """An answer is read whole, however it is framed."""
    scripted.scripts = [[sent]]

    assert talk(VERSION, url=scripted.url) == ["17.0"]


def test_a_kept_connection_serves_many_calls(talk: Talk, scripted: Any) -> None:
    """Announced and chunked answers leave the connection ready for the next call."""
    scripted.scripts = [[OK, chunked(BODY), [OK[:9], OK[9:]], OK]]

    assert talk(*[VERSION] * 4, url=scripted.url) == ["17.0"] * 4
    assert scripted.connections == 1


@pytest.mark.parametrize(
    "sent", [OK + b"x", chunked(BODY) + b"HTTP/1.1 200 OK\r\n", OK.replace(b"1.1", b"1.0", 1)]
)
def test_a_doubtful_connection_is_not_used_again(talk: Talk, scripted: Any, sent: bytes) -> None:
    """Bytes beyond an answer, or a server that does not promise to stay, end the connection."""
    scripted.scripts = [[sent, OK], [OK]]
    scripted.stays_open = True

    assert talk(VERSION, VERSION, url=scripted.url) == ["17.0", "17.0"]
    assert scripted.connections == 2


def test_a_connection_idle_for_long_is_not_used_again(
    talk: Talk, scripted: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that rested too long is replaced, as something between may have dropped it."""
    for module in ("blocking", "asynchronous"):
        name = f"connector.rpc.transports.{module}.MAX_IDLE_SECONDS"
        monkeypatch.setattr(name, 0.01)
    scripted.scripts = [[OK, OK]]

    assert talk(VERSION, VERSION, url=scripted.url) == ["17.0", "17.0"]
    assert scripted.connections == 2


def test_a_connection_closed_while_idle_costs_nothing(talk: Talk, scripted: Any) -> None:
    """Where the server has closed an idle connection, even a writing call takes a new one."""
    scripted.scripts = [[OK]]

    assert talk(CREATE, CREATE, CREATE, url=scripted.url) == ["17.0"] * 3
    assert (scripted.connections, len(scripted.requests)) == (3, 3)


def test_a_reading_call_is_sent_again_on_a_new_connection(talk: Talk, scripted: Any) -> None:
    """A kept connection that ends without an answer is replaced for a call that only reads."""
    scripted.scripts = [[OK, None], [OK]]

    assert talk(VERSION, VERSION, url=scripted.url) == ["17.0", "17.0"]
    assert len(scripted.requests) == 3


def test_a_writing_call_is_never_sent_again(talk: Talk, scripted: Any) -> None:
    """A call that may have been carried out is an error of unknown outcome, sent once."""
    scripted.scripts = [[OK, None], [OK]]

    _, error = talk(VERSION, CREATE, url=scripted.url)

    assert error.kind is Kind.LOST
    assert len(scripted.requests) == 2


def test_a_new_connection_without_an_answer_is_not_repeated(talk: Talk, scripted: Any) -> None:
    """Only a kept connection is given a second chance: a server that dies is not asked again."""
    scripted.scripts = [[None]]

    (error,) = talk(VERSION, url=scripted.url)

    assert error.kind is Kind.LOST
    assert len(scripted.requests) == 1


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b"SSH-2.0-OpenSSH_9.0\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 20x OK\r\n\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nbroken\r\n\r\n", "malformed header"),
        (b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n", "malformed header"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n", "malformed header"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n", "is no number"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "two headers"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "'gzip' is unknown"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + LENGTH + b"\r\n", "compressed"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", "no readable size"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", "longer than"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 5000, "does not end"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000, "head of the answer exceeds"),
        (b"HTTP/1.1 200 OK\r\n" + LENGTH + b"\r\n" + BODY[:-1], "middle of its answer"),
        (chunked(BODY)[:-2], "middle of its answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "middle of its answer"),
    ],
)
def test_a_malformed_answer_is_refused(talk: Talk, scripted: Any, sent: bytes, text: str) -> None:
    """Bytes that are no whole HTTP answer raise an error that says what is wrong with them."""
    scripted.scripts = [[sent]]

    (error,) = talk(VERSION, url=scripted.url)

    assert isinstance(error, RPCError)
    assert text in str(error)


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001,
        chunked(b"x" * 600, b"x" * 401),
    ],
)
def test_an_answer_beyond_the_limit_is_refused(talk: Talk, scripted: Any, sent: bytes) -> None:
    """However it is framed, an answer larger than the limit is not read."""
    scripted.scripts = [[sent]]

    (error,) = talk(VERSION, url=scripted.url, max_response_bytes=1000)

    assert "exceeds the limit of 1000 bytes" in str(error)


def test_a_redirect_is_refused(talk: Talk, scripted: Any) -> None:
    """A redirect is an error, and nothing is sent to where it leads."""
    moved = b"HTTP/1.1 307 Moved\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n"
    scripted.scripts = [[moved % scripted.url.encode(), OK]]

    (error,) = talk(VERSION, url=scripted.url)

    assert (error.kind, error.code) == (Kind.HTTP, 307)
    assert "redirects are not followed" in str(error)
    assert len(scripted.requests) == 1


def test_a_silent_server_is_given_up(talk: Talk, base_url: str) -> None:
    """A call ends with its timeout, its outcome unknown."""
    start = time.monotonic()

    (error,) = talk(VERSION, url=f"{base_url}/slow", timeout_seconds=0.2)

    assert error.kind is Kind.LOST
    assert "in time" in str(error)
    assert time.monotonic() - start < 4  # it would answer after five


def test_a_dribbling_server_gets_no_extra_time(talk: Talk, scripted: Any) -> None:
    """The timeout is for the whole answer, not for each piece of it."""
    status, rest = OK.split(b"\r\n", 1)
    header = [b"\r\nX-Slow: ", *[b"x"] * 250, b"\r\n"]  # five seconds of it
    scripted.scripts = [[[status, *header, rest]]]
    start = time.monotonic()

    (error,) = talk(VERSION, url=scripted.url, timeout_seconds=0.3)

    assert error.kind is Kind.LOST
    assert time.monotonic() - start < 3


def test_a_call_after_a_timeout_gets_its_own_answer(talk: Talk, scripted: Any) -> None:
    """The late answer to one call never reaches the next."""
    late = OK.replace(b'"17.0"', b'"late"')
    scripted.scripts = [[[b"", *[b""] * 20, late]], [OK]]

    error, result = talk(VERSION, VERSION, url=scripted.url, timeout_seconds=0.2)

    assert (error.kind, result) == (Kind.LOST, "17.0")


def test_a_large_request_is_sent(talk: Talk, scripted: Any) -> None:
    """A body of many megabytes goes out whole."""
    scripted.scripts = [[OK.replace(b'"17.0"', b"true  ")]]
    restore = {"admin_password": "m", "db_name": "d", "data": b"\x00" * 3_000_000}

    assert talk(("restore_database", restore), url=scripted.url) == [True]
    assert len(scripted.requests[0]) > 4_000_000


def test_an_early_refusal_is_read() -> None:
    """A server that refuses a large request before it has read it is heard, not just lost."""
    refusal = b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            accepted, _ = listening.accept()
            with accepted:
                accepted.recv(1000)
                accepted.sendall(refusal)

        server = threading.Thread(target=refuse)
        server.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/jsonrpc"
        with HttpTransport() as transport, pytest.raises(RPCError, match="HTTP 413"):
            sync.restore_database(
                transport, url, admin_password="m", db_name="d", data=b"\x00" * 20_000_000
            )
        server.join()


def test_a_large_answer_is_read(own_call: Any) -> None:
    """An answer of megabytes comes whole."""
    assert len(own_call.execute("large", 5_000_000)) == 5_000_000


def test_credentials_of_the_address_are_sent_and_hidden(talk: Talk, scripted: Any) -> None:
    """User and password before the host go out as a header and appear in no error."""
    scripted.scripts = [[OK, b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"]]
    url = scripted.url.replace("//", "//proxy:t0p%20secret@")

    result, error = talk(VERSION, VERSION, url=url)

    assert result == "17.0"
    assert b"Authorization: Basic cHJveHk6dDBwIHNlY3JldA==\r\n" in scripted.requests[0]
    assert "t0p" not in f"{error!r} {error}"


@pytest.mark.parametrize(
    "url", ["", "ftp://host/jsonrpc", "http:///jsonrpc", "http://h/a b", "http://h/\r\nX: y"]
)
def test_an_address_that_is_none_is_refused(talk: Talk, url: str) -> None:
    """What cannot be posted to raises before anything is sent."""
    (error,) = talk(VERSION, url=url)

    assert error.kind is Kind.PROTOCOL
    assert "The URL" in str(error)


def test_tls_is_verified(talk: Talk, scripted_tls: Any, authority: Any) -> None:
    """A trusted server is talked to over a kept connection, an unknown one is sent nothing."""
    scripted_tls.scripts = [[OK, OK, chunked(BODY)]]
    (refused,) = talk(VERSION, url=scripted_tls.url)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    results = talk(*[VERSION] * 3, url=scripted_tls.url, ssl_context=trusting)

    assert refused.kind is Kind.UNREACHED
    assert results == ["17.0"] * 3
    assert scripted_tls.connections == 2


@pytest.mark.parametrize("says_goodbye", [True, False])
def test_tls_connections_closed_while_idle_are_replaced(
    talk: Talk, scripted_tls: Any, authority: Any, says_goodbye: bool
) -> None:
    """Over TLS too, a writing call after the server has closed takes a new connection."""
    scripted_tls.scripts = [[OK]]
    scripted_tls.says_goodbye = says_goodbye
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    results = talk(CREATE, CREATE, url=scripted_tls.url, ssl_context=trusting)

    assert results == ["17.0", "17.0"]
    assert len(scripted_tls.requests) == 2


def test_threads_share_a_transport(url: str) -> None:
    """Each of many threads gets the answers to its own calls."""
    wrong: list[Any] = []
    arguments: dict[str, Any] = {
        "db": "acme",
        "uid": 2,
        "password": "s3cr3t-pa$$",
        "obj": "res.partner",
    }

    def work(number: int) -> None:
        for turn in range(20):
            asked = [number, turn]
            got = sync.execute_kw(transport, url, method="echo", args=asked, **arguments)
            if got != [asked, {}]:
                wrong.append(got)

    with HttpTransport(max_idle=2) as transport:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert wrong == []


def test_a_child_process_opens_connections_of_its_own(scripted: Any) -> None:
    """After a fork, parent and child never write on one socket."""
    scripted.scripts = [[OK, OK, OK]]

    with HttpTransport() as transport:
        assert sync.server_version(transport, scripted.url) == "17.0"
        child = multiprocessing.get_context("fork").Process(
            target=sync.server_version, args=(transport, scripted.url)
        )
        child.start()
        child.join()
        assert child.exitcode == 0
        assert scripted.connections == 2
        assert sync.server_version(transport, scripted.url) == "17.0"

    assert scripted.connections == 2


def test_connections_at_once_are_bounded(url: str) -> None:
    """More calls than connections wait for their turn, and all get their answers."""
    arguments: dict[str, Any] = {
        "db": "acme",
        "uid": 2,
        "password": "s3cr3t-pa$$",
        "obj": "res.partner",
    }

    async def work() -> list[Any]:
        async with AsyncHttpTransport(max_connections=3) as transport:
            await aio.execute_kw(transport, url, method="forget_calls", args=[], **arguments)
            return await asyncio.gather(
                *(
                    aio.execute_kw(transport, url, method="sleep", args=[0.05], **arguments)
                    for _ in range(12)
                )
            )

    assert max(asyncio.run(work())) == 3


def test_a_cancelled_call_leaves_the_transport_usable(scripted: Any) -> None:
    """A cancelled call closes its connection and frees its place for the next."""
    scripted.scripts = [[[b"", *[b""] * 30, OK]], [OK]]

    async def work() -> str:
        async with AsyncHttpTransport(max_connections=1) as transport:
            first = asyncio.create_task(aio.server_version(transport, scripted.url))
            waiting = asyncio.create_task(aio.server_version(transport, scripted.url))
            await asyncio.sleep(0.05)
            first.cancel()
            waiting.cancel()
            return await aio.server_version(transport, scripted.url)

    assert asyncio.run(work()) == "17.0"


def test_a_place_given_to_a_cancelled_call_goes_to_the_next(url: str) -> None:
    """A call that is cancelled just as its turn comes hands the turn on."""

    async def work() -> str:
        async with AsyncHttpTransport(max_connections=1) as transport:

            async def call_and_cancel() -> None:
                await aio.server_version(transport, url)
                second.cancel()  # its turn was given in this very step of the loop

            first = asyncio.create_task(call_and_cancel())
            await asyncio.sleep(0)
            second = asyncio.create_task(aio.server_version(transport, url))
            third = asyncio.create_task(aio.server_version(transport, url))
            await first
            async with asyncio.timeout(2):
                return await third

    assert asyncio.run(work()) == "17.0-20260101"


# The first loop ends with a connection open, which asyncio complains of.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_transport_serves_one_loop_after_another(url: str) -> None:
    """A transport used again in another event loop opens connections there."""
    transport = AsyncHttpTransport()

    async def work() -> str:
        async with asyncio.timeout(2):
            return await aio.server_version(transport, url)

    async def work_and_close() -> str:
        async with transport:
            return await work()

    assert asyncio.run(work()) == asyncio.run(work_and_close())
    gc.collect()
