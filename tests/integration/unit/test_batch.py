"""Batches and the import jobs."""

import pytest

from connector.connector import try_locks
from connector.exception import UnknownModelError
from connector.unit.batch import (
    BatchImporter,
    DelayedBatchImporter,
    DirectBatchImporter,
    import_batch,
    import_chunk,
    import_record,
)
from connector.unit.importer import import_lock_name


def jobs(toys):
    """The jobs that wait, in order: function, arguments after model and backend, the others."""
    with toys.database.env() as env:
        env.cr.execute(
            "SELECT func_name, args, kwargs FROM queue_job WHERE state = 'pending' ORDER BY id"
        )
        return [
            (name.rpartition(".")[2], args[2:], kwargs) for name, args, kwargs in env.cr.fetchall()
        ]


def call(toys, function, *args, model_name="toy.partner", **kwargs):
    """Run a job function in a transaction of its own."""
    with toys.database.session("read committed") as session:
        return function(session, model_name, toys.backend_id, *args, **kwargs)


@pytest.fixture
def records(shop):
    return [shop.put("toy.partner", number, name=f"P{number}") for number in range(7)]


def test_batch_enqueues_the_records_of_each_page(toys, records, monkeypatch):
    """
    A batch enqueues what each page brought, and itself for the pages it has no time for.
    """
    monkeypatch.setattr(BatchImporter, "_seconds_per_job", 0)

    result = call(toys, import_batch)

    assert (result["model"], result["read"]) == ("toy.partner", 3)
    assert jobs(toys) == [
        ("import_chunk", [records[:3]], {}),
        ("import_batch", [], {"filters": None, "page": 3}),
    ]


def test_batch_run_again_enqueues_its_next_page_once(toys, records, monkeypatch):
    """
    The next page waits once, however often the page before is read.
    """
    monkeypatch.setattr(BatchImporter, "_seconds_per_job", 0)

    call(toys, import_batch)
    call(toys, import_batch)

    assert [name for name, *_ in jobs(toys)].count("import_batch") == 1


def test_batch_of_each_kind_imports_everything(toys, records, shop):
    """
    A backend's own batch importer is used: one that imports at once, or a job for each record.
    """
    with toys.work("toy.partner") as connector_env:
        DelayedBatchImporter(connector_env).run()
    assert jobs(toys) == [("import_record", [number], {}) for number in range(7)]

    with toys.work("toy.partner") as connector_env:
        assert DirectBatchImporter(connector_env).run() == {"read": 7}
    assert len(toys.values("toy.partner", "id")) == 7
    assert shop.reads == []


def test_batch_importer_of_8_0_is_called_with_its_filters(toys, shop, declared_in):
    """
    A batch importer that knows only filters works on.
    """
    called = []
    with toys.work("toy.partner") as connector_env, declared_in():

        @connector_env.backend
        class OldBatch(BatchImporter):
            _model_name = "toy.partner"

            def run(self, filters=None):
                called.append(filters)

    call(toys, import_batch, filters={"since": "2026"})

    assert called == [{"since": "2026"}]


def test_chunk_job_reports_and_leaves_nothing_out(toys, records):
    """
    The job of a chunk counts by model, and gives what it could not import jobs of their own.
    """
    records[2]["name"] = ""
    with toys.work("toy.partner") as other:
        try_locks(other.env, [import_lock_name(other.backend_record, "toy.partner", 5)])
        result = call(toys, import_chunk, [*records, {"name": "without an id"}])

    assert result["counts"] == {"toy.partner": {"created": 5}}
    assert result["refused"] == 1
    assert result["poisoned"] == {"2": "InvalidDataError: Partner 2 has no name."}
    assert sorted(name for name, *_ in jobs(toys)) == [
        "import_chunk",
        "import_chunk",
        "import_record",
    ]
    waiting = [args[0] for name, args, _ in jobs(toys) if name == "import_chunk"]
    assert sorted(waiting, key=len) == sorted([[records[5]], [{"name": "without an id"}]], key=len)


def test_long_chunk_is_imported_in_slices(toys, shop, monkeypatch):
    """
    A chunk longer than a slice commits after each slice, and counts all of them.
    """
    monkeypatch.setattr("connector.unit.batch.SLICE_RECORDS", 3)
    records = [shop.put("toy.partner", number, name=f"P{number}") for number in range(7)]
    seen = []
    with toys.database.session("read committed") as session:
        commit = session.commit
        session.commit = lambda: (commit(), seen.append(len(toys.values("toy.partner", "id"))))
        result = import_chunk(session, "toy.partner", toys.backend_id, records)

    assert seen == [3, 6]
    assert result["counts"] == {"toy.partner": {"created": 7}}


def test_record_job_reports_what_was_done(toys, shop):
    """
    The job of a record says its outcome, with its dependencies counted.
    """
    shop.put("toy.category", 7, name="Music")
    shop.put("toy.partner", 1, name="Ann", category=7)

    result = call(toys, import_record, 1)

    assert result == {
        "model": "toy.partner",
        "outcome": "created",
        "counts": {"toy.category": {"created": 1}, "toy.partner": {"created": 1}},
    }
    assert call(toys, import_record, 1)["outcome"] == "unchanged"
    assert call(toys, import_record, 1, force=True)["outcome"] == "updated"


def test_job_for_what_is_no_binding_says_so(toys):
    """
    A job for a model that is no binding names it.
    """
    with pytest.raises(UnknownModelError, match="'partner' has no many2one `backend_id`"):
        call(toys, import_batch, model_name="partner")
