"""Exporting records, and never twice."""

import time
from types import SimpleNamespace

import pytest

from connector.backend import BACKENDS, Backend
from connector.connector import Binder
from connector.event import on_record_create, on_record_unlink, on_record_write
from connector.exception import (
    BackendRefusalError,
    BackendResponseError,
    BackendUnreachableError,
    NetworkRetryableError,
    NothingToDoJob,
    RetryableJobError,
    UncertainExportError,
)
from connector.unit.backend_adapter import CRUDAdapter, LostAnswer
from connector.unit.deleter import RecordDeleter, delay_unlink_all_bindings
from connector.unit.exporter import RecordExporter, delay_export, delay_export_all_bindings
from connector.unit.mapper import ExportMapper, changed_by, mapping


@pytest.fixture
def sent(shop, declared_in, monkeypatch):
    """What the backend is asked to do; `answers` says what it does with the next creates."""
    sent = SimpleNamespace(creates=[], writes=[], deletes=[], stored=[], answers=[])
    sent.updated_at = None
    monkeypatch.setattr(BACKENDS, "backends", set())
    with declared_in():
        backend = Backend("toy", version="1")

        @backend
        class ToyAdapter(CRUDAdapter):
            _model_name = "toy.partner"
            _request_seconds = 0.5

            def create(self, data, idempotency_key=None):
                sent.creates.append((data["name"], idempotency_key))
                error = sent.answers.pop(0) if sent.answers else None
                if not isinstance(error, BackendRefusalError | BackendUnreachableError):
                    keys = [key for _, key in sent.stored]
                    if idempotency_key is None or idempotency_key not in keys:
                        sent.stored.append((data["name"], idempotency_key))
                if error:
                    raise error
                return {"id": 100 + len(sent.stored)}

            def read(self, external_id):
                return {"id": external_id, "updated_at": sent.updated_at}

            def find(self, data):
                names = [name for name, _ in sent.stored]
                return 101 + names.index(data["name"]) if data["name"] in names else None

            def write(self, external_id, data):
                sent.writes.append((external_id, data))

            def delete(self, external_id):
                sent.deletes.append(external_id)

        @backend
        class ToyBinder(Binder):
            _model_name = "toy.partner"

        @backend
        class ToyExportMapper(ExportMapper):
            _model_name = "toy.partner"
            direct = [("name", "name"), ("city", "town")]

            @changed_by("level")
            @mapping
            def level(self, record):
                return {"level": str(record.level)}

        @backend
        class ToyExporter(RecordExporter):
            _model_name = "toy.partner"

        @backend
        class ToyDeleter(RecordDeleter):
            _model_name = "toy.partner"

    sent.adapter = ToyAdapter
    return sent


@pytest.fixture
def binding_id(toys, sent):
    """A binding of a partner that the backend does not know; its external id is empty."""
    with toys.database.env() as env:
        env.cr.execute("ALTER TABLE toy_partner ALTER external_id DROP NOT NULL")
        values = {"name": "Ann", "city": "Oslo", "backend_id": toys.backend_id, "external_id": "x"}
        binding = env["toy.partner"].create(values)
        env.cr.execute("UPDATE toy_partner SET external_id = NULL")
        return binding.id


def export(toys, binding_id, **options):
    with toys.work("toy.partner") as connector_env:
        return connector_env.get_connector_unit(RecordExporter).run(binding_id, **options)


def intents(toys):
    return toys.values("connector.export.intent", "binding_id")


def external_ids(toys):
    return [external_id for (external_id,) in toys.values("toy.partner", "external_id")]


def test_new_record_is_created_once_and_bound(toys, sent, binding_id):
    """
    A record without an external id is created there; afterwards it is updated.
    """
    export(toys, binding_id)
    assert external_ids(toys) == ["101"]
    assert intents(toys) == []

    export(toys, binding_id)

    assert sent.creates == [("Ann", None)]
    assert sent.writes == [("101", {"name": "Ann", "town": "Oslo", "level": "0"})]


def test_only_changed_fields_are_sent(toys, sent, binding_id):
    """
    Given the changed fields, only what depends on them is sent, and nothing when nothing does.
    """
    export(toys, binding_id)

    export(toys, binding_id, fields=["city"])
    assert sent.writes == [("101", {"town": "Oslo"})]
    with pytest.raises(NothingToDoJob, match="Nothing to export"):
        export(toys, binding_id, fields=["active"])


def test_lost_answer_is_asked_for_by_key(toys, sent, binding_id):
    """
    Where the backend knows keys, the same key is sent again and makes no second record.
    """
    sent.adapter._lost_answer = LostAnswer.IDEMPOTENCY_KEY
    sent.answers = [NetworkRetryableError("lost"), None]

    with pytest.raises(NetworkRetryableError):
        export(toys, binding_id)
    assert intents(toys) == [(binding_id,)]
    export(toys, binding_id)

    assert len({key for _, key in sent.creates}) == 1
    assert len(sent.creates) == 2
    assert len(sent.stored) == 1
    assert external_ids(toys) == ["101"]
    assert intents(toys) == []


def test_lost_answer_is_asked_for_by_natural_key(toys, sent, binding_id):
    """
    Where records can be found, the backend is asked once the request cannot be under way.
    """
    sent.adapter._lost_answer = LostAnswer.NATURAL_KEY
    sent.answers = [NetworkRetryableError("lost")]

    with pytest.raises(NetworkRetryableError):
        export(toys, binding_id)
    with pytest.raises(RetryableJobError, match="no longer be under way") as caught:
        export(toys, binding_id)
    assert 0 < caught.value.seconds <= 0.5
    sent.adapter._request_seconds = 0
    export(toys, binding_id)

    assert len(sent.creates) == 1
    assert external_ids(toys) == ["101"]


def test_lost_answer_waits_for_a_person_where_nothing_tells(toys, sent, binding_id):
    """
    Where nothing tells, the record is not sent again: the job fails, with a checkpoint.
    """
    sent.answers = [NetworkRetryableError("lost")]

    with pytest.raises(NetworkRetryableError):
        export(toys, binding_id)
    with pytest.raises(UncertainExportError, match="the answer was lost"):
        export(toys, binding_id)

    assert len(sent.creates) == 1
    assert toys.values("connector.checkpoint", "record_id", "state") == [
        (binding_id, "need_review")
    ]


def test_refused_record_leaves_no_intent(toys, sent, binding_id):
    """
    A backend that refuses a record has taken nothing, and it may be sent again.
    """
    sent.answers = [BackendRefusalError("no town")]

    with pytest.raises(BackendRefusalError):
        export(toys, binding_id)
    assert intents(toys) == []
    export(toys, binding_id)

    assert external_ids(toys) == ["101"]


def test_unreadable_answer_is_no_refusal(toys, sent, binding_id):
    """
    After an answer that cannot be read the record may be there: it is not sent again blindly.
    """
    sent.adapter._lost_answer = LostAnswer.NATURAL_KEY
    sent.adapter._request_seconds = 0
    sent.answers = [BackendResponseError("half a JSON")]

    with pytest.raises(BackendResponseError):
        export(toys, binding_id)
    export(toys, binding_id)

    assert len(sent.stored) == 1
    assert external_ids(toys) == ["101"]


def test_backend_that_was_not_reached_has_nothing(toys, sent, binding_id):
    """
    Where no connection was made, nothing was sent, and nobody has to decide anything.
    """
    sent.answers = [BackendUnreachableError("refused")]

    with pytest.raises(BackendUnreachableError):
        export(toys, binding_id)
    assert intents(toys) == []
    export(toys, binding_id)

    assert external_ids(toys) == ["101"]


def test_second_request_is_waited_for_as_the_first_was(toys, sent, binding_id):
    """
    A record that is sent again may be under way again, and its refusal says nothing of before.
    """
    sent.adapter._lost_answer = LostAnswer.NATURAL_KEY
    sent.answers = [NetworkRetryableError("lost"), BackendRefusalError("there is one")]
    with pytest.raises(NetworkRetryableError):
        export(toys, binding_id)
    sent.stored.clear()
    time.sleep(0.5)
    with pytest.raises(BackendRefusalError):
        export(toys, binding_id)

    with pytest.raises(RetryableJobError, match="no longer be under way"):
        export(toys, binding_id)


def test_backend_is_asked_about_what_was_sent(toys, sent, binding_id):
    """
    A record changed after its answer was lost is found as it was sent, then brought up to date.
    """
    sent.adapter._lost_answer = LostAnswer.NATURAL_KEY
    sent.adapter._request_seconds = 0
    sent.answers = [NetworkRetryableError("lost")]
    with pytest.raises(NetworkRetryableError):
        export(toys, binding_id)
    with toys.database.env() as env:
        env["toy.partner"].browse(binding_id).write({"name": "Beth"})

    export(toys, binding_id)

    assert [name for name, _ in sent.stored] == ["Ann"]
    assert sent.writes == [(101, {"name": "Beth", "town": "Oslo", "level": "0"})]


@pytest.mark.parametrize(
    ("there", "imports"), [("2026-11-21T08:00:01Z", 1), ("2026-11-21T08:00:00Z", 0)]
)
def test_record_changed_there_too_is_imported_afterwards(toys, sent, binding_id, there, imports):
    """
    Only where the backend's date is newer than the one seen last, an import follows the export.
    """
    export(toys, binding_id)
    sent.updated_at = there
    with toys.database.env() as env:
        seen = {"backend_updated_at": "2026-11-21 08:00:00.000000"}
        env["toy.partner"].browse(binding_id).write(seen)

    export(toys, binding_id, fields=["city"])

    assert [name for name, _, _ in jobs(toys)] == ["import_record"] * imports
    assert sent.writes == [("101", {"town": "Oslo"})]


def test_record_being_written_is_a_retry(toys, sent, binding_id):
    """
    A record that another transaction is writing is exported later; one that is gone, never.
    """
    with toys.work("toy.partner") as other:
        other.env.cr.execute("SELECT 1 FROM toy_partner WHERE id = %s FOR UPDATE", (binding_id,))
        with pytest.raises(RetryableJobError, match="being written by another transaction"):
            export(toys, binding_id)
    with pytest.raises(NothingToDoJob, match="does not exist any more"):
        export(toys, binding_id + 1)


def jobs(toys):
    with toys.database.env() as env:
        env.cr.execute("SELECT func_name, args, kwargs FROM queue_job ORDER BY id")
        return [(name.rpartition(".")[2], args, kwargs) for name, args, kwargs in env.cr.fetchall()]


@pytest.fixture
def _consumers(declared_in):
    """The ready consumers listen to bindings and to partners."""
    with declared_in():
        subscriptions = [
            (on_record_create, delay_export, "toy.partner"),
            (on_record_write, delay_export_all_bindings, "partner"),
            (on_record_unlink, delay_unlink_all_bindings, "partner"),
        ]
        for event, consumer, model in subscriptions:
            event.subscribe(consumer, model_names=model)
    yield
    for event, consumer, model in subscriptions:
        event.unsubscribe(consumer, model_names=model)


@pytest.mark.usefixtures("_consumers")
def test_changes_become_jobs(toys, sent):
    """
    A created, written or deleted record becomes a job; under connector_no_export none does.
    """
    values = {"name": "Ann", "backend_id": toys.backend_id, "external_id": "7"}
    with toys.database.env() as env:
        quiet = env(context={"connector_no_export": True})
        binding = env["toy.partner"].create(dict(values))
        partner = binding.openerp_id
        partner.write({"city": "Bergen"})
        partner.with_env(quiet).write({"city": "Moss"})
        ids = (binding.id, toys.backend_id)
        partner.unlink()
        quiet["toy.partner"].create({**values, "external_id": "8"})

    names = [(name, args) for name, args, _ in jobs(toys)]
    assert names == [
        ("export_record", ["toy.partner", ids[0]]),
        ("export_record", ["toy.partner", ids[0]]),
        ("export_delete_record", ["toy.partner", ids[1], "7"]),
    ]
    assert jobs(toys)[1][2] == {"fields": ["city"]}


def test_deleter_deletes_there(toys, sent):
    """
    The deleter deletes the record on the backend.
    """
    with toys.work("toy.partner") as connector_env:
        connector_env.get_connector_unit(RecordDeleter).run("7")

    assert sent.deletes == ["7"]
