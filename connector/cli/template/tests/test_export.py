"""Partners here become customers there."""

from collections.abc import Iterator
from typing import Any

import pytest
from connector.session import ConnectorSession, Recordset
from connector.testing import FakeApi, trap_jobs
from connector.unit.batch import import_record
from connector.unit.exporter import export_record

MODEL = "new_connector.partner"


@pytest.fixture
def session(database: Any) -> Iterator[ConnectorSession]:
    """A session that really commits: an exporter does, so that it never sends a record twice."""
    with database.session("read committed") as session:
        yield session


def add_partner(session: ConnectorSession, backend: Recordset) -> Recordset:
    values = {"name": "Ada", "email": "ada@example.com", "backend_id": backend.id}
    binding = session.env[MODEL].create(values)
    session.commit()
    return binding


def test_a_new_partner_is_created_there(
    session: ConnectorSession, backend: Recordset, api: FakeApi
) -> None:
    """A binding made here is a customer there, and knows its id."""
    with trap_jobs() as trap:
        binding = add_partner(session, backend)
        trap.assert_enqueued_job(
            export_record,
            args=(MODEL, binding.id),
            kwargs={"fields": ["backend_id", "email", "name"]},
        )
        trap.perform_enqueued_jobs()

    customer = api.records("customers")[-1]
    assert binding.external_id == str(customer["id"])
    assert (customer["name"], customer["email"], customer["city"]) == (
        "Ada",
        "ada@example.com",
        None,
    )


def test_a_change_is_sent_and_a_deletion_too(
    session: ConnectorSession, backend: Recordset, api: FakeApi
) -> None:
    """A partner that is changed or deleted here is changed or deleted there."""
    with trap_jobs() as trap:
        binding = add_partner(session, backend)
        trap.perform_enqueued_jobs()

        binding.openerp_id.write({"city": "Bern"})
        trap.perform_enqueued_jobs()
        assert api.records("customers")[-1]["city"] == "Bern"

        binding.openerp_id.unlink()
        trap.perform_enqueued_jobs()
        assert len(api.records("customers")) == 12


def test_an_import_is_not_sent_back(session: ConnectorSession, backend: Recordset) -> None:
    """What is imported leaves no export behind."""
    with trap_jobs() as trap:
        import_record(session, MODEL, backend.id, 1)

    trap.assert_jobs_count(0)
