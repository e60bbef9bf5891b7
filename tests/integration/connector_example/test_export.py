"""Customers of the example go to its shop, over the wire."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from connector.connector import get_environment
from connector.exception import NetworkRetryableError, RetryableJobError, UncertainExportError
from connector.queue.job import OpenERPJobStorage
from connector.session import ConnectorSession
from connector.unit.backend_adapter import LostAnswer
from connector.unit.exporter import RecordExporter
from connector.unit.importer import RecordImporter
from connector_example.adapter import CustomerAdapter
from connector_example.demo.shop_process import ShopProcess

RunJobs = Callable[[], list[Any]]
WAITING = "SELECT func_name FROM queue_job WHERE state = 'pending' ORDER BY id"


@pytest.fixture
def session(database: Any) -> Iterator[ConnectorSession]:
    """A session that really commits: an exporter does, so that what it made is never lost."""
    with database.session("read committed") as session:
        yield session


@pytest.fixture
def run_jobs(session: ConnectorSession) -> RunJobs:
    """Run the waiting jobs as a worker would, each in transactions of its own."""

    def run() -> list[Any]:
        session.commit()
        results = []
        while waiting(session):
            session.cr.execute("SELECT uuid FROM queue_job WHERE state = 'pending' ORDER BY id")
            [uuid] = session.cr.fetchone()
            results.append(_performed(session, uuid))
            session.cr.execute("UPDATE queue_job SET state = 'done' WHERE uuid = %s", (uuid,))
            session.commit()
        return results

    return run


def _performed(session: ConnectorSession, uuid: str) -> Any:
    while True:
        try:
            return OpenERPJobStorage(session).load(uuid).perform(session)
        except RetryableJobError as error:
            session.rollback()
            time.sleep(error.seconds or 1)


def customers(shop: ShopProcess) -> dict[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {shop.admin_token}"}
    dump = requests.get(f"{shop.url}/admin/dump", headers=headers, timeout=5).json()
    return {record["id"]: record for record in dump["customers"]}


def lose_answers(shop: ShopProcess, **options: Any) -> None:
    faults = [{"name": "lost_answer", "kind": "customers", "options": options}]
    headers = {"Authorization": f"Bearer {shop.admin_token}"}
    answer = requests.put(f"{shop.url}/admin/faults", json=faults, headers=headers, timeout=5)
    answer.raise_for_status()


def waiting(session: ConnectorSession) -> list[str]:
    session.cr.execute(WAITING)
    return [name.rpartition(".")[2] for (name,) in session.cr.fetchall()]


def bring(session: ConnectorSession, backend: Any, external_id: int, **options: Any) -> Any:
    """Import a customer and give its binding."""
    connector_env = get_environment(session, "shop.customer", backend.id)
    importer = connector_env.get_connector_unit(RecordImporter)
    importer.run(external_id, **options)
    return importer.binder.to_openerp(external_id)


def add_customer(session: ConnectorSession, backend: Any) -> Any:
    values = {
        "name": "Ada Lovelace",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "email": "ada@example.com",
    }
    return session.env["shop.customer"].create({**values, "backend_id": backend.id})


def export(session: ConnectorSession, backend: Any, binding: Any) -> Any:
    connector_env = get_environment(session, "shop.customer", backend.id)
    return connector_env.get_connector_unit(RecordExporter).run(binding.id)


def test_only_changed_fields_go_to_the_shop(
    session: ConnectorSession, backend: Any, shop: ShopProcess, run_jobs: RunJobs
) -> None:
    """
    A changed partner is changed at the shop, in the fields that were written and no other.
    """
    partner = bring(session, backend, 1).openerp_id
    assert waiting(session) == []
    partner.with_context(connector_no_export=True).write({"phone": "not to be sent"})
    before = customers(shop)[1]

    partner.write({"city": "Campinas"})
    run_jobs()

    after = customers(shop)[1]
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"city", "updated_at"}
    assert after["city"] == "Campinas"


def test_new_customer_is_created_and_a_deleted_one_deleted(
    session: ConnectorSession, backend: Any, shop: ShopProcess, run_jobs: RunJobs
) -> None:
    """
    A binding made here becomes a customer there; the partner's deletion deletes it there.
    """
    bring(session, backend, 1)
    known = set(customers(shop))
    binding = add_customer(session, backend)
    run_jobs()

    [new] = set(customers(shop)) - known
    assert binding.external_id == str(new)
    record = customers(shop)[new]
    assert (record["firstname"], record["email"], record["fax"]) == ("Ada", "ada@example.com", None)

    binding.openerp_id.unlink()
    run_jobs()
    assert set(customers(shop)) == known


def test_importer_does_not_echo(
    session: ConnectorSession, backend: Any, shop: ShopProcess, run_jobs: RunJobs
) -> None:
    """
    What was exported comes back without a job, and what is imported leaves none.
    """
    binding = add_customer(session, backend)
    run_jobs()

    bring(session, backend, int(binding.external_id), force=True)
    bring(session, backend, 2)

    assert waiting(session) == []


@pytest.mark.parametrize("seconds", [0, 3])
@pytest.mark.parametrize("way", [LostAnswer.IDEMPOTENCY_KEY, LostAnswer.NATURAL_KEY])
def test_lost_answer_makes_no_second_customer(
    session: ConnectorSession,
    backend: Any,
    shop: ShopProcess,
    run_jobs: RunJobs,
    monkeypatch: pytest.MonkeyPatch,
    way: LostAnswer,
    seconds: int,
) -> None:
    """
    A create whose answer is dropped, stored at once or three seconds later, leaves one customer.
    """
    monkeypatch.setattr(CustomerAdapter, "_lost_answer", way)
    monkeypatch.setattr(CustomerAdapter, "_request_seconds", 4)
    known = set(customers(shop))
    lose_answers(shop, seconds=seconds)

    binding = add_customer(session, backend)
    run_jobs()
    time.sleep(seconds and 0.5)

    [new] = set(customers(shop)) - known
    assert binding.external_id == str(new)


def test_nobody_to_ask_is_a_persons_turn(
    session: ConnectorSession,
    backend: Any,
    shop: ShopProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Without a key of either kind the job fails with a checkpoint, and nothing is sent again.
    """
    monkeypatch.setattr(CustomerAdapter, "_lost_answer", LostAnswer.PERSON)
    known = set(customers(shop))
    lose_answers(shop, seconds=0)
    binding = add_customer(session, backend)
    session.commit()

    with pytest.raises(NetworkRetryableError):
        export(session, backend, binding)
    session.rollback()
    for _ in range(2):
        with pytest.raises(UncertainExportError):
            export(session, backend, binding)
        session.rollback()

    assert len(set(customers(shop)) - known) == 1
    checkpoints = session.env["connector.checkpoint"].search([])
    assert [point.record_id for point in checkpoints] == [binding.id]
