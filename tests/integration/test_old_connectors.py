"""Connectors made for 8.0, of which only the import lines change, run here."""

import ast
import shutil
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from connector.backend import BACKENDS, get_backend
from connector.cli.lint import lint
from connector.cli.lint_moves import new_imports, new_module
from connector.core import addon, modules
from connector.core.models import MetaModel
from connector.exception import MappingError, NetworkRetryableError
from connector.queue import by_hand
from connector.queue.storage import OpenERPJobStorage
from connector.unit.provenance import import_values

OLD = Path(__file__).parent / "old_connectors"

pytestmark = [
    pytest.mark.addons("connector"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def moved(source):
    """Give a module with its import lines changed as the page says, and nothing else."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and new_module(node.module or "") and not node.level:
            lines[node.lineno - 1 : node.end_lineno] = [
                "; ".join(new_imports(node)),
                *[""] * (node.end_lineno - node.lineno),
            ]
        elif isinstance(node, ast.Import) and (new := new_module(node.names[0].name)):
            known_as = node.names[0].asname or node.names[0].name
            lines[node.lineno - 1] = f"import {new} as {known_as}"
    return "\n".join([*lines, ""])


@pytest.fixture
def addons_path(tmp_path):
    """A folder with the connectors, their import lines changed."""
    shutil.copytree(OLD, tmp_path, dirs_exist_ok=True)
    for file in tmp_path.rglob("*.py"):
        file.write_text(moved(file.read_text()))
    addon.use_addons_path([tmp_path])
    before = set(BACKENDS.backends)
    yield tmp_path
    addon.use_addons_path([])
    BACKENDS.backends.clear()
    BACKENDS.backends.update(before)
    for name in ("coffee", "books"):
        MetaModel.module_to_models.pop(name, None)
        for module in [each for each in sys.modules if f".addons.{name}" in each]:
            del sys.modules[module]


def installed(name):
    return sys.modules[f"connector.addons.{name}"]


def test_nothing_is_found_once_the_imports_are_changed(addons_path):
    """
    `connector lint` names the import lines before, and is silent after.
    """
    answer = CliRunner().invoke(lint, [str(addons_path)])
    before = CliRunner().invoke(lint, [str(OLD)])

    assert (answer.output, answer.exit_code) == ("Nothing found.\n", 0)
    assert before.exit_code == 1
    assert all(": write " in line for line in before.output.splitlines()[:-1])


def customer(number, **values):
    """A customer as the coffee shop keeps it."""
    return {
        "id": str(number),
        "firstname": "Ann",
        "lastname": "Ox",
        "email": "ann@ox.example",
        "telephone": "",
        "zip": 123,
        "town": "Upsala",
        "site": "ox.example",
        "created_at": "2015-03-01 08:00:00",
        "group_id": None,
        "addresses": [],
        **values,
    }


def jobs(session):
    """Give the functions and arguments of the jobs there are, oldest first, and run them."""
    storage = OpenERPJobStorage(session)
    waiting = session.env["queue.job"].search([("state", "=", "pending")], order="id")
    done = []
    for record in waiting:
        job = storage.load(record.uuid)
        done.append((job.func_name.rpartition(".")[2], job.perform(session)))
        by_hand.set_done(session.cr, by_hand.Selection([record.uuid]), "done")
    session.env.invalidate_all()
    return done


def test_connector_with_importers_of_its_own_runs(addons_path, database):
    """
    Import in batches by jobs, dependencies, children, checkpoints, export and deletion by events.
    """
    modules.install(database.name, ["coffee"])
    shop = installed("coffee.unit.backend_adapter").SHOP
    shop["group"] = {"3": {"id": "3", "label": "Regulars"}}
    shop["customer"] = {"7": customer(7, group_id="3", addresses=[{"id": 1, "street": "Quay"}])}
    with database.session() as session:
        backend = session.env["coffee.backend"].create(
            {"name": "Beans", "version": "2.0", "location": "here"}
        )
        assert backend.get_backend() is get_backend("coffee", "2.0")
        backend.import_partners()
        assert jobs(session) == [("import_batch", None)]
        assert jobs(session) == [("import_record", None)]
        [customer_binding] = session.env["coffee.res.partner"].search([])
        assert customer_binding.read(
            ["name", "email", "phone", "zip", "city", "website", "comment", "coffee_id"]
        ) == [
            {
                "id": customer_binding.id,
                "name": "Ann Ox",
                "email": "ann@ox.example",
                "phone": False,
                "zip": "123",
                "city": "UPSALA",
                "website": "ox.example",
                "comment": "imported",
                "coffee_id": "7",
            }
        ]
        assert customer_binding.main_category_id.name == "Regulars"
        assert customer_binding.category_id.mapped("name") == ["Regulars"]
        assert customer_binding.address_ids.mapped("street") == ["Quay"]
        checkpoint = session.env["connector.checkpoint"].search([])
        assert checkpoint.record == customer_binding.openerp_id
        assert not session.env["queue.job"].search([("state", "=", "pending")])
    with database.session() as session:
        partner = session.env["coffee.res.partner"].search([]).openerp_id
        partner.write({"name": "Anna Oxen"})
        [(name, told)] = jobs(session)
        assert (name, told) == ("export_record", "Record exported with ID 7 in the shop.")
        assert shop["customer"]["7"]["lastname"] == "Oxen"
        assert shop["customer"]["7"]["email"] == "ann@ox.example"
        partner.coffee_bind_ids.unlink()
        assert jobs(session) == [("export_delete_record", "Record 7 deleted in the shop")]
        assert shop["customer"] == {}


def test_connector_with_a_binder_of_its_own_runs(addons_path, database):
    """
    Names of 7.0, an environment that carries a client, lines that are updated, an own event.
    """
    modules.install(database.name, ["books"])
    books, author = installed("books.books"), installed("books.author")
    shop = {"books.author": {"5": {"name": "Selma", "sold": 3, "titles": []}}}
    titles = shop["books.author"]["5"]["titles"]
    titles += [{"id": 1, "name": "Nils"}, {"id": 2, "name": "Gone", "hidden": True}]
    with database.session() as session:
        backend = session.env["books.backend"].create({"name": "Books"})
        work = books.environment(session, backend.id, shop)
        importer = work.get_connector_unit(books.ImportSynchronizer)
        first = importer.run(5)
        titles[0]["name"] = "Nils Holgersson"
        titles.append({"id": 3, "name": "Gosta"})
        again = importer.run(5)
        record = session.env["books.author"].browse(first)

        assert again == first
        assert record.openerp_id.comment == "an author"
        assert sorted(record.title_ids.mapped("name")) == [
            "Gosta (book)",
            "Nils Holgersson (book)",
        ]
        assert [("books.author", first, 3)] * 2 == author.SOLD
        binder = importer.unit_for(books.Binder)
        assert binder.to_backend(record.openerp_id.id, wrap=True) == "5"
        assert work.get_connector_unit(books.Shelf).where() == "metal"
        assert importer.unit_for(books.TitleMapChild, "books.title").connector_env.client is shop
        assert books.plain_environment(session, backend.id).model_name == "books.author"
        assert books.author_country(None, record, "country") is False
        assert books.stamp(record.create_date).startswith("20")


def test_errors_of_an_old_connector_are_those_of_the_tree(addons_path, database):
    """
    What the connector raises and what it makes the framework raise decide what the job does.
    """
    modules.install(database.name, ["coffee"])
    adapter = installed("coffee.unit.backend_adapter")
    importing = installed("coffee.unit.import_synchronizer")
    adapter.SHOP.update(group={}, customer={"8": customer(8, group_id="4")})
    with database.session() as session:
        backend = session.env["coffee.backend"].create(
            {"name": "Beans", "version": "1.0", "location": "here"}
        )
        run = (session, "coffee.res.partner", backend.id)
        explained = import_values(importing.get_environment(*run), "8")
        assert {each.target: each.value for each in explained}["city"] == "UPSALA"
        [upper] = [each.source for each in explained if each.target == "city"]
        assert (upper.source, upper.function) == ("town", "upper")
        assert upper.place.endswith("coffee/partner.py:80")
        assert importing.import_record(*run, "9") == "Record does no longer exist in the shop"
        with pytest.raises(MappingError, match=r"'4' of 'main_category_id' is not bound"):
            importing.import_record(*run, "8")
        backend.location = "nowhere"
        with pytest.raises(NetworkRetryableError):
            importing.import_record(*run, "8")
