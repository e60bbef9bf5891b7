"""Incremental imports by jobs: when the cursor moves."""

import pytest

from connector.connector import try_locks
from connector.queue.job import OpenERPJobStorage
from connector.unit.backend_adapter import CRUDAdapter, Page
from connector.unit.batch import BatchImporter, DelayedBatchImporter
from connector.unit.changes import import_changes
from connector.unit.importer import import_lock_name

MODEL = "toy.partner"
NEXT = """
SELECT uuid, state FROM queue_job
 WHERE state IN ('pending', 'wait_dependencies')
   AND NOT EXISTS (
       SELECT FROM queue_job_dependency AS edge JOIN queue_job AS parent ON parent.id = parent_id
        WHERE child_id = queue_job.id AND parent.state <> 'done')
 ORDER BY id LIMIT 1
"""
DONE = "UPDATE queue_job SET state = %s WHERE uuid = %s"


def stamp(second):
    return f"2026-11-21T08:00:{second:02}Z"


def cursor(toys):
    found = toys.values("connector.import.cursor", "value")
    return found[0][0][:19] if found else None


def jobs(toys, state):
    """The names of the jobs in a state, without those that ended."""
    with toys.database.env() as env:
        env.cr.execute("SELECT func_name FROM queue_job WHERE state = %s ORDER BY id", (state,))
        return [name.rpartition(".")[2] for (name,) in env.cr.fetchall()]


def run_job(toys):
    """Run the next job that waits for nothing, as a worker does; False when there is none."""
    with toys.database.session("read committed") as session:
        session.cr.execute(NEXT)
        found = session.cr.fetchone()
        if found is None:
            return False
        uuid = found[0]
        try:
            with session.cr.savepoint(), session.change_context(job_uuid=uuid):
                OpenERPJobStorage(session).load(uuid).perform(session)
            session.cr.execute(DONE, ("done", uuid))
        except Exception:
            session.cr.execute(DONE, ("failed", uuid))
        return True


def import_all(toys):
    """Import what changed, by jobs, until nothing is left to do."""
    with toys.database.session("read committed") as session:
        import_changes.delay(session, MODEL, toys.backend_id)
    while run_job(toys):
        pass


@pytest.fixture
def records(shop, monkeypatch):
    """Seven partners, in three pages of a listing that knows when they were changed."""
    monkeypatch.setattr(BatchImporter, "_seconds_per_job", 0)
    for number in range(7):
        shop.put(MODEL, number, name=f"P{number}", updated_at=stamp(number))
    return shop.records[MODEL]


@pytest.fixture
def filtered(toys, monkeypatch):
    """Let the shop's listing begin where it is asked to."""
    with toys.work(MODEL) as connector_env:
        adapter_class = type(connector_env.get_connector_unit(CRUDAdapter))
    whole = adapter_class.search_page

    def search_page(self, filters=None, page=None):
        found = whole(self, filters, page)
        since = (filters or {}).get("updated_since", "")[:19]
        return Page(
            [each for each in found.records if each["updated_at"][:19] >= since], found.next
        )

    monkeypatch.setattr(adapter_class, "search_page", search_page)


def test_cursor_moves_when_all_jobs_are_done(toys, records, filtered):
    """
    The cursor waits for every page and chunk; the next run imports only what changed.
    """
    with toys.database.session("read committed") as session:
        import_changes.delay(session, MODEL, toys.backend_id)
    moved = []
    while run_job(toys):
        moved.append((cursor(toys), len(toys.values(MODEL, "id"))))
    assert [count for value, count in moved if value] == [7]
    assert toys.values("connector.import.window", "id") == []

    records["3"].update(name="new", updated_at="2026-11-21T09:00:00Z")
    import_all(toys)
    import_all(toys)

    assert cursor(toys) == "2026-11-21T09:00:00"
    assert "new" in {name for (name,) in toys.values(MODEL, "name")}


@pytest.mark.parametrize("batch", [None, DelayedBatchImporter])
@pytest.mark.parametrize("number", [6, 1])
def test_record_that_cannot_be_imported_is_filed_and_the_cursor_moves(
    toys, records, declared_in, monkeypatch, batch, number
):
    """
    A poisoned record, alone on its page or not, becomes a job that fails; the cursor goes past it.
    """
    records[str(number)]["name"] = ""
    if batch:
        monkeypatch.setattr("connector.unit.batch.ChunkedBatchImporter", batch)

    import_all(toys)

    assert len(toys.values(MODEL, "id")) == 6
    assert jobs(toys, "failed") == ["import_record"]
    assert cursor(toys) is not None


def test_cursor_waits_for_a_record_that_another_job_holds(toys, records):
    """
    Refused records go to a job of their own, and the cursor waits for that one too.
    """
    with toys.work(MODEL) as other:
        assert try_locks(other.env, [import_lock_name(other.backend_record, MODEL, 1)])
        import_all(toys)
        assert cursor(toys) is None
        assert jobs(toys, "wait_dependencies") == ["close_window"]
        assert jobs(toys, "failed") == ["import_chunk"]  # a worker would have tried it again
    with toys.database.env() as env:
        env.cr.execute("UPDATE queue_job SET state = 'pending' WHERE state = 'failed'")

    while run_job(toys):
        pass

    assert len(toys.values(MODEL, "id")) == 7
    assert cursor(toys) is not None


def test_cancelled_window_is_replaced_by_the_next_one(toys, records):
    """
    A window whose jobs were cancelled moves nothing, and what it has left goes with the next one.
    """
    with toys.database.session("read committed") as session:
        import_changes.delay(session, MODEL, toys.backend_id)
    run_job(toys)
    with toys.database.env() as env:
        env.cr.execute("UPDATE queue_job SET state = 'cancelled' WHERE state <> 'done'")
    assert len(toys.values("connector.import.window", "id")) == 1

    import_all(toys)

    assert toys.values("connector.import.window", "id") == []
    assert len(toys.values(MODEL, "id")) == 7
    assert cursor(toys) is not None


def test_two_windows_at_once_lose_and_double_nothing(toys, records):
    """
    Two imports of what changed that overlap in time import each record once.
    """
    with toys.database.session("read committed") as session:
        import_changes.delay(session, MODEL, toys.backend_id)
        import_changes.delay(session, MODEL, toys.backend_id)
    while run_job(toys):
        pass

    assert len(toys.values(MODEL, "id")) == 7
    assert set(jobs(toys, "done")) == {
        "import_changes",
        "import_batch",
        "import_chunk",
        "close_window",
    }
    assert jobs(toys, "failed") == []
