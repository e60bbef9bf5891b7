"""How calls, results and errors travel, in each protocol."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Callable
from typing import Any

import pytest
import requests


def named(error: Any) -> str:
    return error["data"]["name"]


# -- JSON-RPC ------------------------------------------------------------------------------


@pytest.mark.parametrize("id_", [1, "text", None, 1.5, ["list"], {"an": "object"}])
def test_the_id_comes_back_as_it_was(server: Any, id_: Any) -> None:
    """An id of any JSON type is echoed."""
    params = {"service": "common", "method": "version", "args": []}
    payload = {"jsonrpc": "2.0", "method": "whatever", "params": params, "id": id_}
    for path in ("/jsonrpc", "/jsonrpc/"):
        answer = requests.post(server.url + path, json=payload, timeout=10).json()
        assert answer["id"] == id_
        assert answer["result"]["server_version_info"] == [17, 0, 0, "final", 0, ""]


def test_no_result_leaves_the_result_out(server: Any) -> None:
    """A method that returns None gives an answer without `result`."""
    partner = server.execute("res.partner", "create", {"name": "Toggled"})
    arguments = (server.database, 1, server.password, "res.partner", "toggle_active", [[partner]])
    assert server.answer("object", "execute_kw", *arguments) == {"jsonrpc": "2.0", "id": "an id"}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(b"{", "application/json"), (b"[1]", "application/json"), (b"{}", "text/plain")],
)
def test_what_is_no_call_is_a_bad_request(server: Any, body: bytes, content_type: str) -> None:
    """Broken JSON, JSON that is no call, and another type are answered by HTTP status 400."""
    headers = {"content-type": content_type}
    answer = requests.post(f"{server.url}/jsonrpc", data=body, headers=headers, timeout=10)
    assert answer.status_code == 400


def test_arguments_are_required(server: Any) -> None:
    """A call without `args` is an error of its arguments, even where there are none."""
    answer = server.post("/jsonrpc", {"service": "common", "method": "version"})
    assert named(answer["error"]) == "builtins.TypeError"
    assert "'args'" in answer["error"]["data"]["message"]


@pytest.mark.parametrize(
    ("service", "method", "kind"),
    [
        ("report", "list", "builtins.KeyError"),
        ("common", "_objects", "builtins.AttributeError"),
        ("common", "METHODS", "builtins.AttributeError"),
        ("db", "check", "builtins.AttributeError"),
        ("object", "call", "builtins.AttributeError"),
    ],
)
def test_services_and_methods_that_are_not_there(
    server: Any, service: str, method: str, kind: str
) -> None:
    """Unknown services, unknown methods and the inside of services cannot be called."""
    error = server.error(service, method)
    assert error["code"] == 200
    assert error["message"] == "Odoo Server Error"
    assert named(error) == kind


def test_errors_of_models_have_the_names_that_clients_know(server: Any) -> None:
    """Errors tell their name, message, arguments and traceback."""
    told = server.refused("no.such.model", "read", [1])
    assert told["name"] == "odoo.exceptions.UserError"
    assert told["message"] == "Object no.such.model doesn't exist"
    assert told["arguments"] == ["Object no.such.model doesn't exist"]
    assert "Traceback" in told["debug"]
    gone = server.refused("res.partner", "write", [999_999], {"name": "x"})
    assert gone["name"] == "odoo.exceptions.MissingError"


@pytest.mark.parametrize(
    "method", ["_write", "__class__", "init", "sudo", "with_env", "browse", "env", "_fields"]
)
def test_private_methods_are_refused(server: Any, method: str) -> None:
    """What is private, or about the inside, cannot be called."""
    told = server.refused("res.partner", method, [])
    assert told["name"] in ("odoo.exceptions.AccessError", "builtins.AttributeError")


def test_private_methods_by_their_mark_are_refused(server: Any) -> None:
    """A public name is no way in where the method is marked as private."""
    told = server.refused("res.users", "authenticate", "admin", "guess")
    assert told["name"] == "odoo.exceptions.AccessError"
    assert "cannot be called remotely" in told["message"]


@pytest.mark.parametrize("method", ["mro", "name", "pool", "no_such_method"])
def test_methods_that_are_not_there_are_told(server: Any, method: str) -> None:
    """Fields, attributes of classes and unknown names are no methods."""
    told = server.refused("res.partner", method, [])
    assert "does not exist" in told["message"]


def test_arguments_that_do_not_fit_are_told(server: Any) -> None:
    """Too many arguments, wrong ids and wrong names are errors of the arguments."""
    for args, kwargs in [(([1], 2, 3, 4), {}), (("one",), {}), (([1],), {"nonsense": 1})]:
        told = server.refused("res.partner", "read", *args, **kwargs)
        assert told["name"] == "builtins.TypeError"


def test_constraints_of_the_database_are_explained(server: Any) -> None:
    """A broken constraint is a ValidationError with its own message, without rows."""
    told = server.refused("res.users", "create", {"name": "Twin", "login": "admin"})
    assert told["name"] == "odoo.exceptions.ValidationError"
    assert told["message"].startswith("There is a user of this login already.")
    assert "DETAIL" not in told["debug"]
    assert server.execute("res.partner", "search_count", [["name", "=", "Twin"]]) == 0


def test_values_travel_as_clients_know_them(server: Any) -> None:
    """Dates are texts, records ids, create gives an id for one and a list for several."""
    one = server.execute("res.partner", "create", {"name": "One"})
    many = server.execute("res.partner", "create", [{"name": "Two"}, {"name": "Three"}])
    assert isinstance(one, int)
    assert len(many) == 2
    (row,) = server.execute("res.partner", "read", one, ["create_date", "company_id", "ref"])
    assert len(row["create_date"]) == len("2026-01-01 00:00:00")
    assert row["ref"] is False
    copied = server.execute("res.partner", "copy", [one], {"name": "Copy"})
    assert isinstance(copied, int)
    (plain,) = server.execute("res.partner", "read", [copied], ["create_uid"], "_classic_write")
    assert plain["create_uid"] == 1


def test_false_is_no_limit_and_no_order(server: Any) -> None:
    """False in the places of limit and order means that there is none."""
    everyone = server.execute("res.partner", "search", [], 0, False, False)
    assert everyone == server.execute("res.partner", "search", [])
    assert len(everyone) > 1


def test_arguments_have_the_names_of_every_series(server: Any) -> None:
    """Named arguments of 8.0 and of later series are understood."""
    by_args = server.execute("res.partner", "search", args=[["id", "=", 1]])
    assert by_args == server.execute("res.partner", "search", domain=[["id", "=", 1]])
    made = server.execute("res.partner", "create", vals_list=[{"name": "Listed"}])
    assert server.execute("res.partner", "read", ids=made, fields=["name"])[0]["name"] == "Listed"


def test_the_context_of_a_call_is_used(server: Any) -> None:
    """`context` among the named arguments becomes the context of the call."""
    name = server.execute("res.partner", "default_get", ["name"], context={"default_name": "Def"})
    assert name == {"name": "Def"}


def test_no_secret_is_in_an_error(server: Any) -> None:
    """The password of a failed call is in no part of its error."""
    secret = "tr0ub4dor"
    arguments = (server.database, 1, server.password, "res.users", "write", [[1], {"nonsense": 1}])
    assert server.password not in str(server.error("object", "execute_kw", *arguments))
    arguments = (server.database, {"uid": secret}, secret, "res.users", "read", [[1]])
    assert secret not in str(server.error("object", "execute_kw", *arguments))
    assert secret not in str(server.error("db", "dump", secret, "x", "zip", "and", "more"))


# -- XML-RPC -------------------------------------------------------------------------------


@pytest.fixture
def fault(server: Any) -> Callable[..., xmlrpc.client.Fault]:
    """Gives the fault that a call of XML-RPC must give."""

    def call(path: str, method: str, *args: Any) -> xmlrpc.client.Fault:
        with xmlrpc.client.ServerProxy(server.url + path, allow_none=True) as proxy:
            with pytest.raises(xmlrpc.client.Fault) as caught:
                getattr(proxy, method)(*args)
        return caught.value

    return call


def test_faults_are_numbers(server: Any, fault: Callable[..., Any]) -> None:
    """`/xmlrpc/2` tells the kind of error by a number: 1 to 4."""
    call = (server.database, 1, server.password)
    path = "/xmlrpc/2/object"
    denied = fault(path, "execute_kw", server.database, 1, "wrong", "res.partner", "read", [[1]])
    assert denied.faultCode == 3
    assert "Traceback" not in denied.faultString
    assert fault(path, "execute_kw", *call, "no.model", "read", [[1]]).faultCode == 2
    assert fault(path, "execute_kw", *call, "res.partner", "_x", [[1]]).faultCode == 4
    other = fault(path, "execute_kw", *call, "res.partner", "search", [[["no", "=", 1]]])
    assert other.faultCode == 1
    assert "Traceback" in other.faultString


def test_faults_are_texts_in_the_first_protocol(server: Any, fault: Callable[..., Any]) -> None:
    """`/xmlrpc` tells the kind of error by a text."""
    call = (server.database, 1, server.password)
    path = "/xmlrpc/object"
    denied = fault(path, "execute", server.database, 1, "wrong", "res.partner", "read", [1])
    assert denied.faultCode == "AccessDenied"
    unknown = fault(path, "execute", *call, "no.model", "read", [1])
    assert unknown.faultCode == "warning -- UserError\n\nObject no.model doesn't exist"
    private = fault(path, "execute", *call, "res.partner", "_x", [1])
    assert private.faultCode.startswith("warning -- AccessError\n\nPrivate methods")


def test_what_xmlrpc_cannot_say_is_a_fault(server: Any, fault: Callable[..., Any]) -> None:
    """None is a fault of kind 1, after the call was done."""
    partner = server.execute("res.partner", "create", {"name": "Silent", "active": True})
    call = (server.database, 1, server.password, "res.partner", "toggle_active", [[partner]])
    assert fault("/xmlrpc/2/object", "execute_kw", *call).faultCode == 1
    assert server.execute("res.partner", "read", [partner], ["active"])[0]["active"] is False


def test_control_characters_are_left_out_of_xml(server: Any) -> None:
    """A text with characters that XML lacks arrives without them."""
    partner = server.execute("res.partner", "create", {"name": "a\x01b\tc\n\u20ac"})
    with xmlrpc.client.ServerProxy(f"{server.url}/xmlrpc/2/object") as proxy:
        call = (server.database, 1, server.password, "res.partner", "read", [[partner], ["name"]])
        rows: Any = proxy.execute_kw(*call)
    assert rows[0]["name"] == "ab\tc\n\u20ac"


def test_dates_and_records_travel_in_xml(server: Any) -> None:
    """XML-RPC carries dates as texts and records as ids."""
    with xmlrpc.client.ServerProxy(f"{server.url}/xmlrpc/2/object") as proxy:
        call = (server.database, 1, server.password, "res.partner")
        rows: Any = proxy.execute_kw(*call, "read", [[1], ["create_date", "child_ids"]])
        assert isinstance(rows[0]["create_date"], str)
        assert rows[0]["child_ids"] == []
        assert proxy.execute_kw(*call, "exists", [[1, 999_999]]) == [1]


def test_entities_are_refused(server: Any) -> None:
    """A call that defines entities is no call."""
    body = (
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e "boom">]>'
        "<methodCall><methodName>&e;</methodName><params/></methodCall>"
    )
    answer = requests.post(f"{server.url}/xmlrpc/2/common", data=body, timeout=10)
    assert answer.status_code == 400


def test_xmlrpc_is_posted(server: Any) -> None:
    """Other verbs and other services are refused."""
    assert requests.get(f"{server.url}/xmlrpc/2/common", timeout=10).status_code == 405
    assert requests.post(f"{server.url}/xmlrpc/2/report", timeout=10).status_code == 404


# -- sessions ------------------------------------------------------------------------------


def log_in(server: Any, login: str, password: str) -> tuple[requests.Session, Any]:
    client = requests.Session()
    params = {"db": server.database, "login": login, "password": password}
    return client, server.post("/web/session/authenticate", params, client)


def test_a_session_stands_for_the_user(server: Any) -> None:
    """After a login its cookie is enough, until the session is destroyed."""
    with log_in(server, "admin", server.password)[0] as client:
        cookie = next(iter(client.cookies))
        assert cookie.name == "session_id"
        assert cookie.has_nonstandard_attr("HttpOnly")
        info = server.post("/web/session/get_session_info", {}, client)["result"]
        assert (info["uid"], info["db"], info["username"]) == (1, server.database, "admin")
        call = {"model": "res.partner", "method": "search", "args": [[]], "kwargs": {"limit": 1}}
        for path in ("/web/dataset/call_kw", "/web/dataset/call_kw/res.partner/search"):
            assert len(server.post(path, call, client)["result"]) == 1
        assert "result" not in server.post("/web/session/destroy", {}, client)
        client.cookies.set("session_id", cookie.value)
        error = server.post("/web/dataset/call_kw", call, client)["error"]
        assert (error["code"], error["message"]) == (100, "Odoo Session Expired")
        assert named(error) == "odoo.http.SessionExpiredException"


def test_a_wrong_password_opens_no_session(server: Any) -> None:
    """A login that fails gives AccessDenied, and no cookie."""
    client, answer = log_in(server, "nobody at all", "wrong")
    with client:
        assert named(answer["error"]) == "odoo.exceptions.AccessDenied"
        assert not client.cookies


# -- JSON-2 --------------------------------------------------------------------------------


@pytest.fixture
def call2(server: Any) -> Callable[..., requests.Response]:
    """Calls `/json/2` with an API key of the administrator."""
    key = server.execute("res.users.apikeys", "generate", "tests")

    def call(path: str, key: str | None = key, **named: Any) -> requests.Response:
        headers = {"authorization": f"bearer {key}"} if key else {}
        return requests.post(f"{server.url}/json/2/{path}", json=named, headers=headers, timeout=10)

    return call


def test_json2_takes_named_arguments(call2: Callable[..., Any]) -> None:
    """Methods are called by names; results come bare, records as ids."""
    made = call2("res.partner/create", vals_list=[{"name": "Json"}]).json()
    assert call2("res.partner/search", domain=[["id", "in", made]]).json() == made
    rows = call2("res.partner/read", ids=made, fields=["name"], context={"lang": "en_US"}).json()
    assert rows == [{"id": made[0], "name": "Json"}]
    answer = call2("res.partner/toggle_active", ids=made)
    assert (answer.status_code, answer.json()) == (200, None)


def test_json2_tells_errors_by_status(server: Any, call2: Callable[..., Any]) -> None:
    """Each kind of error has its HTTP status, and a body that describes it."""
    cases = {
        401: call2("res.partner/search", key="0" * 40, domain=[]),
        403: call2("res.partner/_search_node", ids=[1]),
        404: call2("no.model/search", domain=[]),
        422: call2("res.partner/search", ids=[1], domain=[]),
        500: call2("res.partner/search", domain=[["no_such_field", "=", 1]]),
    }
    for status, answer in cases.items():
        assert answer.status_code == status
        assert set(answer.json()) == {"name", "message", "arguments", "context", "debug"}
    assert call2("res.partner/search", key=None, domain=[]).status_code == 401
    assert call2("res.partner/no_method").status_code == 404
    assert call2("res.partner/read", ids=[1], nonsense=1).status_code == 422
    lost = requests.get(f"{server.url}/json/2/res.partner/search", timeout=10)
    assert lost.status_code == 404
    assert lost.json()["message"].startswith("Did you mean POST")


def test_a_model_is_documented_for_callers(server: Any) -> None:
    """`/doc-bearer` tells fields, methods and their arguments."""
    key = server.execute("res.users.apikeys", "generate", "docs")
    headers = {"authorization": f"Bearer {key}"}
    url = f"{server.url}/doc-bearer/res.partner.json"
    told = requests.get(url, headers=headers, timeout=10).json()
    assert told["model"] == "res.partner"
    assert told["fields"]["parent_id"]["relation"] == "res.partner"
    search = told["methods"]["search"]
    assert list(search["parameters"])[:3] == ["domain", "offset", "limit"]
    assert "model" in search["api"]
    assert "sudo" not in told["methods"]


def test_an_api_key_stands_for_the_password(server: Any) -> None:
    """An API key logs its user in over the other protocols, until it is removed."""
    key = server.execute("res.users.apikeys", "generate", "password")
    (id_,) = server.execute("res.users.apikeys", "search", [["name", "=", "password"]])
    assert server.result("common", "login", server.database, "admin", key) == 1
    call = (server.database, 1, key, "res.users", "context_get", [])
    assert server.result("object", "execute_kw", *call)["uid"] == 1
    assert server.execute("res.users.apikeys", "remove", [id_])
    assert named(server.error("object", "execute_kw", *call)) == "odoo.exceptions.AccessDenied"
