"""What the functions send, and what they make of a result."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.rpc import services
from connector.rpc.protocol import Call, envelope
from connector.rpc.repeating import may_repeat

MASTER: dict[str, Any] = {"admin_password": "m", "db_name": "d"}
EXECUTE: dict[str, Any] = {"db": "d", "uid": 2, "password": "p", "obj": "o"}


def test_the_envelope_is_json_rpc() -> None:
    """The payload names version, method, params and an id of its own."""
    payload, request_id = envelope(services.db_exist(db_name="acme"))

    assert payload == {
        "jsonrpc": "2.0",
        "method": "call",
        "params": {"service": "db", "method": "db_exist", "args": ["acme"]},
        "id": request_id,
    }
    assert envelope(services.version())[1] != request_id


@pytest.mark.parametrize(
    "call", [services.version(), services.list_lang(), services.server_version()]
)
def test_args_are_always_there(call: Call[Any]) -> None:
    """Functions without arguments send an empty list, which servers ask for."""
    assert envelope(call)[0]["params"]["args"] == []


def test_a_new_database_is_described_as_shortly_as_it_can_be() -> None:
    """What says the same as the server's default stays out, so that old servers understand."""
    create = {**MASTER, "demo": False, "lang": "en_US"}

    assert services.create_database(**create).args == ["m", "d", False, "en_US", "admin"]
    assert services.create_database(**create, login="boss").args[5:] == ["boss"]
    assert services.create_database(**create, country_code="be").args[5:] == ["admin", "be"]
    assert services.create_database(**create, phone="1").args[5:] == ["admin", None, "1"]


@pytest.mark.parametrize("args", ["ids", b"ids", {"ids": 1}])
def test_args_that_are_no_list_are_refused(args: Any) -> None:
    """A text or a mapping in place of the list of arguments is a mistake."""
    with pytest.raises(TypeError, match="list of positional arguments"):
        services.execute_kw(**EXECUTE, method="read", args=args)


def test_wrong_values_for_databases_are_refused() -> None:
    """A dump that is text, or one name where a list belongs, is a mistake."""
    with pytest.raises(TypeError, match="as bytes"):
        services.restore_database(**MASTER, data="text")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="list of names"):
        services.migrate_databases(admin_password="m", databases="d")


@given(st.binary())
def test_a_dump_survives_the_way_there_and_back(data: bytes) -> None:
    """What `restore_database` sends is what `dump_database` reads, line breaks or not."""
    sent = services.restore_database(**MASTER, data=data).args[2]
    broken = "\n".join(sent[n : n + 76] for n in range(0, len(sent), 76))

    convert = services.dump_database(**MASTER).convert
    assert convert(sent) == convert(broken + "\n") == data


@pytest.mark.parametrize(
    ("told", "series"),
    [
        ({"server_version": "14.0-2023", "server_serie": "14.0"}, "14.0"),
        ({"server_version": "8.0"}, "8.0"),
        ("7.0", "7.0"),
    ],
)
def test_a_version_is_a_text(told: Any, series: str) -> None:
    """`version` is the series, however the server tells it."""
    assert services.version().convert(told) == series


@pytest.mark.parametrize(
    ("call", "result"),
    [
        (services.version(), 17),
        (services.version(), {"protocol_version": 1}),
        (services.about(extended=True), ["one"]),
        (services.login(db="d", login="l", password="p"), True),
        (services.login(db="d", login="l", password="p"), "7"),
        (services.db_exist(db_name="d"), 1),
        (services.list_lang(), "en_US"),
        (services.dump_database(**MASTER), ["x"]),
    ],
)
def test_a_result_of_another_kind_is_refused(call: Call[Any], result: Any) -> None:
    """A result that a function cannot mean is an error."""
    with pytest.raises(ValueError, match=r"expected|no version"):
        call.convert(result)


@pytest.mark.parametrize("result", [None, False])
def test_no_user_is_false(result: Any) -> None:
    """A refused login is False, also from a server that answers with nothing."""
    assert services.login(db="d", login="l", password="p").convert(result) is False


@pytest.mark.parametrize(
    ("call", "safe"),
    [
        (services.version(), True),
        (services.login(db="d", login="l", password="p"), True),
        (services.list_databases(), True),
        (services.execute_kw(**EXECUTE, method="search_read", args=[[]]), True),
        (services.execute_kw(**EXECUTE, method="create", args=[{}]), False),
        (services.execute_kw(**EXECUTE, method="action_confirm", args=[[1]]), False),
        (services.drop_database(**MASTER), False),
        (services.dump_database(**MASTER), False),
    ],
)
def test_only_reading_calls_may_be_repeated(call: Call[Any], safe: bool) -> None:
    """What may write, or is unknown, is never safe to send twice."""
    assert may_repeat(envelope(call)[0]) is safe


@pytest.mark.parametrize("payload", [None, {}, [], {"params": {"service": "object", "args": []}}])
def test_an_unknown_payload_may_not_be_repeated(payload: Any) -> None:
    """What cannot be read as a call is not safe to send twice."""
    assert not may_repeat(payload)
