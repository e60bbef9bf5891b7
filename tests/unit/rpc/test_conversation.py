"""What is sent again, how long that waits, and how pages follow each other."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.rpc import Kind, RPCError, services
from connector.rpc.conversation import Account, Pause, Retries, Send, persistent
from connector.rpc.paging import pager_for
from connector.rpc.protocol import Call

READ = services.list_databases()
WRITE = services.drop_database(admin_password="m", db_name="d")


def failure(kind: Kind, code: int | None = None, name: str | None = None) -> RPCError:
    return RPCError("failed", code, {"name": name}, None, kind)


def tries(call: Call[Any], error: RPCError, retries: Retries) -> int:
    """How often *call* is sent when each time ends with *error*."""
    talk = persistent(call, retries)
    step = next(talk)
    sent = 0
    while True:
        if isinstance(step, Pause):
            step = talk.send(None)
            continue
        sent += 1
        try:
            step = talk.throw(error)
        except RPCError:
            return sent


@pytest.mark.parametrize(
    ("error", "reading", "writing"),
    [
        (failure(Kind.UNREACHED), 3, 3),
        (failure(Kind.LOST), 3, 1),
        (failure(Kind.HTTP, 429), 3, 1),
        (failure(Kind.HTTP, 503), 3, 1),
        (failure(Kind.HTTP, 404), 1, 1),
        (failure(Kind.SERVER, 200, "psycopg2.errors.SerializationFailure"), 3, 1),
        (failure(Kind.SERVER, 200, "odoo.exceptions.AccessError"), 1, 1),
        (failure(Kind.PROTOCOL), 1, 1),
    ],
)
def test_only_what_is_safe_and_promising_is_sent_again(
    error: RPCError, reading: int, writing: int
) -> None:
    """A writing call is repeated only if it never left, a reading one if that may help."""
    assert tries(READ, error, Retries(3)) == reading
    assert tries(WRITE, error, Retries(3)) == writing


def test_a_later_success_is_the_result() -> None:
    """A call that succeeds at its second try gives that result."""
    talk = persistent(READ, Retries(2))
    next(talk)
    assert isinstance(talk.throw(failure(Kind.LOST)), Pause)
    assert talk.send(None) == Send(READ)

    with pytest.raises(StopIteration) as end:
        talk.send(["acme"])
    assert end.value.value == ["acme"]


def test_a_busy_server_is_given_the_time_it_asks_for() -> None:
    """A wait that the server asks for is kept, unless it is longer than the longest."""
    busy = RPCError("busy", 429, {"retry_after": 7.0}, None, Kind.HTTP)

    talk = persistent(READ, Retries(2))
    next(talk)
    assert talk.throw(busy) == Pause(7.0)
    assert tries(READ, busy, Retries(3, longest_wait_seconds=5)) == 1


@given(st.integers(2, 60))
def test_waits_grow_to_their_limit(attempt: int) -> None:
    """Each wait lies between half and all of its bound, which doubles up to the longest."""
    wait = Retries(first_wait_seconds=0.5, longest_wait_seconds=10).wait_before(attempt)

    bound = min(0.5 * 2 ** (attempt - 2), 10)
    assert bound / 2 <= wait <= bound


def test_an_account_hides_its_password() -> None:
    """The password is no part of what an account shows of itself."""
    assert "s3cret" not in repr(Account("acme", "demo", "s3cret"))


def test_pages_that_do_not_advance_are_an_error() -> None:
    """A server that sends the same page again is not asked for ever."""
    pager = pager_for([], None, 2)
    pager.accept([{"id": 1}, {"id": 2}])

    with pytest.raises(RPCError, match="do not advance"):
        pager.accept([{"id": 1}, {"id": 2}])


@pytest.mark.parametrize(
    ("order", "sent"),
    [("name", "name, id"), ("name, id desc", "name, id desc"), ("ID desc", "id desc")],
)
def test_an_order_always_ends_with_the_id(order: str, sent: str) -> None:
    """Records that are equal by the order asked for keep their places from page to page."""
    assert pager_for([], order, 10).next_page()["order"] == sent


def test_a_page_holds_at_least_one_record() -> None:
    """A page of nothing is refused."""
    with pytest.raises(ValueError, match="at least 1"):
        pager_for([], None, 0)
