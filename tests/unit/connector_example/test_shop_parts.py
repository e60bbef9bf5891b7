"""The shop's parts: catalogue, changes, rate limit."""

from pathlib import Path

import pytest

from connector_example.shop.catalogue import Catalogue
from connector_example.shop.changes import change_some
from connector_example.shop.limiter import RateLimiter
from connector_example.shop.tables import TABLES


def test_the_shop_has_the_whole_chinook():
    """
    The nine tables hold 6,874 records.
    """
    catalogue = Catalogue()

    assert {table: catalogue.count(table) for table in TABLES} == {
        "genres": 25,
        "media_types": 5,
        "artists": 275,
        "albums": 347,
        "tracks": 3503,
        "employees": 8,
        "customers": 59,
        "invoices": 412,
        "invoice_lines": 2240,
    }


def test_numbers_are_numbers_and_empty_is_null():
    """
    Ids are integers, prices stay text, an empty cell is null.
    """
    catalogue = Catalogue()

    track = catalogue.get("tracks", 2)

    assert track is not None
    assert (track["album"], track["unit_price"], track["composer"]) == (2, "0.99", None)


def test_an_invoice_carries_its_lines():
    """
    The published lines of all invoices are the lines of the table, each once.
    """
    catalogue = Catalogue()

    invoices = catalogue.page("invoices", 0, 1000, None)

    lines = [line["id"] for invoice in invoices for line in invoice["lines"]]
    assert sorted(lines) == catalogue.ids("invoice_lines")


@pytest.mark.parametrize("count", [1, 9, 100, 6874])
def test_a_change_changes_as_many_records_as_asked(count: int):
    """
    Exactly *count* records differ afterwards, apart from stamps of invoices with changed lines.
    """
    before, after = Catalogue(), Catalogue()

    chosen = change_some(after, count, seed=3)

    differing = {
        (table, old["id"])
        for table in TABLES
        for old, new in zip(before.dump()[table], after.dump()[table], strict=True)
        if {**old, "updated_at": None} != {**new, "updated_at": None}
    }
    assert differing == set(chosen)
    assert len(chosen) == count


def test_changes_are_spread_over_all_tables():
    """
    Nine changes touch each of the nine tables once.
    """
    chosen = change_some(Catalogue(), 9, seed=1)

    assert sorted(table for table, _ in chosen) == sorted(TABLES)


def test_more_changes_than_records_are_refused():
    """
    Asking for more changes than there are records changes nothing and says how many there are.
    """
    catalogue = Catalogue()

    with pytest.raises(ValueError, match="the shop has 6874"):
        change_some(catalogue, 6875, seed=1)

    assert catalogue.dump() == Catalogue().dump()


def test_changes_and_removals_survive_a_restart(tmp_path: Path):
    """
    A shop started again from its file is the same shop.
    """
    state_file = tmp_path / "shop.json"
    catalogue = Catalogue(state_file)
    change_some(catalogue, 20, seed=5)
    catalogue.remove("invoices", 1)
    catalogue.save()

    again = Catalogue(state_file)

    assert again.dump() == catalogue.dump()
    assert again.published("invoices", 1) is None


def test_updated_since_finds_an_invoice_by_its_changed_line():
    """
    The change of a line stamps its invoice too, so an incremental reader sees it.
    """
    catalogue = Catalogue()
    line = catalogue.change("invoice_lines", 1, track=4)

    found = catalogue.page("invoices", 0, 100, line["updated_at"])

    assert [invoice["id"] for invoice in found] == [line["invoice"]]


def test_an_etag_changes_with_its_record_only():
    """
    The ETag of a changed record differs, all others stay.
    """
    catalogue = Catalogue()
    before = {record["id"]: record["etag"] for record in catalogue.page("genres", 0, 100, None)}

    catalogue.change("genres", 7, name="Mambo")

    after = {record["id"]: record["etag"] for record in catalogue.page("genres", 0, 100, None)}
    assert {key for key in before if before[key] != after[key]} == {7}


def test_the_limit_lets_a_burst_through_and_then_asks_to_wait():
    """
    40 requests pass at once, the next waits a second, and 20 more pass a second later.
    """
    time = [100.0]
    limiter = RateLimiter(20, 40, clock=lambda: time[0])

    assert [limiter.seconds_to_wait("me") for _ in range(41)] == [0] * 40 + [1]
    assert limiter.seconds_to_wait("another") == 0

    time[0] += 1
    assert [limiter.seconds_to_wait("me") for _ in range(21)] == [0] * 20 + [1]
