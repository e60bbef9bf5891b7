"""`connector sync` against the example's shop, as a user types it."""

import time

import pytest
import requests

from connector_example.demo.shop_process import ShopProcess

ARTISTS = ("sync", "Chinook", "shop.artist")
PROMPT_SECONDS = 10


@pytest.fixture
def addons():
    return ("connector", "connector_example")


@pytest.fixture
def shop():
    with ShopProcess() as process:
        yield process


@pytest.fixture
def sync(connector, database, shop):
    """Runs `connector sync Chinook shop.artist …` on a database that knows the shop."""
    with database.env() as env:
        location = f"{shop.url}/api/v1"
        env["shop.backend"].create({"name": "Chinook", "token": shop.token, "location": location})

    def run(*options, status=0):
        done = connector(*ARTISTS, *options, CONNECTOR_DB_NAME=database.name)
        assert (done.returncode, "Traceback" in done.stderr) == (status, False), done.stderr
        return done.stdout.splitlines(), done.stderr.splitlines()

    return run


def shops_answer(shop, method, path, **body):
    headers = {"Authorization": f"Bearer {shop.token}"}
    url = f"{shop.url}/api/v1/{path}"
    answer = requests.request(method, url, json=body or None, headers=headers, timeout=5)
    answer.raise_for_status()


def names(database):
    with database.env() as env:
        return {each.external_id: each.name for each in env["shop.artist"].search([])}


def test_whole_listing_changes_and_single_records(sync, shop, database):
    """
    Everything, then what changed, then records by their ids; a dry run before tells each of them.
    """
    before = shop.traffic().requests
    told, _ = sync("--full", "--dry-run")
    assert told.count("shop.artist 1: created") == 1
    assert "    name: None -> 'AC/DC'" in told
    assert len([line for line in told if line.endswith(": created")]) == 275
    assert names(database) == {}
    assert shop.traffic().requests - before <= 10

    assert sync()[0] == ["shop.artist: 275 created"]
    assert sync("--full")[0] == ["shop.artist: 275 unchanged"]
    assert sync("--since")[0] == ["shop.artist: 275 unchanged"]
    assert sync("--since")[0] == ["shop.artist: nothing to import"]

    shops_answer(shop, "PATCH", "artists/2", name="Accept, the band")
    told, _ = sync("--since", "--dry-run")
    assert told == ["shop.artist 2: updated", "    name: 'Accept' -> 'Accept, the band'"]
    assert names(database)["2"] == "Accept"
    assert sync("--since")[0] == ["shop.artist: 1 updated"]
    assert names(database)["2"] == "Accept, the band"

    shops_answer(shop, "PATCH", "artists/3", name="Aerosmith, the band")
    wanted = ("--ids", "3, 4,999")
    assert [line for line in sync(*wanted, "--dry-run")[0] if not line.startswith("  ")] == [
        "shop.artist 3: updated",
        "shop.artist 4: unchanged",
        "shop.artist 999: missing",
    ]
    assert sync(*wanted)[0] == ["shop.artist: 1 missing, 1 unchanged, 1 updated"]


def test_record_that_cannot_be_imported_is_named_and_filed(sync, shop, database):
    """
    One bad record is an exit status of 1 and a job; the others are imported.
    """
    shops_answer(shop, "PATCH", "artists/2", name="")

    told, errors = sync(status=1)
    assert told == ["shop.artist: 274 created"]
    [error] = [line for line in errors if "failed" in line]
    assert error.startswith("shop.artist 2 failed: InvalidDataError: The shop sends")
    assert sync("--dry-run", status=1)[0].count(error.replace(" failed:", ": failed")) == 1
    told, errors = sync("--ids", "2,1", status=1)
    assert told == ["shop.artist: 1 unchanged"]
    assert error in errors

    with database.cursor() as cr:
        cr.execute("SELECT args FROM queue_job WHERE func_name LIKE '%import_record'")
        assert cr.rowcount == 1


def test_sweep_marks_and_a_record_that_comes_back_is_the_old_one(sync, shop, database):
    """
    What is deleted at the shop is marked, not above the share; what comes back is not made twice.
    """
    sync()
    for artist_id in (7, 8):
        shops_answer(shop, "DELETE", f"artists/{artist_id}")

    told, [error] = sync("--max-delete", "0.001", status=1)
    assert told == ["shop.artist: 273 unchanged"]
    assert "2 of 275 'shop.artist' are not listed" in error
    assert sync("--max-delete", "0.01", "--dry-run")[0][-2:] == [
        "shop.artist 7: missing",
        "shop.artist 8: missing",
    ]
    assert sync("--max-delete", "0.01")[0] == ["shop.artist: 2 missing, 273 unchanged"]
    assert sync("--max-delete", "0.01")[0] == ["shop.artist: 273 unchanged"]
    assert len(names(database)) == 275


def test_shop_that_is_down_is_told_at_once(sync, shop):
    """
    Nobody waits for a shop that does not answer: one message, with what to do.
    """
    shop.stop()
    for options in ((), ("--dry-run",), ("--since",), ("--ids", "1")):
        began = time.monotonic()
        told, errors = sync(*options, status=1)
        assert told == []
        [error] = errors
        assert "got no answer" in error
        assert "Check that the backend runs" in error
        assert time.monotonic() - began < PROMPT_SECONDS


def test_pauses_are_waited_for(sync, shop, database):
    """
    A shop that asks for a pause is asked again, and nothing is left out.
    """
    with shop.fault("too_many_requests", times=3):
        sync("--ids", "1,2,3")
        assert [fault["met"] for fault in shop.faults()] == [3]

    assert sorted(names(database)) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--since", "--full"), "exclude each other"),
        (("--since", "--max-delete", "0.1"), "whole listing only"),
        (("--ids", "1,,2"), "has an empty id"),
        (("--max-delete", "2"), "2"),
    ],
)
def test_options_that_do_not_go_together(sync, options, message):
    """
    Options that contradict each other are a usage error.
    """
    assert message in sync(*options, status=2)[1][-1]
