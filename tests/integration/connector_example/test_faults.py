"""Each fault of the shop: the connector survives it, or fails with the one right error."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests

from connector.connector import get_environment
from connector.exception import (
    BackendResponseError,
    InvalidDataError,
    NetworkRetryableError,
    RateLimitError,
    RetryableJobError,
    SweepRefusedError,
)
from connector.session import ConnectorSession
from connector.testing import trap_jobs
from connector.unit.backend_adapter import CRUDAdapter
from connector.unit.batch import import_batch, import_record
from connector.unit.chunk import ChunkImporter
from connector.unit.exporter import RecordExporter
from connector.unit.incremental import open_window
from connector.unit.sweep import gone_from
from connector_example.demo.shop_process import ShopProcess

ARTISTS = 275


@pytest.fixture
def shop(mock_shop: ShopProcess) -> ShopProcess:
    """The shop that all tests share: each of them finds it as on its first day."""
    return mock_shop


@pytest.fixture
def import_artists(
    session: ConnectorSession, backend: Any, run_jobs: Callable[[], list[Any]]
) -> Callable[[], None]:
    def run() -> None:
        import_batch.delay(session, "shop.artist", backend.id)
        run_jobs()

    return run


def artists(session: ConnectorSession) -> dict[str, str]:
    found = session.env["shop.artist"].search([])
    names = {binding.external_id: binding.name for binding in found}
    assert len(names) == len(found)
    assert len(session.env["music.artist"].search([])) == len(found)
    return names


def artists_there(shop: ShopProcess) -> dict[str, str]:
    return {str(record["id"]): record["name"] for record in shop.dump()["artists"]}


def ask(shop: ShopProcess, method: str = "GET", path: str = "genres/1", **kwargs: Any) -> Any:
    headers = {"Authorization": f"Bearer {shop.token}"}
    return requests.request(
        method, f"{shop.url}/api/v1/{path}", headers=headers, timeout=5, **kwargs
    )


def adapter_of(session: ConnectorSession, backend: Any, model: str) -> Any:
    return get_environment(session, model, backend.id).get_connector_unit(CRUDAdapter)


SURVIVED = [
    ("latency", {"seconds": 0.2, "times": 2}),
    ("too_many_requests", {"times": 2, "retry_after": 0.1}),
    ("too_many_requests", {"after": 1, "times": 1, "retry_after": None}),
    ("server_error", {"after": 1, "times": 1}),
    ("server_error", {"status": 502, "times": 1}),
    ("unavailable", {"times": 1}),
    ("dropped_response", {"after": 1}),
    ("truncated_json", {"after": 2, "times": 1}),
    ("duplicated_page", {"times": 1}),
    ("duplicated_page", {"after": 1, "times": 2}),
    ("shifted_page", {"by": 1}),
    ("shifted_page", {"by": 99, "times": 1}),
    ("unknown_field", {}),
    ("unknown_field", {"field": "display_name", "value": "x" * 10_000}),
    ("clock_skew", {"seconds": 86_400}),
    ("clock_skew", {"seconds": -86_400}),
]


@pytest.mark.parametrize(("name", "properties"), SURVIVED, ids=lambda value: str(value))
def test_an_import_survives(
    session: ConnectorSession,
    shop: ShopProcess,
    import_artists: Callable[[], None],
    name: str,
    properties: dict[str, Any],
) -> None:
    """
    Every artist is there once, with its name, as if nothing had happened; and something has.
    """
    with shop.fault(name, kind="artists", **properties):
        import_artists()
        [fault] = shop.faults()

    assert artists(session) == artists_there(shop)
    assert fault["met"] >= 1


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("server_error", {}, NetworkRetryableError, "cannot answer now (500)"),
        ("unavailable", {}, NetworkRetryableError, "cannot answer now (503)"),
        ("too_many_requests", {"retry_after": 7}, RateLimitError, "asks for a pause"),
        ("dropped_response", {"times": 9}, NetworkRetryableError, "got no answer"),
        ("truncated_json", {}, NetworkRetryableError, "JSON that cannot be read"),
        ("not_json", {}, BackendResponseError, "answers text/html"),
        ("page_loop", {}, BackendResponseError, "names itself as the next one"),
    ],
)
def test_an_import_that_cannot_go_on_tells_why(
    session: ConnectorSession,
    backend: Any,
    shop: ShopProcess,
    name: str,
    options: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    """
    A fault that does not end is told in one message, and nothing is enqueued or written.
    """
    with shop.fault(name, kind="artists", **options), pytest.raises(error) as raised:
        with session.cr.savepoint():
            import_batch(session, "shop.artist", backend.id)

    assert message in str(raised.value)
    assert artists(session) == {}
    session.cr.execute("SELECT count(*) FROM queue_job")
    assert session.cr.fetchone() == (0,)


def test_an_answer_that_takes_too_long_is_asked_for_again(
    session: ConnectorSession, backend: Any, shop: ShopProcess
) -> None:
    """
    Latency beyond the timeout is a retryable error, and the next try gets its answer.
    """
    adapter = adapter_of(session, backend, "shop.artist")
    adapter.client._timeout = (5, 0.2)

    with shop.fault("latency", kind="artists", seconds=0.5, times=1):
        with pytest.raises(NetworkRetryableError, match="got no answer"):
            adapter.read(1)
        assert adapter.read(1)["name"] == "AC/DC"


def test_a_pause_until_a_date_is_measured_by_the_shops_clock(
    session: ConnectorSession, backend: Any, shop: ShopProcess
) -> None:
    """
    With a clock an hour ahead, `Retry-After: <date>` still means the seconds that it should.
    """
    until = datetime.now(UTC) + timedelta(hours=1, seconds=5)
    date = format_datetime(until, usegmt=True)

    with shop.fault("clock_skew", seconds=3600), shop.fault("too_many_requests", retry_after=date):
        with pytest.raises(RateLimitError) as raised:
            adapter_of(session, backend, "shop.artist").read(1)

    assert 2 <= (raised.value.seconds or 0) <= 6


def test_a_record_passed_over_comes_later_and_is_not_removed(
    session: ConnectorSession,
    backend: Any,
    shop: ShopProcess,
    import_artists: Callable[[], None],
) -> None:
    """
    A record that slips between two pages is brought by the next run; a sweep does not take such a
    listing for complete.
    """
    with shop.fault("shifted_page", kind="artists", by=-1, times=1):
        import_artists()
    assert artists_there(shop).items() - artists(session).items() == {("100", "Lenny Kravitz")}

    import_artists()
    assert artists(session) == artists_there(shop)

    connector_env = get_environment(session, "shop.artist", backend.id)
    with shop.fault("shifted_page", kind="artists", by=-1, times=1):
        with pytest.raises(SweepRefusedError, match="not complete"):
            gone_from(connector_env)


@pytest.mark.parametrize("seconds", [-7200, 0, 7200])
def test_incremental_imports_go_by_the_shops_clock(
    session: ConnectorSession, backend: Any, shop: ShopProcess, seconds: int
) -> None:
    """
    However wrong the shop's clock is, a second run writes what changed, all of it and no more.
    """

    def bring_changes() -> int:
        connector_env = get_environment(session, "shop.genre", backend.id)
        window, importer = open_window(connector_env), ChunkImporter(connector_env)
        page = adapter_of(session, backend, "shop.genre").search_page(window.filters)
        importer.run(window.take(page))
        assert page.next is None
        window.close()
        counts = importer.import_run.counts().get("shop.genre", {})
        return int(counts.get("created", 0) + counts.get("updated", 0))

    with shop.fault("clock_skew", kind="genres", seconds=seconds):
        assert bring_changes() == 25
        shop.change(27, seed=4)  # three of each kind
        assert bring_changes() == 3
        assert bring_changes() == 0

    names = {each.external_id: each.name for each in session.env["shop.genre"].search([])}
    assert names == {str(each["id"]): each["name"] for each in shop.dump()["genres"]}


@pytest.mark.parametrize(
    ("model", "kind", "field", "error"),
    [
        ("shop.artist", "artists", "name", "shop.artist 1 without name"),
        ("shop.employee", "employees", "lastname", "shop.employee 1 without last_name"),
    ],
)
def test_a_record_without_a_required_field_is_named(
    session: ConnectorSession,
    backend: Any,
    shop: ShopProcess,
    model: str,
    kind: str,
    field: str,
    error: str,
) -> None:
    """
    What a record needs and does not have is told with its model and its id.
    """
    with shop.fault("missing_field", kind=kind, id=1, field=field):
        with pytest.raises(InvalidDataError, match=error):
            import_record(session, model, backend.id, 1)


def test_a_record_without_its_id_stops_nobody_else(
    session: ConnectorSession,
    backend: Any,
    shop: ShopProcess,
) -> None:
    """
    24 of 25 genres are imported; the one without an id fails on its own and says what it lacks.
    """
    with shop.fault("missing_field", kind="genres", id=3, field="id"), trap_jobs() as trap:
        import_batch.delay(session, "shop.genre", backend.id)
        with pytest.raises(InvalidDataError, match="no external id in 'id'"):
            trap.perform_enqueued_jobs(follow=True)
        with pytest.raises(BackendResponseError, match="has no field 'id'"):
            adapter_of(session, backend, "shop.genre").search()

    assert len(session.env["shop.genre"].search([])) == 24


def test_a_record_without_a_field_that_may_be_missing_is_imported(
    session: ConnectorSession, backend: Any, shop: ShopProcess
) -> None:
    """
    A field that is not required and not there is empty here.
    """
    with shop.fault("missing_field", kind="employees", id=1, field="title"):
        import_record(session, "shop.employee", backend.id, 1)

    assert session.env["shop.employee"].search([]).job_title is False


# -- exports ---------------------------------------------------------------------------------------


@pytest.fixture
def committed(database: Any, shop: ShopProcess) -> Iterator[ConnectorSession]:
    """A session that really commits, as exporters do."""
    with database.session("read committed") as session:
        values = {"name": "Chinook", "version": "1.0", "token": shop.token}
        session.env["shop.backend"].create({**values, "location": f"{shop.url}/api/v1"})
        session.commit()
        yield session


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("latency", {"seconds": 0.2}),
        ("too_many_requests", {"times": 1, "retry_after": 0.1}),
        ("server_error", {"times": 1}),
        ("dropped_response", {}),
        ("late_store", {"seconds": 3}),
        ("truncated_json", {"times": 1}),
        ("unknown_field", {"method": "POST"}),
        ("clock_skew", {"seconds": -500}),
    ],
    ids=lambda value: str(value),
)
def test_an_export_makes_one_record(
    committed: ConnectorSession, shop: ShopProcess, name: str, properties: dict[str, Any]
) -> None:
    """
    Whatever becomes of the answer to a create, the shop has the new customer once, and it is bound.
    """
    session = committed
    known = {record["id"] for record in shop.dump()["customers"]}
    [backend] = session.env["shop.backend"].search([])
    values = {"name": "Ada L", "first_name": "Ada", "last_name": "L", "backend_id": backend.id}
    binding = session.env["shop.customer"].with_context(connector_no_export=True).create(values)
    session.commit()

    with shop.fault(name, kind="customers", **properties):
        for _ in range(5):
            try:
                environment = get_environment(session, "shop.customer", backend.id)
                environment.get_connector_unit(RecordExporter).run(binding.id)
                break
            except RetryableJobError as error:
                session.rollback()
                time.sleep(error.seconds or 0.1)
        [fault] = shop.faults()

    assert fault["met"] >= 1
    [new] = {record["id"] for record in shop.dump()["customers"]} - known
    assert binding.external_id == str(new)


# -- the control endpoint --------------------------------------------------------------------------


def control(shop: ShopProcess, method: str, body: Any = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {shop.admin_token}"}
    url = f"{shop.url}/admin/faults"
    return requests.request(method, url, json=body, headers=headers, timeout=5)


def test_faults_are_switched_over_http(shop: ShopProcess) -> None:
    """
    PUT replaces the faults, POST adds one, GET tells what they have met, DELETE ends them.
    """
    control(shop, "PUT", [{"name": "latency", "kind": "genres", "options": {"seconds": 0}}])
    control(shop, "POST", [{"name": "server_error", "kind": "artists", "times": 1}])
    ask(shop)
    assert ask(shop, path="artists").status_code == 500
    assert ask(shop, path="artists").status_code == 200

    told = control(shop, "GET").json()
    assert [(fault["name"], fault["met"]) for fault in told] == [
        ("latency", 1),
        ("server_error", 1),
    ]
    assert control(shop, "DELETE").status_code == 204
    assert control(shop, "GET").json() == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"name": "earthquake"}, "No fault 'earthquake'"),
        ({"name": "latency", "route": "both"}, "No route 'both'"),
        ({"name": "latency", "often": 3}, "often"),
        ({}, "name"),
    ],
)
def test_an_unknown_fault_is_refused(shop: ShopProcess, fault: Any, message: str) -> None:
    """
    An unknown fault, or one with an unknown property, changes nothing and is named.
    """
    control(shop, "PUT", [{"name": "latency"}])

    answer = control(shop, "PUT", [fault])

    assert answer.status_code == 422
    assert message in answer.json()["error"]
    assert len(shop.faults()) == 1


@pytest.mark.parametrize(
    ("selection", "statuses"),
    [
        ({}, [500, 500, 500, 500]),
        ({"kind": "genres"}, [500, 500, 500, 500]),
        ({"kind": "artists"}, [200, 200, 204, 200]),
        ({"route": "list"}, [500, 200, 204, 500]),
        ({"route": "record"}, [200, 500, 500, 200]),
        ({"method": "DELETE"}, [200, 200, 500, 200]),
        ({"after": 1, "times": 2}, [200, 500, 500, 200]),
    ],
)
def test_a_fault_meets_the_requests_it_is_for(
    shop: ShopProcess, selection: dict[str, Any], statuses: list[int]
) -> None:
    """
    Kind, route, method and count say which requests a fault meets.
    """
    with shop.fault("server_error", **selection):
        answers = [
            ask(shop, path="genres"),
            ask(shop, path="genres/2"),
            ask(shop, "DELETE", "genres/3"),
            ask(shop, path="genres"),
        ]

    assert [answer.status_code for answer in answers] == statuses


def test_a_request_can_carry_its_own_fault(shop: ShopProcess) -> None:
    """
    The header X-Fault names a fault for one request; nonsense in it is refused.
    """

    def status(fault: str) -> int:
        headers = {"Authorization": f"Bearer {shop.token}", "X-Fault": fault}
        return requests.get(f"{shop.url}/api/v1/genres", headers=headers, timeout=5).status_code

    assert status('{"name": "server_error", "options": {"status": 502}}') == 502
    assert status('{"name": "earthquake"}') == 422
    assert status("server_error") == 422
    assert ask(shop).status_code == 200
    assert shop.faults() == []


def test_faults_end_with_their_block(shop: ShopProcess) -> None:
    """
    One fault within another: the outer one stays when the inner one ends, with its count.
    """
    with shop.fault("latency", seconds=0), shop.fault("server_error", times=1):
        ask(shop)
        assert [fault["met"] for fault in shop.faults()] == [1, 1]

    assert shop.faults() == []
    assert ask(shop).status_code == 200


@pytest.mark.parametrize("turn", ["first", "second"])
def test_the_next_test_finds_the_shop_as_on_its_first_day(shop: ShopProcess, turn: str) -> None:
    """
    Neither changes nor faults of a test are there in another one.
    """
    assert shop.faults() == []
    assert len(shop.dump()["genres"]) == 25

    shop.misbehave({"name": "unavailable"})
    shop.misbehave()
    assert ask(shop, "DELETE", "genres/3").status_code == 204
    shop.misbehave({"name": "unavailable"})
