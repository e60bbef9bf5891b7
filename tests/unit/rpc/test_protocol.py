"""What an answer means, and what an error may show."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from connector.rpc import Kind, RPCError, services, sync
from connector.rpc.protocol import check_answer, explained, failed_post, plain_call, status_error
from connector.rpc.redaction import HIDDEN, redact, secrets_of_call, secrets_of_url, shown_url

PASSWORDS = st.text(min_size=4).filter(lambda text: "*" not in text)


class Response:
    """A response that was read before."""

    def __init__(self, answer: Any, status_code: int | None = 200) -> None:
        self.answer = answer
        self.headers: Any = None
        if status_code is not None:
            self.status_code = status_code

    def json(self) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_an_answer_with_its_id_is_returned_whole() -> None:
    """The whole answer comes back, with or without a result."""
    assert check_answer({"id": 5, "result": [1]}, Response(None), 5) == {"id": 5, "result": [1]}
    assert check_answer({"id": 5}, Response(None, None), 5) == {"id": 5}


def test_an_error_without_an_id_is_the_servers() -> None:
    """A server that could not read the request answers with id null, and is believed."""
    with pytest.raises(RPCError, match="Parse error") as caught:
        check_answer(
            {"id": None, "error": {"code": -32700, "message": "Parse error"}}, Response(None), 5
        )

    assert (caught.value.kind, caught.value.code) == (Kind.SERVER, -32700)


def test_an_error_with_another_id_is_another_calls() -> None:
    """An error that bears another call's id is no answer to this one."""
    with pytest.raises(RPCError, match="bears id 6") as caught:
        check_answer({"id": 6, "error": {"message": "x"}}, Response(None), 5)

    assert caught.value.kind is Kind.PROTOCOL


def test_an_error_that_is_a_text_is_told() -> None:
    """Even an error that is no object says what it says."""
    with pytest.raises(RPCError, match="out of order"):
        check_answer({"id": 5, "error": "out of order"}, Response(None), 5)


def test_a_status_above_300_outweighs_a_result() -> None:
    """A result under an HTTP error is not one."""
    with pytest.raises(RPCError, match="HTTP 502") as caught:
        check_answer({"id": 5, "result": True}, Response(None, 502), 5)

    assert (caught.value.kind, caught.value.code) == (Kind.HTTP, 502)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "12"}, 12.0),
        (CaseInsensitiveDict({"RETRY-AFTER": "3"}), 3.0),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({}, None),
    ],
)
def test_a_busy_servers_wish_is_told(headers: Any, seconds: float | None) -> None:
    """The seconds of `Retry-After` come with the error, whatever the client's headers are."""
    response = Response(None, 429)
    response.headers = headers

    error = status_error(response)

    assert error is not None
    assert error.retry_after_seconds == seconds


def test_a_response_is_checked_by_itself() -> None:
    """`check_jsonrpc_response` gives the answer, or raises for id, type or text."""
    assert sync.check_jsonrpc_response(Response({"id": 1, "result": "a"}), 1, str) == {
        "id": 1,
        "result": "a",
    }
    with pytest.raises(RPCError, match="int or list expected, str received"):
        sync.check_jsonrpc_response(Response({"id": 1, "result": "a"}), 1, (int, list))
    with pytest.raises(RPCError, match="not JSON"):
        sync.check_jsonrpc_response(Response(ValueError("no")), 1)


def test_a_call_can_be_posted_and_checked_apart() -> None:
    """`jsonrpc` gives the response and the id that its answer must bear."""

    def echo(payload: dict[str, Any]) -> Response:
        return Response({"id": payload["id"], "result": payload["params"]}, None)

    response, request_id = sync.jsonrpc(echo, service="s", method="m", kwargs={"a": 1})

    assert sync.check_jsonrpc_response(response, request_id)["result"] == {
        "service": "s",
        "method": "m",
        "args": [],
        "kwargs": {"a": 1},
    }


def test_an_error_survives_pickling() -> None:
    """An error comes out of a pickle as it went in."""
    error = RPCError("text", 200, {"name": "odoo.exceptions.AccessError"}, "trace", Kind.SERVER)

    copy = pickle.loads(pickle.dumps(error))

    assert vars(copy) == vars(error)
    assert str(copy) == "text"
    assert copy.name == "odoo.exceptions.AccessError"


@given(PASSWORDS, st.text(), st.text())
@example("p'w\"\\", "", "")
@example("pässwörd\n", "", "")
@example("None", "", "")
def test_no_password_is_shown_however_it_is_told(password: str, before: str, after: str) -> None:
    """Plain, quoted, escaped or in JSON: a password told by the server is hidden everywhere."""
    call = services.login(db="acme", login="demo", password=password)
    # What the texts around it hold by chance is not the password.
    assume(password not in f"{call} {before} {after} Login refused arguments debug name")
    told = f"{before} {password} {password!r} {after}"
    error = RPCError(
        told, 200, {"arguments": [told, {told: told}], "debug": told}, told, Kind.SERVER
    )
    error.__cause__ = ValueError(told)

    shown = explained(error, call, "http://host/jsonrpc")

    everything = f"{shown.message}{shown.data}{shown.remote_traceback}{shown.__cause__ or ''}"
    assert password not in everything
    assert repr(password)[1:-1] not in everything
    assert HIDDEN in shown.message


@pytest.mark.parametrize(
    ("service", "method", "args", "secrets"),
    [
        ("common", "login", ["db", "demo", "pw"], {"pw"}),
        ("object", "execute", ["db", 2, "pw", "res.users", "read"], {"pw"}),
        ("db", "create_database", ["master", "db", True, "en", "pw"], {"master", "pw"}),
        ("db", "change_admin_password", ["old", "new"], {"old", "new"}),
        ("object", "x", [{"smtp_password": "pw"}], {"pw"}),
        ("object", "x", [[["api_key", "=", "pw"]]], {"pw"}),
        ("db", "list", [False], set()),
    ],
)
def test_secrets_are_known_by_place_and_name(
    service: str, method: str, args: list[Any], secrets: set[str]
) -> None:
    """Passwords are found where a service expects them and behind names that tell of them."""
    assert secrets_of_call(service, method, args, None) == secrets


def test_a_short_secret_is_hidden_with_all_it_touches() -> None:
    """Hiding keeps to the longest secret first and reaches numbers."""
    assert redact(["abcd", "ab", 1234], {"abcd", "ab", "1234"}) == [HIDDEN] * 3
    assert redact({"deep": [[["x"]]]}, {"x"}) == {"deep": [[[HIDDEN]]]}


def test_data_too_deep_is_not_shown() -> None:
    """Data nested without end is cut, not followed."""
    nested: Any = "secret"
    for _ in range(500):
        nested = [nested]

    assert "secret" not in str(redact(nested, set()))


def test_an_address_is_shown_without_its_secrets() -> None:
    """User, password and query are no part of what is shown."""
    url = "https://user:p%40ss@host:8069/jsonrpc?token=t"

    assert shown_url(url) == "https://host:8069/jsonrpc"
    assert secrets_of_url(url) == {"p%40ss", "p@ss"}
    assert shown_url("http://[broken") == "an unreadable URL"


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (ConnectionRefusedError("refused"), Kind.UNREACHED),
        (ConnectionResetError("reset"), Kind.LOST),
        (TimeoutError("late"), Kind.LOST),
        (ValueError("bad"), Kind.PROTOCOL),
    ],
)
def test_a_failed_post_tells_whether_it_may_have_arrived(cause: Exception, kind: Kind) -> None:
    """Only what surely did not leave is of the kind that is safe to repeat."""
    wrapped = failed_post(cause)

    assert wrapped.kind is kind
    assert wrapped.__cause__ is cause


def test_a_second_try_that_is_refused_does_not_hide_the_first() -> None:
    """A refused connection after a broken one is a lost call: the first may have arrived."""
    error = ConnectionRefusedError("refused")
    error.__context__ = ConnectionResetError("reset")

    assert failed_post(error).kind is Kind.LOST


@pytest.mark.parametrize("client", [None, "http://host/jsonrpc"])
def test_a_client_that_is_none_is_a_mistake(client: Any) -> None:
    """What cannot post raises as the mistake it is, not as a failed call."""
    with pytest.raises(AttributeError, match="post"):
        sync.version(client, "http://host/jsonrpc")


def test_a_plain_call_names_itself() -> None:
    """Errors name the model's method where there is one, else the service's."""
    assert str(plain_call("db", "list", None, None)) == "db.list"
    assert str(plain_call("object", "execute", ["d", 1, "p", "res.users", "read"], None)) == (
        "res.users.read"
    )
