"""The examples of `docs/howto/test-a-connector.md`, as it quotes them."""

import pytest

from connector.backend import Backend
from connector.connector import get_environment
from connector.session import ConnectorSession, Recordset
from connector.testing import mock_job_delay_to_direct, trap_jobs
from connector.unit.backend_adapter import CRUDAdapter
from connector.unit.batch import import_batch, import_record
from connector.unit.exporter import export_record
from connector.unit.mapper import ImportMapper
from connector_example.backend import shop
from connector_example.demo.shop_process import ShopProcess


@pytest.fixture
def backend(session: ConnectorSession, mock_shop: ShopProcess) -> Recordset:
    values = {"name": "Chinook", "version": "1.0", "token": mock_shop.token}
    return session.env["shop.backend"].create({**values, "location": f"{mock_shop.url}/api/v1"})


def test_a_partner_has_a_name(env):
    partner = env["res.partner"].create({"name": "Ada"})

    assert partner.display_name == "Ada"


@pytest.mark.declared_in("connector_example")
def test_a_version_has_its_own_mapper(session, backend):
    version_2 = Backend(parent=shop, version="2.0")

    @version_2
    class LoudGenreMapper(ImportMapper):
        _model_name = "shop.genre"

        direct = [("loud_name", "name")]

    assert version_2.get_class(ImportMapper, session, "shop.genre") is LoudGenreMapper


def test_a_changed_partner_is_exported(session, backend):
    values = {"name": "Ada", "last_name": "Lovelace", "backend_id": backend.id}
    with trap_jobs() as trap:
        customer = session.env["shop.customer"].create(values)
        trap.assert_jobs_count(1)
        trap.assert_enqueued_job(
            export_record,
            args=("shop.customer", customer.id),
            kwargs={"fields": ["backend_id", "last_name", "name"]},
        )


def test_a_listing_is_imported(session, backend):
    with trap_jobs() as trap:
        import_batch.delay(session, "shop.genre", backend.id)
        trap.perform_enqueued_jobs(follow=True)

    assert session.env["shop.genre"].search_count([]) == 25


def test_an_import_without_a_queue(session, backend):
    with mock_job_delay_to_direct("connector.unit.batch.import_record"):
        import_record.delay(session, "shop.genre", backend.id, 1, priority=5)

    assert session.env["shop.genre"].search([]).name == "Rock"


def test_a_shop_in_trouble_loses_nothing(session, backend, mock_shop):
    with mock_shop.fault("duplicated_page", kind="artists", after=1, times=1):
        with trap_jobs() as trap:
            import_batch.delay(session, "shop.artist", backend.id)
            trap.perform_enqueued_jobs(follow=True)

    assert session.env["shop.artist"].search_count([]) == 275


@pytest.fixture
def remote_backend(session: ConnectorSession) -> Recordset:
    values = {"name": "Far away", "version": "1.0", "token": "not needed to replay"}
    location = "https://shop.example.com/api/v1"
    return session.env["shop.backend"].create({**values, "location": location})


def test_an_artist_is_read(session, remote_backend, recorded_http):
    environment = get_environment(session, "shop.artist", remote_backend.id)
    adapter = environment.get_connector_unit(CRUDAdapter)

    assert adapter.read(1)["name"] == "AC/DC"
