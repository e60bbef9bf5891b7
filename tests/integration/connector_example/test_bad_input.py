"""A shop that is not as it should be: one clear message, and nothing half done."""

from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from connector.exception import (
    BackendAccessError,
    BackendResponseError,
    InvalidDataError,
    NetworkRetryableError,
    RateLimitError,
)
from connector.session import ConnectorSession
from connector.unit.backend_adapter import CRUDAdapter
from connector.unit.batch import import_batch, import_chunk, import_record
from connector_example.demo.shop_process import ShopProcess


def count(session: ConnectorSession, table: str) -> int:
    session.cr.execute(f"SELECT count(*) FROM {table}")
    (found,) = session.cr.fetchone()
    return int(found)


def test_a_shop_that_is_down_is_tried_again(session: ConnectorSession, backend: Any):
    """
    Nobody answers: the job comes back later, and the message says where nobody was.
    """
    backend.location = "http://127.0.0.1:9/api/v1"

    with pytest.raises(NetworkRetryableError, match=r"127\.0\.0\.1:9/api/v1/genres got no answer"):
        import_batch(session, "shop.genre", backend.id)

    assert count(session, "queue_job") == 0


def test_a_wrong_token_waits_for_a_person(session: ConnectorSession, backend: Any):
    """
    A refused token fails at once, names what to check, and is not shown.
    """
    backend.token = "a-wrong-token"

    with pytest.raises(BackendAccessError, match="Check the token") as raised:
        import_batch(session, "shop.genre", backend.id)

    assert "a-wrong-token" not in str(raised.value)


def test_a_page_that_is_not_json_is_refused(
    session: ConnectorSession, backend: Any, shop: ShopProcess
):
    """
    An HTML page is no listing: the error says what came instead, and no job is left behind.
    """
    shop.misbehave({"name": "not_json", "kind": "genres"})

    with pytest.raises(BackendResponseError, match="text/html"):
        import_batch(session, "shop.genre", backend.id)

    assert count(session, "queue_job") == 0


def test_too_many_requests_wait_as_long_as_the_shop_asks(session: ConnectorSession, backend: Any):
    """
    429 lets the job come back after the seconds of Retry-After, without counting the try.
    """
    adapter = backend.get_environment("shop.genre").get_connector_unit(CRUDAdapter)

    with pytest.raises(RateLimitError) as raised:
        deque((adapter.read(1) for _ in range(200)), maxlen=0)

    assert (raised.value.seconds, raised.value.ignore_retry) == (1, True)


def test_a_record_without_its_required_field_stops_nobody_else(
    session: ConnectorSession, backend: Any, shop: ShopProcess, run_jobs: Callable[[], list[Any]]
):
    """
    99 artists of a page are imported; the one without a name is named, and fails on its own.
    """
    fault = {"name": "missing_field", "kind": "artists", "options": {"id": 5, "field": "name"}}
    shop.misbehave(fault)
    import_batch(session, "shop.artist", backend.id)
    session.cr.execute("SELECT args FROM queue_job WHERE func_name LIKE '%%import_chunk'")
    ((_, _, records),) = session.cr.fetchone()

    result = import_chunk(session, "shop.artist", backend.id, records)

    assert result["counts"] == {"shop.artist": {"created": 99}}
    assert "shop.artist 5 without name" in result["poisoned"]["5"]
    assert count(session, "shop_artist") == 99
    with pytest.raises(InvalidDataError, match="artist 5 without name"):
        import_record(session, "shop.artist", backend.id, "5")


def test_a_complaint_about_a_field_writes_nothing(
    session: ConnectorSession, backend: Any, shop: ShopProcess
):
    """
    A record that is refused leaves neither a binding nor a record.
    """
    fault = {"name": "missing_field", "kind": "genres", "options": {"id": 1, "field": "name"}}
    shop.misbehave(fault)

    with pytest.raises(InvalidDataError):
        import_record(session, "shop.genre", backend.id, 1)

    assert (count(session, "shop_genre"), count(session, "music_genre")) == (0, 0)
