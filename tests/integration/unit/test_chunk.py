"""Importing the records of a page together."""

import pytest

from connector.connector import try_locks
from connector.exception import InvalidDataError, RetryableJobError
from connector.unit.chunk import ChunkImporter
from connector.unit.importer import import_lock_name


def run_chunk(toys, records, model_name="toy.partner"):
    """Import records in a transaction of their own; give the result, counts and statements."""
    with toys.work(model_name) as connector_env:
        before = connector_env.env.cr.statement_count
        importer = ChunkImporter(connector_env)
        result = importer.run(records)
        connector_env.env.cr.transaction.flush()
        statements = connector_env.env.cr.statement_count - before
    return result, importer.import_run.counts().get(model_name, {}), statements


def partners(shop, count, **more):
    return [shop.put("toy.partner", number, name=f"P{number}", **more) for number in range(count)]


def test_page_is_imported_with_few_statements(toys, shop):
    """
    A page costs a handful of statements, when everything is new and when nothing is.
    """
    shop.put("toy.category", 7, name="Music")
    records = partners(shop, 100, category=7)

    result, counts, statements = run_chunk(toys, records)
    assert (result.refused, result.poisoned, counts) == ([], {}, {"created": 100})
    assert statements <= 50

    result, counts, statements = run_chunk(toys, records)
    assert counts == {"unchanged": 100}
    assert statements <= 10
    assert len(toys.values("partner", "id")) == 100


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"name": ""}, "InvalidDataError: Partner 17 has no name."),
        ({"name": "P17", "category": 404}, "MappingError: The external id 404"),
        ({"name": "P17", "level": -1}, "level"),
        ({"name": "P17", "category": 1.5}, "InvalidExternalIdError: 1.5 is no external id"),
    ],
)
def test_poisoned_record_is_named_and_its_neighbours_imported(toys, shop, wrong, error):
    """
    Whatever is wrong with one record, and wherever it shows, the others are imported.
    """
    records = partners(shop, 30)
    records[17].update(wrong)

    result, counts, _ = run_chunk(toys, records)

    assert list(result.poisoned) == ["17"]
    assert error in result.poisoned["17"]
    assert counts == {"created": 29}
    assert len(toys.values("toy.partner", "id")) == 29


def test_chunk_of_one_lets_the_error_through(toys, shop):
    """
    A record alone fails with its own error.
    """
    [record] = partners(shop, 1)
    record["name"] = ""

    with pytest.raises(InvalidDataError, match="Partner 0 has no name"):
        run_chunk(toys, [record])
    with pytest.raises(InvalidDataError, match="no external id in 'id'"):
        run_chunk(toys, [{"name": "x"}])


def test_record_without_an_id_does_not_stop_the_others(toys, shop):
    """
    A record without an external id is given back, the rest is imported.
    """
    nameless = {"name": "x"}

    result, counts, _ = run_chunk(toys, [*partners(shop, 2), nameless])

    assert result.nameless == [nameless]
    assert counts == {"created": 2}


def test_locked_records_are_left_to_a_job_of_their_own(toys, shop):
    """
    Records that another job works on, or whose dependency it works on, are given back.
    """
    shop.put("toy.category", 7, name="Music")
    records = partners(shop, 4)
    records[3]["category"] = 7

    with toys.work("toy.partner") as other:
        names = [
            import_lock_name(other.backend_record, "toy.partner", 1),
            import_lock_name(other.backend_record, "toy.category", 7),
        ]
        assert len(try_locks(other.env, names)) == 2
        result, counts, _ = run_chunk(toys, records)
        assert result.refused == [records[1], records[3]]
        assert counts == {"created": 2}
        with pytest.raises(RetryableJobError, match="All 2 records"):
            run_chunk(toys, result.refused)


def test_bound_dependency_is_shared_without_a_lock(toys, shop):
    """
    Two chunks that need the same bound record do not stand in each other's way.
    """
    shop.put("toy.category", 7, name="Music")
    toys.run("toy.category", 7)
    records = partners(shop, 4, category=7)

    with toys.work("toy.partner") as other:
        ChunkImporter(other).run(records[:2])
        result, counts, _ = run_chunk(toys, records[2:])

    assert result.refused == []
    assert counts == {"created": 2}


def test_newest_of_two_records_with_one_id_counts(toys, shop):
    """
    A record that a shifting listing brings twice is imported once, as it came last.
    """
    records = [shop.put("toy.partner", 1, name="old"), shop.put("toy.partner", "1", name="new")]

    _, counts, _ = run_chunk(toys, records)

    assert counts == {"created": 1}
    assert toys.values("toy.partner", "name") == [("new",)]


def test_tree_inside_a_page_is_imported_whole(toys, shop):
    """
    Records of one page that need each other need no further reading.
    """
    records = [
        shop.put("toy.partner", 1, name="Ann", friend=3),
        shop.put("toy.partner", 2, name="Bob", friend=1),
        shop.put("toy.partner", 3, name="Cid", friend=2),
    ]

    _, counts, _ = run_chunk(toys, records)

    assert counts == {"created": 3}
    assert shop.reads == []
    friends = dict(toys.values("toy.partner", "name", "friend_id.name"))
    assert friends == {"Ann": "Cid", "Bob": "Ann", "Cid": "Bob"}


def test_record_made_for_one_that_fails_is_not_left_half_made(toys, shop):
    """
    In a circle with a record that cannot be imported none is made without its link.
    """
    records = [
        shop.put("toy.partner", 1, name="Ann", friend=2),
        shop.put("toy.partner", 3, name="Cid"),
    ]
    shop.put("toy.partner", 2, name="Bob", friend=1)
    records[0]["name"] = ""

    result, counts, _ = run_chunk(toys, records)

    assert list(result.poisoned) == ["1"]
    assert counts == {"created": 1}
    assert toys.values("toy.partner", "name") == [("Cid",)]


def test_long_chain_inside_a_page_is_imported(toys, shop):
    """
    However long the chain of records that need each other, it is imported.
    """
    records = [
        shop.put("toy.partner", number, name=f"P{number}", friend=number + 1)
        for number in range(300)
    ]
    records[-1]["friend"] = None

    _, counts, _ = run_chunk(toys, records)

    assert counts == {"created": 300}
