"""HTTP is recorded once and replayed; secrets do not get onto a cassette."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.testing import FakeApi, UnrecordedRequestError, http_cassette
from connector.unit.http_client import HttpClient

TOKEN = "tok-3f9a7c51"
ANSWERED = "given-by-the-server-77"


class LoginApi(FakeApi):
    """An API that gives a token away, and says everything back."""

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> Any:
        if target.startswith("/login"):
            echo = {"url": target, "auth": headers.get("Authorization"), "body": body.decode()}
            return 200, {"session": {"access_token": ANSWERED}, "echo": echo, "again": ANSWERED}
        return super().answer(method, target, headers, body)


@pytest.fixture
def api() -> Iterator[LoginApi]:
    with LoginApi({"customers": [{"id": 1, "name": "Ada"}]}, token=TOKEN) as api:
        yield api


@pytest.fixture
def client(api: LoginApi) -> HttpClient:
    return HttpClient(api.url, {"Authorization": f"Bearer {TOKEN}"})


def test_what_was_recorded_is_replayed(api: LoginApi, client: HttpClient, tmp_path: Path) -> None:
    """The second time the answers come from the cassette, and nothing reaches the server."""
    path = tmp_path / "cassettes" / "one.yaml"
    with http_cassette(path, record=True):
        first = [client.get("customers/1"), client.json("POST", "customers", json={"name": "Bob"})]
    asked = list(api.requests)

    with http_cassette(path):
        again = [client.get("customers/1"), client.json("POST", "customers", json={"name": "Bob"})]

    assert first == again
    assert api.requests == asked
    assert first[1]["name"] == "Bob"


def test_replaying_needs_no_server_and_no_secret(
    api: LoginApi, client: HttpClient, tmp_path: Path
) -> None:
    """A cassette is replayed with another token, when the server is gone."""
    path = tmp_path / "one.yaml"
    with http_cassette(path, record=True):
        client.get(f"customers/1?api_key={TOKEN}")
    api.__exit__(None, None, None)

    with http_cassette(path):
        other = HttpClient(api.url, {"Authorization": "Bearer another"})
        assert other.get("customers/1?api_key=another")["name"] == "Ada"

    api.__init__({})  # type: ignore[misc]  # so that the fixture can close it once more
    api.__enter__()


def test_no_secret_gets_onto_the_cassette(
    api: LoginApi, client: HttpClient, tmp_path: Path
) -> None:
    """Header, query, JSON, form, path, and what the server says back: all are blanked."""
    path = tmp_path / "one.yaml"
    in_path, in_form, in_query = "hidden-path-1", "hidden-form-2", "hidden-query-3"
    with http_cassette(path, record=True, secrets=[in_path]):
        client.json("POST", f"login/{in_path}?signature={in_query}", data={"password": in_form})
        client.json("POST", "login", json={"user": {"client_secret": "hidden-json-4"}})

    text = path.read_text()
    for secret in (TOKEN, ANSWERED, in_path, in_form, in_query, "hidden-json-4"):
        assert secret not in text
    assert "SCRUBBED" in text
    with http_cassette(path, secrets=[in_path]):
        found = client.json(
            "POST", f"login/{in_path}?signature={in_query}", data={"password": in_form}
        )
    assert found["session"] == {"access_token": "SCRUBBED"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "customers/2", None),
        ("GET", "customers/1?fields=name", None),
        ("DELETE", "customers/1", None),
        ("POST", "customers", {"name": "Bob"}),
    ],
)
def test_an_unknown_request_is_refused(
    api: LoginApi, client: HttpClient, tmp_path: Path, method: str, path: str, body: Any
) -> None:
    """Another method, path, query or body never reaches the server, and the message says what is
    recorded and how to record."""
    cassette = tmp_path / "one.yaml"
    with http_cassette(cassette, record=True):
        client.get("customers/1")
        client.json("POST", "customers", json={"name": "Ada"})
    asked = list(api.requests)

    with pytest.raises(UnrecordedRequestError) as raised, http_cassette(cassette):
        client.json(method, path, json=body)

    assert api.requests == asked
    message = str(raised.value)
    assert f"{method} {api.url}/{path} is not on the cassette {cassette}" in message
    assert f"GET {api.url}/customers/1" in message
    assert "pytest --record-http" in message


def test_a_request_made_more_often_is_refused(
    api: LoginApi, client: HttpClient, tmp_path: Path
) -> None:
    """What was asked once is answered once."""
    path = tmp_path / "one.yaml"
    with http_cassette(path, record=True):
        client.get("customers/1")

    with pytest.raises(UnrecordedRequestError, match="not as often"), http_cassette(path):
        client.get("customers/1")
        client.get("customers/1")


def test_a_refusal_that_is_swallowed_is_told_at_the_end(client: HttpClient, tmp_path: Path) -> None:
    """Code that goes on after any error does not make the test pass."""
    with pytest.raises(UnrecordedRequestError, match="There is no cassette"):
        with http_cassette(tmp_path / "one.yaml"):
            with suppress(AssertionError):
                client.get("customers/1")


def test_a_connection_of_before_is_not_used(
    api: LoginApi, client: HttpClient, tmp_path: Path
) -> None:
    """A connection that was opened before the cassette does not lead past it."""
    client.get("customers/1")
    asked = list(api.requests)

    with pytest.raises(UnrecordedRequestError), http_cassette(tmp_path / "one.yaml"):
        client.get("customers/1")

    assert api.requests == asked
    assert client.get("customers/1")["name"] == "Ada"


def test_a_recording_that_fails_leaves_the_one_of_before(
    client: HttpClient, tmp_path: Path
) -> None:
    """Only a test that passes replaces its cassette."""
    path = tmp_path / "one.yaml"
    with http_cassette(path, record=True):
        client.get("customers/1")
    before = path.read_text()

    with pytest.raises(RuntimeError), http_cassette(path, record=True):
        client.get("customers")
        raise RuntimeError("the test fails")

    assert path.read_text() == before
    assert list(tmp_path.iterdir()) == [path]


def test_recording_again_replaces(client: HttpClient, tmp_path: Path) -> None:
    """A cassette holds what its last recording asked, and nothing of before."""
    path = tmp_path / "one.yaml"
    for asked in ("customers/1", "customers"):
        with http_cassette(path, record=True):
            client.get(asked)

    assert path.read_text().count("uri:") == 1


def test_plain_requests_are_replayed_too(api: LoginApi, tmp_path: Path) -> None:
    """An adapter that uses requests in its own way is recorded like the framework's."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    url = f"{api.url}/customers/1"
    with http_cassette(tmp_path / "one.yaml", record=True):
        requests.get(url, headers=headers, timeout=5)
    with http_cassette(tmp_path / "one.yaml"):
        assert requests.get(url, headers=headers, timeout=5).json()["name"] == "Ada"
