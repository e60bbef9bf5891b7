"""The example's second backend: partners of another database, over our own server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connector.exception import BackendAccessError, IDMissingInBackend
from connector.queue.job import OpenERPJobStorage
from connector.rpc import Odoo
from connector.unit.batch import import_chunk, import_record
from connector.unit.deleter import RecordDeleter
from connector.unit.exporter import RecordExporter
from connector_example.odoo.adapter import OdooAdapter
from connector_example.odoo.importer import import_partners
from connector_example.odoo.mapper import CATEGORY, COUNTRY, PARTNER

pytestmark = pytest.mark.addons("connector_example")


@pytest.fixture
def remote(server: Any) -> Iterator[Odoo]:
    """A client of the other side, beside the connector's own."""
    with Odoo(server.url, db=server.database, login="admin", password=server.password) as client:
        yield client


@pytest.fixture
def backend_id(server: Any, database: Any) -> int:
    with database.env() as env:
        values = {
            "name": "Other side",
            "location": server.url,
            "database": server.database,
            "login": "admin",
            "password": server.password,
        }
        return int(env["odoo.backend"].create(values).id)


@pytest.fixture
def family(remote: Odoo) -> dict[str, int]:
    """A company with a tag, a country and a contact, on the other side."""
    parent_tag = remote.create("res.partner.category", {"name": "Trade"})
    tag = remote.create("res.partner.category", {"name": "Retail", "parent_id": parent_tag})
    (country,) = remote.search("res.country", [["code", "=", "BE"]])
    company = remote.create(
        "res.partner",
        {
            "name": "Frères & Cie",
            "is_company": True,
            "country_id": country,
            "category_id": [[6, 0, [tag]]],
        },
    )
    child = remote.create("res.partner", {"name": "Zoé", "parent_id": company, "type": "invoice"})
    return {"tag": tag, "company": company, "child": child}


def unit(session: Any, backend_id: int, model: str, kind: Any) -> Any:
    backend = session.env["odoo.backend"].browse(backend_id)
    return backend.get_environment(model).get_connector_unit(kind)


def import_all(session: Any, backend_id: int, filters: Any = None) -> dict[str, Any]:
    """Import both listings, as the jobs do."""
    counts: dict[str, Any] = {}
    for model in (CATEGORY, PARTNER):
        for records in unit(session, backend_id, model, OdooAdapter).search_pages(filters):
            result = import_chunk(session, model, backend_id, records)
            assert not result["poisoned"]
            counts.update(result["counts"])
    return counts


def partner(session: Any, external_id: int) -> Any:
    return session.env[PARTNER].search([("external_id", "=", str(external_id))]).openerp_id


def test_partners_come_with_all_they_need(
    database: Any, backend_id: int, family: dict[str, int]
) -> None:
    """A listing brings partners with categories, countries, parents and children."""
    with database.session() as session:
        import_all(session, backend_id)
        company = partner(session, family["company"])
        assert company.name == "Frères & Cie"
        assert company.category_id.mapped("name") == ["Retail"]
        assert company.category_id.parent_id.name == "Trade"
        assert company.country_id == session.env.ref("base.be")
        assert company.child_ids.mapped("name") == ["Zoé"]
        assert company.child_ids.type == "invoice"


def test_one_partner_brings_its_children(
    database: Any, backend_id: int, family: dict[str, int]
) -> None:
    """The import of one record takes parents, tags and children along."""
    with database.session() as session:
        import_record(session, PARTNER, backend_id, family["company"])
        assert partner(session, family["child"]).parent_id == partner(session, family["company"])


def test_a_second_import_changes_nothing(
    database: Any, backend_id: int, family: dict[str, int]
) -> None:
    """Importing again creates and updates nothing."""
    with database.session() as session:
        import_all(session, backend_id)
        before = session.env["res.partner"].with_context(active_test=False).search_count([])
    with database.session() as session:
        counts = import_all(session, backend_id)
        assert set(counts[PARTNER]) == {"unchanged"}
        after = session.env["res.partner"].with_context(active_test=False).search_count([])
        assert after == before


def test_only_what_was_changed_is_listed(
    database: Any, backend_id: int, remote: Odoo, family: dict[str, int]
) -> None:
    """A listing since a time holds what was written since then, archived records included."""
    with database.session() as session:
        adapter = unit(session, backend_id, PARTNER, OdooAdapter)
        stamp = adapter.last_write()
        everything = [row["id"] for rows in adapter.search_pages() for row in rows]
        recent = [row["id"] for rows in adapter.search_pages({"since": stamp}) for row in rows]
        assert family["company"] in recent
        assert len(recent) <= len(everything)
        late = adapter.search_page({"since": "2999-01-01 00:00:00"}).records
        assert not [row for row in late if row["write_date"]]
        remote.write("res.partner", [family["child"]], {"active": False})
        archived = [row["id"] for rows in adapter.search_pages({"since": stamp}) for row in rows]
        assert family["child"] in archived


def test_the_import_notes_where_the_next_one_begins(database: Any, backend_id: int) -> None:
    """The jobs of an import and the time from which the next one looks are stored together."""
    with database.session() as session:
        uuid = import_partners(session, backend_id)
        assert OpenERPJobStorage(session).exists(uuid)
        backend = session.env["odoo.backend"].browse(backend_id)
        stamp = backend.import_since
        assert stamp
        import_partners(session, backend_id)
        jobs = session.env["queue.job"].search([("func_name", "like", "import_batch")])
        assert len(jobs) == 4


def test_a_partner_of_ours_becomes_theirs(database: Any, backend_id: int, remote: Odoo) -> None:
    """An export takes parent, tags and country along, and a second one writes the changes."""
    with database.session() as session:
        env = session.env(context={"connector_no_export": True})
        tag = env["res.partner.category"].create({"name": "Ours"})
        parent = env["res.partner"].create({"name": "Our company", "is_company": True})
        values = {
            "name": "Our contact",
            "parent_id": parent.id,
            "country_id": env.ref("base.fr").id,
            "category_id": [(6, 0, [tag.id])],
        }
        record = env["res.partner"].create(values)
        binding = env[PARTNER].create({"backend_id": backend_id, "openerp_id": record.id})
        binding_id = binding.id
    with database.session() as session:
        unit(session, backend_id, PARTNER, RecordExporter).run(binding_id)
        external_id = int(session.env[PARTNER].browse(binding_id).external_id)
    fields = ["name", "parent_id", "country_id", "category_id"]
    (row,) = remote.read("res.partner", [external_id], fields)
    assert row["name"] == "Our contact"
    assert row["parent_id"][1] == "Our company"
    assert row["country_id"][1] == "France"
    assert remote.read("res.partner.category", row["category_id"], ["name"])[0]["name"] == "Ours"
    with database.session() as session:
        session.env[PARTNER].browse(binding_id).openerp_id.write({"name": "Renamed"})
        jobs = session.env["queue.job"].search([("func_name", "like", "export_record")])
        assert len(jobs) == 1
        unit(session, backend_id, PARTNER, RecordExporter).run(binding_id, fields=["name"])
    assert remote.read("res.partner", [external_id], ["name"])[0]["name"] == "Renamed"
    with database.session() as session:
        session.env[PARTNER].browse(binding_id).openerp_id.unlink()
        jobs = session.env["queue.job"].search([("func_name", "like", "export_delete")])
        assert len(jobs) == 1
        unit(session, backend_id, PARTNER, RecordDeleter).run(external_id)
    assert remote.search("res.partner", [["id", "=", external_id]]) == []


def test_imports_enqueue_no_exports(database: Any, backend_id: int, family: dict[str, int]) -> None:
    """What an import writes is not sent back."""
    with database.session() as session:
        import_all(session, backend_id)
    with database.session() as session:
        assert not session.env["queue.job"].search([("func_name", "like", "export_record")])


def test_errors_of_the_server_say_what_happens_next(
    database: Any, backend_id: int, remote: Odoo
) -> None:
    """A record that is gone, and a user who may not, are told apart."""
    with database.session() as session:
        adapter = unit(session, backend_id, PARTNER, OdooAdapter)
        with pytest.raises(IDMissingInBackend):
            adapter.read(999_999)
        with pytest.raises(IDMissingInBackend):
            adapter.write(999_999, {"name": "x"})
    with database.session() as session:
        session.env["odoo.backend"].browse(backend_id).write({"password": "wrong one"})
        with pytest.raises(BackendAccessError) as caught:
            unit(session, backend_id, COUNTRY, OdooAdapter).last_write()
        assert "wrong one" not in str(caught.value)
