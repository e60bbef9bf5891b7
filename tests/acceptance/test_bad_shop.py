"""Real workers meet a shop that is not as it should be."""

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from connector.embedded import Services
from connector.exception import ConnectorException
from connector_example.demo.database import set_backend
from connector_example.demo.importing import Import
from connector_example.demo.report import Run
from connector_example.demo.shop_process import ShopProcess
from connector_example.demo.witness import read_shop
from connector_example.demo.workers import Workers
from connector_example.verify import differences


@pytest.fixture
def addons() -> tuple[str, ...]:
    return ("connector", "queue_worker", "connector_example")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[ShopProcess]:
    with ShopProcess(tmp_path / "shop.json") as process:
        yield process


@pytest.fixture
def import_from(servers: Services, database: Any, tmp_path: Path) -> Callable[..., Run]:
    """Import everything from a shop with two worker processes, with its own or another token."""

    def run(shop: ShopProcess, token: str | None = None) -> Run:
        with database.session() as session:
            backend_id = set_backend(session, f"{shop.url}/api/v1", token or shop.token)
        totals = {table: len(records) for table, records in shop.dump().items()}
        console = Console(file=io.StringIO())
        with Workers(servers, database.name, 2, tmp_path / "workers.log") as workers:
            return Import(console, servers, database.name, shop, workers, backend_id, totals).run()

    return run


def assert_complete(database: Any, shop: ShopProcess) -> None:
    with database.session() as session:
        (backend,) = session.env["shop.backend"].search([])
        found = differences(session.cr, backend.id, read_shop(shop.url, shop.token))
    assert found == []


def test_a_wrong_token_is_told_once_for_each_listing(
    import_from: Callable[..., Run], shop: ShopProcess, database: Any
):
    """
    Each kind that could begin fails with one message, the others wait; with the right token
    everything comes.
    """
    run = import_from(shop, token="a-wrong-token")

    assert len(run.failures) == 4
    assert all("Check the token of the backend" in failure for failure in run.failures)
    assert "a-wrong-token" not in "".join(run.failures)
    assert run.held_up == 4
    assert sum(counts.done for counts in run.counts.values()) == 0

    assert import_from(shop).is_clean
    assert_complete(database, shop)


def test_a_page_that_is_not_json_holds_up_what_needs_it(
    import_from: Callable[..., Run], shop: ShopProcess, database: Any
):
    """
    Albums answer HTML: one message, artists are there, tracks wait; mended, everything comes.
    """
    shop.misbehave({"name": "not_json", "kind": "albums"})

    run = import_from(shop)

    (failure,) = run.failures
    assert "answers text/html" in failure
    assert run.counts["artists"].created == 275
    assert run.counts["tracks"].done == 0
    assert run.held_up == 2

    shop.misbehave()
    assert import_from(shop).is_clean
    assert_complete(database, shop)


def test_a_record_without_its_required_field_stops_only_who_needs_it(
    import_from: Callable[..., Run], shop: ShopProcess, database: Any
):
    """
    One artist has no name: it is named with its albums and tracks, all others are imported.
    """
    fault = {"name": "missing_field", "kind": "artists", "options": {"id": 275, "field": "name"}}
    shop.misbehave(fault)

    run = import_from(shop)

    assert run.counts["artists"].failed == 1
    assert any("shop.artist 275 without name" in failure for failure in run.failures)
    assert run.counts["artists"].created == 274
    assert run.counts["albums"].created == 346
    assert run.counts["genres"].created == 25

    shop.misbehave()
    assert import_from(shop).is_clean
    assert_complete(database, shop)


def test_a_shop_that_goes_down_loses_nothing(
    import_from: Callable[..., Run], tmp_path: Path, database: Any
):
    """
    The run ends with one message when its shop has gone, and the next one completes it.
    """
    with ShopProcess(tmp_path / "shop.json") as shop:
        closing_time = threading.Timer(4, shop.stop)
        closing_time.start()
        # Tracks stay away, so that the run cannot be over before.
        shop.misbehave({"name": "unavailable", "kind": "tracks"})
        with pytest.raises(ConnectorException, match="nothing is lost"):
            import_from(shop)
        closing_time.join()

    with ShopProcess(tmp_path / "shop.json") as again:
        assert import_from(again).is_clean
        assert_complete(database, again)
