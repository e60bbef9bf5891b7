"""What changes at the shop while it is imported: nothing is lost, nothing is written twice."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from connector.cli import source
from connector.core.sql import READ_COMMITTED
from connector.session import ConnectorSessionHandler
from connector.unit.incremental import IncrementalImporter
from connector_example.shop.app import Shop
from connector_example.shop.catalogue import Catalogue
from connector_example.shop.limiter import RateLimiter

SECONDS = 4
#: Each write of a binding, by what it holds afterwards.
WITNESS = """
    CREATE TABLE witness (id serial, external_id text, checksum text);
    CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO witness (external_id, checksum) VALUES (NEW.external_id, NEW.checksum);
        RETURN NEW;
    END $$;
    CREATE TRIGGER witness AFTER INSERT OR UPDATE ON shop_artist
        FOR EACH ROW EXECUTE FUNCTION witness();
"""


@contextmanager
def opened(shop: Shop) -> Iterator[str]:
    """The URL of a shop that answers in a thread of this process."""
    config = uvicorn.Config(shop.application(), log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        host, port = listener.getsockname()
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"http://{host}:{port}/api/v1"
        server.should_exit = True
        thread.join(10)


@pytest.fixture(params=[True, False], ids=["whole seconds", "microseconds"])
def catalogue(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    # No longer than the unit of the clock asks for: a longer overlap would hide a lost record.
    overlap = 1.5 if request.param else 0.01
    monkeypatch.setattr(IncrementalImporter, "_overlap_seconds", overlap)
    return Catalogue(counts_seconds=request.param)


@pytest.fixture
def artists(
    database: Any, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> Iterator[source.Source]:
    """The artists of a shop without a limit of requests, to be imported from."""
    limiter = RateLimiter(10_000, 10_000)
    shop = Shop(catalogue, token="open", admin_token="back", limiter=limiter)
    handler = ConnectorSessionHandler(database.name, 1)
    monkeypatch.setattr(source, "database_session", lambda: handler)
    with opened(shop) as url:
        with database.env() as env:
            env["shop.backend"].create({"name": "Chinook", "token": "open", "location": url})
        with database.cursor() as cr:
            cr.execute(WITNESS)
        yield source.Source("Chinook", "shop.artist")


def import_changes(artists: source.Source) -> Counter[str]:
    counts: Counter[str] = Counter()
    for result in artists.results(None, since=True, max_delete=None):
        assert not result.get("poisoned")
        counts.update(result["counts"].get("shop.artist", {}))
    return counts


def write_until(end: float, catalogue: Catalogue) -> None:
    """Change artists all over the listing, and add some."""
    for number in range(1_000_000):
        if time.monotonic() > end:
            return
        artist_id = number * 97 % 275 + 1
        catalogue.change("artists", artist_id, name=f"Artist {artist_id}, edition {number}")
        if number % 10 == 0:
            catalogue.create("artists", {"name": f"New artist {number}"})
        time.sleep(0.004)


def in_threads(*works: Callable[[], Any]) -> None:
    """Do all of it at once; an error in one is raised here."""
    errors: list[BaseException] = []

    def guarded(work: Callable[[], Any]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_writer_at_work_loses_no_record_and_makes_none_twice(
    artists: source.Source, catalogue: Catalogue, database: Any
) -> None:
    """
    Two importers ask for changes again and again while somebody writes; in the end all is there.
    """
    end = time.monotonic() + SECONDS

    def imports() -> None:
        while time.monotonic() < end:
            import_changes(artists)

    in_threads(lambda: write_until(end, catalogue), imports, imports)
    import_changes(artists)

    there = {str(each["id"]): each["name"] for each in catalogue.dump()["artists"]}
    with database.session(READ_COMMITTED) as session:
        bindings = session.env["shop.artist"].search([])
        here = {each.external_id: each.name for each in bindings}
        session.cr.execute("SELECT external_id, checksum FROM witness ORDER BY id")
        written: dict[str, list[str]] = {}
        for external_id, checksum in session.cr.fetchall():
            written.setdefault(external_id, []).append(checksum)
    assert here == there
    assert max(map(len, written.values())) > 2, "nothing was changed while it was imported"
    # What is written again differs from what was there: each edition is written at most once.
    assert not [each for each in written.values() if len(set(each)) != len(each)]
    assert import_changes(artists).keys() <= {"unchanged"}
