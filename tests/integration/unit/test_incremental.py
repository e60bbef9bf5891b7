"""Incremental imports of a model, one after the other."""

from connector.unit.backend_adapter import Page
from connector.unit.batch import import_chunk
from connector.unit.incremental import incremental_importer, open_window

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
