"""The HTTP client translates every failure and shows no secret."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from connector.exception import (
    BackendAccessError,
    BackendResponseError,
    IDMissingInBackend,
    NetworkRetryableError,
    RateLimitError,
)
from connector.unit.http_client import HttpClient

SECRET = "s3cr3t-token"


class Handler(BaseHTTPRequestHandler):
    """Answers what the path asks for: /<status>/<anything>."""

    def do_GET(self):
        status = int(self.path.strip("/").split("/")[0].partition("?")[0])
        text = f"<html>you sent {self.headers['Authorization']}</html>"
        if "json" in self.path:
            text = json.dumps({"path": self.path})
        self.send_response(status)
        if "pause" in self.path:
            self.send_header("Retry-After", "3")
        if "until" in self.path:
            self.send_header("Retry-After", "Sat, 21 Nov 2026 10:00:05 GMT")
        self.end_headers()
        self.wfile.write(text.encode())

    def send_response(self, code, message=None):
        self.send_response_only(code, message)
        self.send_header("Date", "Sat, 21 Nov 2026 10:00:00 GMT")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def url():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def client(url):
    return HttpClient(url, {"Authorization": f"Bearer {SECRET}"}, (SECRET,))


def test_json_is_given_and_requests_are_counted(client):
    """
    A successful answer gives its JSON; each request counts.
    """
    assert client.get("200/json", params={"page": 2}) == {"path": "/200/json?page=2"}
    assert client.get(client.base_url + "200/json/next") == {"path": "/200/json/next"}
    assert (client.requests, client.throttled) == (2, 0)


@pytest.mark.parametrize(
    ("path", "error_class", "text"),
    [
        ("401/x", BackendAccessError, "refuses the credentials (401)"),
        ("403/x", BackendAccessError, "refuses the credentials (403)"),
        ("404/x", IDMissingInBackend, "no such record (404)"),
        ("410/x", IDMissingInBackend, "no such record (410)"),
        ("400/x", BackendResponseError, "refuses the request (400)"),
        ("500/x", NetworkRetryableError, "cannot answer now (500)"),
        ("503/x", NetworkRetryableError, "cannot answer now (503)"),
        ("200/html", BackendResponseError, "not JSON"),
    ],
)
def test_failures_are_translated_and_blanked(client, path, error_class, text):
    """
    Each failure has its class, names method and URL, and shows no secret.
    """
    with pytest.raises(error_class) as caught:
        client.get(path, params={"key": SECRET})
    message = str(caught.value)
    assert text in message
    assert message.startswith(f"GET {client.base_url}{path} ")
    assert SECRET not in message
    assert SECRET not in repr(client)


@pytest.mark.parametrize(("path", "seconds"), [("429/pause", 3), ("429/until", 5), ("429/x", 1)])
def test_rate_limit_is_waited_for(client, path, seconds):
    """
    429 lets the job come back after the pause asked for, and is no try of its own.
    """
    with pytest.raises(RateLimitError) as caught:
        client.get(path)
    assert (caught.value.seconds, caught.value.ignore_retry) == (seconds, True)
    assert client.throttled == 1


def test_server_that_is_down_is_a_retry():
    """
    Without an answer the job comes back later; the message hides what the URL holds.
    """
    client = HttpClient(f"http://user:{SECRET}@127.0.0.1:9", secrets=(SECRET,))

    with pytest.raises(NetworkRetryableError, match="got no answer") as caught:
        client.get("x", params={"key": SECRET})
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_credentials_stay_on_their_server(client):
    """
    A link to another server is not followed.
    """
    with pytest.raises(BackendResponseError, match="credentials are not sent there"):
        client.get("http://elsewhere.example/200/json")
    assert client.requests == 0
