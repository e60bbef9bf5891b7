"""Importing one record."""

import threading

import pytest

from connector.connector import try_locks
from connector.exception import InvalidDataError, MappingError, RetryableJobError
from connector.unit.importer import RecordImporter, import_lock_name


def test_new_record_is_created_and_bound(toys, shop):
    """
    A record that is not bound is created with its binding, stamped and recognised again.
    """
    shop.put("toy.partner", 0, name="Ann", city="Oslo", level=1)

    assert toys.run("toy.partner", 0) == "created"

    [(name, city, note, external_id, backend, stamp, changed)] = toys.values(
        "toy.partner",
        *("name", "city", "note", "external_id", "backend_id", "sync_date", "backend_updated_at"),
    )
    assert (name, city, note, external_id) == ("Ann", "Oslo", "imported", "0")
    assert backend.id == toys.backend_id
    assert stamp
    assert changed == "2026-11-21 08:00:00.000000"


def test_unchanged_record_is_not_written(toys, shop):
    """
    Importing the same data again writes nothing at all.
    """
    shop.put("toy.partner", 1, name="Ann")
    toys.run("toy.partner", 1)
    before = toys.values("toy.partner", "write_date", "sync_date")

    with toys.work("toy.partner") as connector_env:
        importer = connector_env.get_connector_unit(RecordImporter)
        assert importer.run(1) == "unchanged"
        connector_env.env.cr.execute("SELECT pg_current_xact_id_if_assigned()")
        assert connector_env.env.cr.fetchone() == (None,)

    assert toys.values("toy.partner", "write_date", "sync_date") == before


def test_changed_record_is_updated(toys, shop):
    """
    A changed record is written; what is mapped for creation only stays as it is.
    """
    shop.put("toy.partner", 1, name="Ann")
    toys.run("toy.partner", 1)
    with toys.database.env() as env:
        env["partner"].search([]).write({"note": "by hand"})
    shop.put("toy.partner", 1, name="Ann-Marie", updated_at="2026-11-21T08:00:00Z")

    assert toys.run("toy.partner", 1) == "updated"
    assert toys.values("toy.partner", "name", "note") == [("Ann-Marie", "by hand")]
    assert toys.run("toy.partner", 1) == "unchanged"


def test_older_record_is_not_even_mapped(toys, shop):
    """
    A record older than the one imported last does not overwrite it.
    """
    shop.put("toy.partner", 1, name="new", updated_at="2026-11-21T08:00:00.000002+00:00")
    toys.run("toy.partner", 1)
    stale = shop.put("toy.partner", 1, name="old", updated_at="2026-11-21T08:00:00.000001+00:00")

    assert toys.run("toy.partner", 1, record=stale) == "unchanged"
    assert toys.values("toy.partner", "name") == [("new",)]
    assert toys.run("toy.partner", 1, record=stale, force=True) == "updated"


def test_dependency_is_imported_first(toys, shop):
    """
    What a record needs is imported with it, once.
    """
    shop.put("toy.category", 7, name="Music")
    shop.put("toy.partner", 1, name="Ann", category=7)
    shop.put("toy.partner", 2, name="Bob", category=7)

    toys.run("toy.partner", 1)
    toys.run("toy.partner", 2)

    assert toys.values("toy.partner", "category_id.name") == [("Music",), ("Music",)]
    assert shop.reads.count(("toy.category", "7")) == 1


def test_records_that_need_each_other_are_linked(toys, shop):
    """
    A circle of dependencies is imported whole, with all its links.
    """
    shop.put("toy.partner", 1, name="Ann", friend=2)
    shop.put("toy.partner", 2, name="Bob", friend=3)
    shop.put("toy.partner", 3, name="Cid", friend=1)
    shop.put("toy.partner", 4, name="Dee", friend=4)

    with toys.work("toy.partner") as connector_env:
        importer = connector_env.get_connector_unit(RecordImporter)
        assert importer.run(1) == "created"
        assert importer.import_run.counts() == {"toy.partner": {"created": 3}}
    toys.run("toy.partner", 4)

    friends = dict(toys.values("toy.partner", "name", "friend_id.name"))
    assert friends == {"Ann": "Bob", "Bob": "Cid", "Cid": "Ann", "Dee": "Dee"}
    assert [toys.run("toy.partner", number) for number in (1, 2, 3, 4)] == ["unchanged"] * 4


def test_missing_and_skipped_records_change_nothing(toys, shop):
    """
    A record that is gone, or that the importer leaves, is reported and not made.
    """
    shop.put("toy.partner", 1, name="skip me")

    assert toys.run("toy.partner", 1) == "skipped"
    assert toys.run("toy.partner", 404) == "missing"
    assert toys.values("toy.partner", "name") == []


def test_missing_dependency_is_named(toys, shop):
    """
    A dependency that the backend does not have is an error naming it, and nothing is half done.
    """
    shop.put("toy.partner", 1, name="Ann", category=9)

    with pytest.raises(MappingError, match="9 of 'category_id' is not bound in 'toy.category'"):
        toys.run("toy.partner", 1)
    assert toys.values("partner", "name") == []


def test_invalid_record_is_refused(toys, shop):
    """
    Values that the importer refuses are not written.
    """
    shop.put("toy.partner", 1, name="")

    with pytest.raises(InvalidDataError, match="Partner 1 has no name"):
        toys.run("toy.partner", 1)
    assert toys.values("partner", "name") == []


def test_lines_are_records_of_their_own(toys, shop):
    """
    Lines are bound and recognised by their own ids: changed ones written, gone ones removed.
    """
    lines = [{"id": 1, "text": "one"}, {"id": 2, "text": "two"}, {"id": 3, "text": "three"}]
    shop.put("toy.order", 1, name="SO1", lines=lines)

    with toys.work("toy.order") as connector_env:
        importer = connector_env.get_connector_unit(RecordImporter)
        importer.run(1)
        assert importer.import_run.counts() == {
            "toy.order": {"created": 1},
            "toy.order.line": {"created": 3},
        }
    first = toys.values("toy.order.line", "id", "external_id", "text")
    assert [row[1:] for row in first] == [("1", "one"), ("2", "two"), ("3", "three")]

    shop.put("toy.order", 1, name="SO1", lines=[lines[0], {"id": 3, "text": "3"}, {"id": 4}])
    with toys.work("toy.order") as connector_env:
        importer = connector_env.get_connector_unit(RecordImporter)
        importer.run(1)
        assert importer.import_run.counts() == {
            "toy.order": {"unchanged": 1},
            "toy.order.line": {"created": 1, "removed": 1, "unchanged": 1, "updated": 1},
        }

    second = toys.values("toy.order.line", "id", "external_id", "text")
    assert [row[1:] for row in second] == [("1", "one"), ("3", "3"), ("4", False)]
    assert [row[0] for row in second[:2]] == [first[0][0], first[2][0]]
    assert len(toys.values("order.line", "id")) == 3


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("text", ["one", "changed"])
def test_line_that_moves_is_linked_to_its_new_record(toys, shop, is_known, text):
    """
    A line that another record has now is linked to that one, known or new; it stays one line.
    """
    shop.put("toy.order", 1, name="SO1", lines=[{"id": 1, "text": "one"}])
    shop.put("toy.order", 2, name="SO2", lines=[])
    for external_id in (1, 2) if is_known else (1,):
        toys.run("toy.order", external_id)
    before = toys.values("toy.order.line", "id")

    shop.put("toy.order", 1, name="SO1", lines=[])
    shop.put("toy.order", 2, name="SO2", lines=[{"id": 1, "text": text}])
    for external_id in (2, 1):
        toys.run("toy.order", external_id)

    assert toys.values("toy.order.line", "id") == before
    [(order, kept)] = toys.values("toy.order.line", "toy_order_id.external_id", "text")
    assert (order, kept) == ("2", text)


def test_locked_record_is_a_retry(toys, shop):
    """
    While another transaction imports a record, its job comes back later, uncounted.
    """
    shop.put("toy.partner", 1, name="Ann")

    with toys.work("toy.partner") as other:
        assert try_locks(other.env, [import_lock_name(other.backend_record, "toy.partner", 1)])
        with pytest.raises(RetryableJobError) as caught:
            toys.run("toy.partner", "1")
        assert caught.value.ignore_retry

    assert toys.run("toy.partner", 1) == "created"


class Held:
    """An importer's transaction that waits between its first statement and its lock."""

    def __init__(self, toys, model_name, external_id):
        self.ready, self.go = threading.Event(), threading.Event()
        self.outcome = self.error = self.xid = self.is_locked = None
        self.arguments = (toys, model_name, external_id)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        assert self.ready.wait(10)

    def run(self):
        toys, model_name, external_id = self.arguments
        try:
            with toys.work(model_name) as connector_env:
                connector_env.env.cr.execute("SELECT count(*) FROM toy_partner")
                # Misses from before the lock: they must not be believed after it.
                unit = connector_env.get_connector_unit(RecordImporter)
                assert not unit.binder.to_openerp(external_id)
                assert not unit.binder_for("toy.category").to_openerp(7)
                self.ready.set()
                assert self.go.wait(10)
                importer = connector_env.get_connector_unit(RecordImporter)
                self.outcome = importer.run(external_id)
                connector_env.env.cr.execute("SELECT pg_current_xact_id_if_assigned()")
                self.xid = connector_env.env.cr.fetchone()[0]
                with toys.work(model_name) as other:
                    name = import_lock_name(other.backend_record, model_name, external_id)
                    self.is_locked = not try_locks(other.env, [name])
        except Exception as error:
            self.error = error

    def finish(self):
        self.go.set()
        self.thread.join(10)
        assert not self.thread.is_alive()


def test_second_job_finds_what_the_first_has_committed(toys, shop):
    """
    A job that takes its lock after another's commit finds that one's record and writes nothing.
    """
    shop.put("toy.category", 7, name="Music")
    shop.put("toy.partner", 1, name="Ann", category=7)

    second = Held(toys, "toy.partner", 1)
    assert toys.run("toy.partner", 1) == "created"
    second.finish()

    assert (second.error, second.outcome, second.xid) == (None, "unchanged", None)
    assert second.is_locked
    assert len(toys.values("partner", "id")) == len(toys.values("category", "id")) == 1


def test_second_job_finds_a_dependency_the_first_has_committed(toys, shop):
    """
    Dependencies go the same way: looked at again once their lock is held, and made once.
    """
    shop.put("toy.category", 7, name="Music")
    shop.put("toy.partner", 1, name="Ann", category=7)
    shop.put("toy.partner", 2, name="Bob", category=7)

    second = Held(toys, "toy.partner", 2)
    assert toys.run("toy.partner", 1) == "created"
    second.finish()

    assert (second.error, second.outcome) == (None, "created")
    assert len(toys.values("category", "id")) == 1
