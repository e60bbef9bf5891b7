"""The 18 functions, over every kind of client, against a real server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from connector.rpc import AsyncHttpTransport, Kind, RPCError, aio, sync


def test_login_gives_the_users_id(call: Any) -> None:
    """`login` gives the user's id, and False where the password is wrong."""
    assert call("login", db="acme", login="demo", password="demo") == 7
    assert call("login", db="acme", login="demo", password="wrong") is False


def test_authenticate_gives_the_users_id(call: Any) -> None:
    """`authenticate` gives what `login` gives."""
    told = {"base_location": "http://localhost"}
    arguments = {"db": "acme", "login": "demo", "user_agent_env": told}

    assert call("authenticate", password="demo", **arguments) == 7
    assert call("authenticate", password="wrong", **arguments) is False


def test_versions_are_texts(call: Any) -> None:
    """`version` is the series of the server, `server_version` the full version."""
    assert call("version") == "17.0"
    assert call("server_version") == "17.0-20260101"


def test_about_is_a_text_or_a_pair(call: Any) -> None:
    """`about` is a text; when extended, a tuple of text and version."""
    assert call("about", extended=False) == "See http://openerp.com"
    assert call("about", extended=True) == ("See http://openerp.com", "17.0-20260101")


def test_lists_come_as_lists(call: Any) -> None:
    """Databases, languages and countries are lists."""
    assert "acme" in call("list_databases")
    assert call("list_lang")[1] == ["fr_FR", "French / Français"]
    assert call("list_countries", admin_password="master")[0] == ["BE", "Belgium"]


def test_missing_master_password_is_named(call: Any) -> None:
    """A server that wants its master password for the countries is answered by an advice."""
    with pytest.raises(RPCError, match="pass admin_password"):
        call("list_countries")


def test_db_exist_is_a_boolean(call: Any) -> None:
    """`db_exist` is true of the databases there are."""
    assert call("db_exist", db_name="acme") is True
    assert call("db_exist", db_name="none such") is False


def test_a_database_lives_through_all_its_functions(call: Any) -> None:
    """A database is made, copied, renamed, updated, dumped, restored and dropped."""
    master = {"admin_password": "master"}
    assert call("create_database", db_name="one", demo=True, lang="fr_FR", **master) is True
    assert call("duplicate_database", db_original_name="one", db_name="two", **master) is True
    assert call("rename_database", old_name="two", new_name="three", **master) is True
    assert call("migrate_databases", databases=["one", "three"], **master) is True

    dump = call("dump_database", db_name="three", **master)
    assert dump == b'zip\x00["three"' or dump.startswith(b'zip\x00["one", true, "fr_FR", "admin"')

    data = bytes(range(256)) * 400
    assert call("restore_database", db_name="four", data=data, copy=True, **master) is True
    assert call("dump_database", db_name="four", format="raw", **master) == b"raw\x00" + data

    for name in ("one", "three", "four"):
        assert call("drop_database", db_name=name, **master) is True
    assert call("drop_database", db_name="one", **master) is False


def test_everything_about_a_new_database_is_told(call: Any) -> None:
    """`create_database` sends every argument in the server's order."""
    master = {"admin_password": "master", "db_name": "told"}
    call(
        "create_database",
        demo=False,
        lang="en_US",
        user_password="u",
        login="boss",
        country_code="be",
        phone="123",
        **master,
    )

    dump = call("dump_database", **master)
    call("drop_database", **master)

    assert dump == b'zip\x00["told", false, "en_US", "u", "boss", "be", "123"]'


def test_the_master_password_can_be_changed(own_call: Any) -> None:
    """The new master password holds at once, the old one no more."""
    own_call("change_admin_password", admin_password="master", new_password="other")
    with pytest.raises(RPCError, match="AccessDenied"):
        own_call("drop_database", admin_password="master", db_name="none such")
    assert own_call("change_admin_password", admin_password="other", new_password="master")


def test_a_dump_that_is_no_base64_is_refused(own_call: Any) -> None:
    """A dump that cannot be decoded is an error, not fewer bytes."""
    with pytest.raises(RPCError, match="not base64"):
        own_call("dump_database", admin_password="master", db_name="acme", format="broken")


def test_args_are_the_positional_arguments(call: Any) -> None:
    """`args` and `kwargs` reach the method as they are, none wrapped, none lost."""
    assert call.execute("echo", [1, 2], "three", four=4) == [[[1, 2], "three"], {"four": 4}]
    assert call.execute("echo") == [[], {}]


def test_kw_is_kwargs(call: Any) -> None:
    """The named arguments may be called `kw`, but not both ways at once."""
    arguments: dict[str, Any] = {
        "db": "acme",
        "uid": 2,
        "password": "s3cr3t-pa$$",
        "obj": "res.partner",
        "method": "echo",
        "args": (),
    }

    assert call("execute_kw", kw={"a": 1}, **arguments) == [[], {"a": 1}]
    with pytest.raises(TypeError, match="two names of one argument"):
        call("execute_kw", kw={"a": 1}, kwargs={"a": 1}, **arguments)


def test_none_comes_back_as_none(call: Any) -> None:
    """A method that returns None gives None, though its answer holds no result."""
    assert call.execute("nothing") is None


def test_a_servers_error_comes_whole(call: Any) -> None:
    """A server's error tells code, message, data and the remote traceback."""
    with pytest.raises(RPCError) as caught:
        call.execute("fail", "this went wrong")

    error = caught.value
    assert (error.code, error.kind, error.name) == (200, Kind.SERVER, "builtins.ValueError")
    assert "res.partner.fail on http://127.0.0.1" in str(error)
    assert "this went wrong" in str(error)
    assert error.data["arguments"] == ["this went wrong"]
    assert error.remote_traceback is not None
    assert "Traceback (most recent call last)" in error.remote_traceback


def test_no_secret_is_shown(call: Any) -> None:
    """A server that tells the password in its error does not get it through."""
    with pytest.raises(RPCError) as caught:
        call.execute("fail", "the password s3cr3t-pa$$ of token abc", token="abc")

    error = caught.value
    shown = f"{error!s} {error!r} {error.data} {error.remote_traceback} {error.__cause__!r}"
    assert "s3cr3t-pa$$" not in shown
    assert "abc" not in shown
    assert error.__context__ is None


@pytest.mark.parametrize(
    ("path", "kind", "code", "text"),
    [
        ("not-found", Kind.SERVER, 404, "404: Not Found"),
        ("trouble", Kind.HTTP, 500, "HTTP 500"),
        ("nowhere", Kind.HTTP, 404, "HTTP 404"),
        ("other-id", Kind.PROTOCOL, None, "id 'another'"),
        ("page", Kind.PROTOCOL, None, "not JSON"),
        ("list", Kind.PROTOCOL, None, "list instead of an object"),
    ],
)
def test_what_is_no_answer_is_an_error(
    own_call: Any, base_url: str, path: str, kind: Kind, code: int | None, text: str
) -> None:
    """An HTTP status, another's answer, a page or a list raise an `RPCError` that says so."""
    with pytest.raises(RPCError, match=text) as caught:
        own_call("version", url=f"{base_url}/{path}")

    assert (caught.value.kind, caught.value.code) == (kind, code)


@pytest.mark.parametrize("path", ["trouble", "page"])
def test_all_clients_errors_are_the_same(posting_call: Any, base_url: str, path: str) -> None:
    """Pages and statuses raise an `RPCError` whatever the client."""
    with pytest.raises(RPCError):
        posting_call("version", url=f"{base_url}/{path}")


def test_a_result_of_another_kind_is_an_error(own_call: Any) -> None:
    """A result that is not of the type asked for raises, naming both types."""
    with pytest.raises(RPCError, match="dict expected, str received"):
        own_call("rpc_result", service="db", method="server_version", ensure_instance_of=dict)


def test_a_whole_answer_can_be_had(call: Any) -> None:
    """`rpc_call_and_check` gives the answer with its result, `rpc_result` the result alone."""
    asked = {"service": "db", "method": "server_version"}

    assert call("rpc_call_and_check", **asked)["result"] == "17.0-20260101"
    assert call("rpc_result", **asked) == "17.0-20260101"


def test_the_low_functions_work_one_by_one(url: str) -> None:
    """The asynchronous `jsonrpc` gives a response that `check_jsonrpc_response` reads."""

    async def work() -> dict[str, Any]:
        async with AsyncHttpTransport() as transport:
            response, request_id = await aio.jsonrpc(
                transport, url, service="db", method="server_version"
            )
            return await aio.check_jsonrpc_response(response, request_id, str)

    assert asyncio.run(work())["result"] == "17.0-20260101"


@pytest.mark.parametrize("function", ["jsonrpc", "rpc_call_and_check", "rpc_result"])
def test_the_low_functions_hide_secrets_too(own_call: Any, url: str, function: str) -> None:
    """An error of a low-level call names the call, and no password that was sent or posted to."""
    address = "http://user:h1dden@127.0.0.1:9/h1dden"
    arguments = {"service": "common", "method": "login", "args": ["acme", "demo", "s3cret"]}

    with pytest.raises(RPCError, match=r"common\.login") as caught:
        own_call(function, url=address, **arguments)

    shown = f"{caught.value!r} {caught.value.__cause__!r}"
    assert "s3cret" not in shown
    assert "h1dden" not in shown


def test_an_unreachable_server_is_told_from_a_lost_call(posting_call: Any) -> None:
    """A refused connection raises an `RPCError` of the kind that is safe to repeat."""
    with pytest.raises(RPCError) as caught:
        posting_call("version", url="http://127.0.0.1:9/jsonrpc")

    assert caught.value.kind is Kind.UNREACHED


def test_an_address_that_is_none_never_leaves(posting_call: Any) -> None:
    """Whichever library refuses the address, the error is neither lost nor worth repeating."""
    with pytest.raises(RPCError) as caught:
        posting_call("version", url="odoo.example.com/jsonrpc")

    assert caught.value.kind in (Kind.PROTOCOL, Kind.UNREACHED)


def test_an_answer_cut_short_is_a_lost_call(posting_call: Any, scripted: Any) -> None:
    """Whichever library reads it, an answer whose end does not come has an unknown outcome."""
    scripted.scripts = [[b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id": 1, ']]

    with pytest.raises(RPCError) as caught:
        posting_call("version", url=scripted.url)

    assert caught.value.kind is Kind.LOST


def test_the_wrong_face_is_named() -> None:
    """An asynchronous client given to the synchronous face is refused with an advice."""
    with pytest.raises(TypeError, match=r"connector\.rpc\.aio"):
        sync.version(AsyncHttpTransport(), "http://127.0.0.1:9/jsonrpc")  # type: ignore[arg-type]
