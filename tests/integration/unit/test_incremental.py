"""Incremental imports, the deletion sweep, dry runs and explanations."""

import pytest

from connector.exception import BackendResponseError, SweepRefusedError
from connector.unit.backend_adapter import CRUDAdapter, Page
from connector.unit.batch import import_chunk
from connector.unit.dry_run import DryRun
from connector.unit.incremental import incremental_importer, open_window
from connector.unit.sweep import gone_from

MODEL = "toy.partner"


def stamp(second):
    return f"2026-11-21T08:00:{second:02}Z"


def listed(shop, filters):
    """The listing of a shop that has whole seconds and leaves out the point it is asked for."""
    since = (filters or {}).get("updated_since", "")[:19]
    found = [record for record in shop.records[MODEL].values() if record["updated_at"][:19] > since]
    return sorted(found, key=lambda record: int(record["id"]))


def run(toys, shop, during=lambda: None):
    """Import a window, a page of three records at a time; *during* runs after the first page."""
    with toys.work(MODEL) as connector_env:
        window = open_window(connector_env)
    results, after = [], -1
    while True:
        page = [each for each in listed(shop, window.filters) if each["id"] > after][:3]
        if not page:
            break
        records = window.take(Page([dict(each) for each in page]))
        with toys.work(MODEL) as connector_env:
            result = import_chunk(connector_env.session, MODEL, toys.backend_id, records)
        results.append(result["counts"].get(MODEL, {}))
        after = page[-1]["id"]
        during()
        during = int
    with toys.work(MODEL) as connector_env:
        window.importer = incremental_importer(connector_env)
        window.close()
    return results


def test_no_record_is_lost_while_a_writer_works(toys, shop):
    """
    A record changed behind the listing is imported by the next run, and nothing twice.
    """
    for number in range(7):
        shop.put(MODEL, number, name=f"P{number}", updated_at=stamp(1))

    def writes():
        shop.put(MODEL, 0, name="changed behind", updated_at=stamp(20))
        shop.put(MODEL, 6, name="changed ahead", updated_at=stamp(30))

    run(toys, shop, writes)
    shop.put(MODEL, 7, name="same second", updated_at=stamp(30))
    again = run(toys, shop)

    names = {name for (name,) in toys.values(MODEL, "name")}
    assert {"changed behind", "changed ahead", "same second"} <= names
    assert sum(each.get("created", 0) + each.get("updated", 0) for each in again) == 2
    assert not any("created" in each or "updated" in each for each in run(toys, shop))


def test_cursor_stays_while_something_is_left_to_others(toys, shop):
    """
    A window with a refused record does not move the cursor.
    """
    shop.put(MODEL, 1, name="P", updated_at=stamp(1))
    with toys.work(MODEL) as connector_env:
        window = open_window(connector_env)
        window.take(Page(listed(shop, None)))
        window.is_complete = False
        window.close()

        assert not connector_env.env["connector.import.cursor"].search([])


@pytest.fixture
def searchable(shop, monkeypatch):
    """Let the toy adapter list ids."""


def test_sweep_finds_what_is_gone_and_refuses_too_much(toys, shop, searchable):
    """
    What the shop has lost is found; above the share nothing is.
    """
    for number in range(4):
        shop.put(MODEL, number, name=f"P{number}")
        toys.run(MODEL, number)
    del shop.records[MODEL]["2"]

    with toys.work(MODEL) as connector_env:
        assert gone_from(connector_env, 0.25).gone.mapped("external_id") == ["2"]
        with pytest.raises(SweepRefusedError, match="1 of 4"):
            gone_from(connector_env, 0.2)


def test_sweep_of_a_broken_listing_removes_nothing(toys, shop, monkeypatch):
    """
    A listing that breaks off is an error, and one that leaves a record out is asked again.
    """
    shop.put(MODEL, 1, name="P")
    toys.run(MODEL, 1)
    with toys.work(MODEL) as connector_env:
        monkeypatch.setattr(CRUDAdapter, "search", lambda self: [])
        assert not gone_from(connector_env, 1.0).gone

        def breaks(self):
            raise BackendResponseError("no list")

        monkeypatch.setattr(CRUDAdapter, "search", breaks)
        with pytest.raises(BackendResponseError):
            gone_from(connector_env, 1.0)


def test_dry_run_predicts_the_run_and_writes_nothing(toys, shop):
    """
    A dry run tells create, update, unchanged and failed as the run then does them.
    """
    toys_now = [shop.put(MODEL, number, name=f"P{number}") for number in range(3)]
    for number in range(2):
        toys.run(MODEL, number)
    toys_now[1]["name"] = "new name"
    toys_now.append(shop.put(MODEL, 9, name=""))

    before = toys.values(MODEL, "external_id", "name", "checksum")
    with toys.database.session("read committed") as stored, toys.work(MODEL) as connector_env:
        told = {each.external_id: each for each in DryRun(connector_env, stored).of_page(toys_now)}
        connector_env.session.cr.rollback()
    assert toys.values(MODEL, "external_id", "name", "checksum") == before

    assert told["1"].diff["name"] == ("P1", "new name")
    with toys.work(MODEL) as connector_env:
        result = import_chunk(connector_env.session, MODEL, toys.backend_id, toys_now)
    outcomes = sorted(each.outcome for each in told.values())
    real = [name for name, count in result["counts"][MODEL].items() for _ in range(count)]
    assert outcomes == sorted([*real, *["failed" for _ in result["poisoned"]]])
