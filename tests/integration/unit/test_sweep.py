"""The deletion sweep, and records that come back."""

import pytest

from connector.exception import (
    BackendResponseError,
    IDMissingInBackend,
    RateLimitError,
    SweepRefusedError,
)
from connector.unit.backend_adapter import CRUDAdapter
from connector.unit.sweep import gone_from

MODEL = "toy.partner"


def sweep(toys, max_delete=1.0):
    """Sweep and give the external ids that are marked."""
    with toys.work(MODEL) as connector_env:
        found = gone_from(connector_env, max_delete)
        found.mark()
        return found.gone.mapped("external_id")


def marked(toys):
    """The external ids of the bindings that are marked."""
    return [each for each, since in toys.values(MODEL, "external_id", "missing_since") if since]


@pytest.fixture
def bound(toys, shop):
    """Four partners, imported."""
    for number in range(4):
        shop.put(MODEL, number, name=f"P{number}")
        toys.run(MODEL, number)
    return toys


@pytest.fixture
def lists(monkeypatch):
    """Let the shop list these pages of ids, and declare a total."""

    def list_pages(*pages, total=None):
        def ids(adapter):
            found = []
            for page in pages:
                if isinstance(page, Exception):
                    raise page
                found += page
            return found, total

        monkeypatch.setattr(CRUDAdapter, "list_ids", ids)

    return list_pages


def test_what_is_gone_is_marked_and_too_much_refused(bound, shop):
    """
    What the shop has lost is marked, once; above the share nothing is.
    """
    del shop.records[MODEL]["2"]

    with pytest.raises(SweepRefusedError, match="1 of 4 .* more than 20.0%"):
        sweep(bound, 0.2)
    assert marked(bound) == []

    assert sweep(bound, 0.25) == ["2"]
    assert sweep(bound, 0.25) == []
    assert marked(bound) == ["2"]


@pytest.mark.parametrize("name", ["P2", "new name"])
def test_record_that_comes_back_is_the_one_it_was(bound, shop, name):
    """
    A swept record that the shop has again, changed or not, is bound to its old record.
    """
    record = shop.records[MODEL].pop("2")
    before = bound.values(MODEL, "external_id", "openerp_id.id")
    sweep(bound)

    # Older than what was imported last: a shop may restore it with the time it had.
    shop.put(MODEL, 2, **{**record, "id": 2, "name": name, "updated_at": "2020-01-01T00:00:00Z"})
    assert bound.run(MODEL, 2) == "updated"

    assert bound.values(MODEL, "external_id", "openerp_id.id") == before
    assert name in {each for (each,) in bound.values("partner", "name")}
    assert marked(bound) == []
    assert bound.run(MODEL, 2) == "unchanged"


def test_binding_without_an_external_id_is_not_gone(bound):
    """
    A record that waits for its export is not listed because it was never there.
    """
    with bound.database.env() as env:
        env.cr.execute("ALTER TABLE toy_partner ALTER external_id DROP NOT NULL")
        env.cr.execute("UPDATE toy_partner SET external_id = NULL WHERE external_id = '3'")

    assert sweep(bound) == []
    assert marked(bound) == []


@pytest.mark.parametrize("pages", [[0, 1], [0, 1, 1]])
def test_listing_that_is_not_complete_is_refused(bound, shop, lists, pages):
    """
    A listing with fewer records than its total, or with one of them twice, marks nothing.
    """
    del shop.records[MODEL]["2"]
    lists(pages, total=3)
    with pytest.raises(SweepRefusedError, match="says that there are 3.*Run the sweep again"):
        sweep(bound)
    assert marked(bound) == []

    lists([0, 1, 3], total=3)
    assert sweep(bound) == ["2"]


def test_listing_that_breaks_off_marks_nothing(bound, lists):
    """
    An error in the middle of the listing is the error of the sweep.
    """
    lists([0, 1], BackendResponseError("no list"))

    with pytest.raises(BackendResponseError):
        sweep(bound)
    assert marked(bound) == []


def test_record_left_out_of_a_listing_is_asked_for(bound, lists):
    """
    A page that shifted while it was read leaves a record out; its id says that it is there.
    """
    lists([])

    assert sweep(bound) == []


def test_default_listing_goes_through_the_pages(bound, shop):
    """
    The ids come from the pages of the adapter, and nothing is read by its id.
    """
    shop.reads.clear()

    with bound.work(MODEL) as connector_env:
        adapter = connector_env.get_connector_unit(CRUDAdapter)
        assert adapter.list_ids() == ([0, 1, 2, 3], None)
    assert sweep(bound) == []
    assert shop.reads == []


def test_pause_is_waited_for(bound, lists, monkeypatch):
    """
    A backend that asks for a pause is asked again for what it did not answer, and no more.
    """
    asked = []

    def read(adapter, external_id):
        asked.append(external_id)
        if len(asked) == 2:
            raise RateLimitError("slowly", seconds=0.01)
        raise IDMissingInBackend("gone")

    lists([0])
    with bound.work(MODEL) as connector_env:
        monkeypatch.setattr(type(connector_env.get_connector_unit(CRUDAdapter)), "read", read)

    assert sorted(sweep(bound)) == ["1", "2", "3"]
    assert len(asked) == 4
