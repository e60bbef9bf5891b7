"""Unmodified clients do with the server what they do with a real one."""

from __future__ import annotations

import io
import xmlrpc.client
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import httpx
import odoolib
import odooly
import odoorpc
import pytest

from connector.core import sql
from connector.core.modules import identity

LOGIN, CLERK = "admin", "clerk"


def is_asleep(database: str) -> bool:
    with sql.connect(database).cursor(sql.READ_COMMITTED) as cr:
        return identity.is_asleep(cr)


def odoorpc_at(server: Any, **options: Any) -> Any:
    return odoorpc.ODOO("127.0.0.1", port=server.port, **options)


# -- odoorpc -------------------------------------------------------------------------------


@pytest.fixture
def odoo(server: Any, password: str) -> Any:
    client = odoorpc_at(server)
    client.login(server.database, LOGIN, password)
    return client


def test_odoorpc_logs_in(odoo: Any) -> None:
    """odoorpc reads version, user and context."""
    assert odoo.version.startswith("17.0")
    assert odoo.env.user.login == LOGIN
    assert odoo.env.context["uid"] == 1


def test_odoorpc_is_refused_with_a_wrong_password(server: Any) -> None:
    """odoorpc raises its own error for a wrong password."""
    with pytest.raises(odoorpc.error.RPCError, match="Wrong login"):
        odoorpc_at(server).login(server.database, "nobody", "wrong")


def test_odoorpc_works_with_records(odoo: Any) -> None:
    """odoorpc creates, searches, reads, writes, follows relations both ways and unlinks."""
    partners = odoo.env["res.partner"]
    belgium = odoo.env.ref("base.be")
    company = partners.create({"name": "Zébra", "is_company": True, "country_id": belgium.id})
    child = partners.create({"name": "Zoë", "parent_id": company})
    assert partners.search([("name", "=", "Zébra")]) == [company]
    assert partners.search_count([("id", "in", [company, child])]) == 2
    record = partners.browse(company)
    assert record.country_id.code == "BE"
    assert record.child_ids.ids == [child]
    assert record.child_ids.parent_id.name == ["Zébra"] or record.child_ids[0].parent_id == record
    assert not record.parent_id
    record.name = "Zebra"
    assert partners.read(company, ["name"])[0]["name"] == "Zebra"
    assert partners.search_read([("id", "=", child)], ["parent_id"])[0]["parent_id"][0] == company
    assert partners.unlink([child, company])
    assert partners.search([("id", "in", [company, child])]) == []


def test_odoorpc_finds_models_and_defaults(odoo: Any) -> None:
    """odoorpc asks for models, external ids, defaults, and browses nothing."""
    assert "res.partner" in odoo.env
    assert "no.such.model" not in odoo.env
    assert odoo.env.ref("base.main_company").name == "My Company"
    empty = odoo.env["res.partner"].browse([])
    assert empty.ids == []


def test_odoorpc_tells_errors(odoo: Any) -> None:
    """odoorpc shows what the server says of a failed call."""
    with pytest.raises(odoorpc.error.RPCError, match="Private methods"):
        odoo.execute("res.partner", "_search_node", [])


def test_odoorpc_manages_databases(server: Any, new_name: Callable[[], str], master: str) -> None:
    """odoorpc creates, lists, duplicates, dumps, restores and drops databases; copies sleep."""
    client = odoorpc_at(server, timeout=120)
    made, copy, restored = new_name(), new_name(), new_name()
    client.db.create(master, made, demo=False, lang="fr_FR", admin_password="adm1n")
    assert made in client.db.list()
    assert not is_asleep(made)
    client.login(made, "admin", "adm1n")
    assert client.env.context["lang"] == "fr_FR"
    client.env["res.partner"].create({"name": "Tab\tand\\backslash\nand line"})
    client.db.duplicate(master, made, copy)
    assert is_asleep(copy)
    dumped = client.db.dump(master, made)
    client.db.restore(master, restored, dumped)
    assert is_asleep(restored)
    client.login(restored, "admin", "adm1n")
    found = client.env["res.partner"].search([("name", "=", "Tab\tand\\backslash\nand line")])
    assert len(found) == 1
    for name in (made, copy, restored):
        client.db.drop(master, name)
    assert not {made, copy, restored} & set(client.db.list())


def test_odoorpc_dumps_in_the_form_of_postgresql(
    server: Any, new_name: Callable[[], str], master: str
) -> None:
    """A dump that is no zip file is restored as well."""
    client = odoorpc_at(server, timeout=120)
    dumped = client.db.dump(master, server.database, "dump")
    assert dumped.getvalue().startswith(b"PGDMP")
    restored = new_name()
    client.db.restore(master, restored, io.BytesIO(dumped.getvalue()))
    assert is_asleep(restored)


# -- odooly --------------------------------------------------------------------------------


@pytest.fixture(params=["", "/jsonrpc"], ids=["web", "jsonrpc"])
def client(request: pytest.FixtureRequest, server: Any, password: str) -> Any:
    url = server.url + request.param
    return odooly.Client(url, db=server.database, user=LOGIN, password=password)


def test_odooly_logs_in(client: Any, server: Any) -> None:
    """odooly logs in over the web routes and over JSON-RPC."""
    assert client.env.uid == 1
    assert client.env.user.login == LOGIN
    assert server.database in client.database.list()


def test_odooly_is_refused_with_a_wrong_password(server: Any) -> None:
    """odooly raises its own error for a wrong password."""
    with pytest.raises(odooly.Error, match="Invalid username or password"):
        odooly.Client(server.url, db=server.database, user="nobody", password="wrong")


def test_odooly_works_with_records(client: Any) -> None:
    """odooly creates, searches, reads, writes, follows relations both ways and unlinks."""
    partners = client.env["res.partner"]
    tag = client.env["res.partner.category"].create({"name": "odooly tag"})
    company = partners.create({"name": "Odooly & Söhne", "category_id": [(6, 0, [tag.id])]})
    child = partners.create({"name": "Otto", "parent_id": company.id})
    assert partners.search(["name = Odooly & Söhne"]).ids == [company.id]
    assert child.parent_id.name == "Odooly & Söhne"
    assert company.child_ids.mapped("name") == ["Otto"]
    assert company.category_id.name == ["odooly tag"]
    child.write({"name": "Otto II"})
    assert partners.read(child.id, "name") == "Otto II"
    assert client.env.ref("base.main_company").name == "My Company"
    assert "res.partner" in client.env.models("res.partner")
    assert client.env.access("res.partner", "write")
    assert (child + company).unlink()
    assert tag.unlink()
    assert not partners.search(["name = Odooly & Söhne"])


def test_odooly_reads_modules(client: Any) -> None:
    """odooly lists addons by state, and looks for new ones."""
    assert "base" in client.env.modules(installed=True)["installed"]
    assert client.env["ir.module.module"].update_list()[1] == 0


def test_odooly_manages_databases(
    server: Any, password: str, new_name: Callable[[], str], master: str
) -> None:
    """odooly creates, clones and drops databases."""
    made, copy = new_name(), new_name()
    client = odooly.Client(server.url, db=server.database, user=LOGIN, password=password)
    assert client.create_database(master, made, user_password="adm1n")
    assert client.env.db_name == made
    client.clone_database(master, copy)
    assert client.env.db_name == copy
    assert is_asleep(copy)
    client.drop_database(master, made)
    assert made not in client.database.list()


# -- odoo-client-lib -----------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # the client's own connections
@pytest.mark.parametrize("protocol", ["xmlrpc", "jsonrpc", "json2"])
def test_odoolib_works_with_records(server: Any, password: str, protocol: str) -> None:
    """odoo-client-lib creates, searches, reads, writes and unlinks over each of its protocols."""
    secret = password
    if protocol == "json2":
        secret = server.execute("res.users.apikeys", "generate", "odoolib")
    connection = odoolib.get_connection(
        hostname="127.0.0.1",
        protocol=protocol,
        port=server.port,
        database=server.database,
        login=LOGIN,
        password=secret,
    )
    connection.check_login()
    assert connection.get_user_context()["uid"] == 1
    partners = connection.get_model("res.partner")
    id_ = partners.create({"name": f"Ödoo {protocol}"})
    if isinstance(id_, list):
        (id_,) = id_
    assert partners.search([("name", "=", f"Ödoo {protocol}")]) == [id_]
    assert partners.search_count([("id", "=", id_)]) == 1
    assert partners.read([id_], ["name"])[0]["name"] if protocol != "json2" else True
    partners.write([id_], {"ref": "seen"})
    rows = partners.search_read([("id", "=", id_)], ["ref", "country_id"])
    assert rows == [{"id": id_, "ref": "seen", "country_id": False}]
    assert partners.unlink([id_])


def test_odoolib_tells_a_wrong_key(server: Any) -> None:
    """odoo-client-lib raises its own error for an unknown API key."""
    connection = odoolib.get_connection(
        hostname="127.0.0.1",
        protocol="json2",
        port=server.port,
        database=server.database,
        password="0" * 40,
    )
    assert connection.check_login() is False


def test_odoolib_manages_databases(
    server: Any, new_name: Callable[[], str], master: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """odoo-client-lib renames a database through the service `db`."""
    # It waits five seconds, which are few for a new database on a busy machine.
    monkeypatch.setattr(httpx, "post", partial(httpx.post, timeout=60))
    connector = odoolib.get_connector("127.0.0.1", "jsonrpc", server.port)
    service = connector.get_service("db")
    made, renamed = new_name(), new_name()
    service.create_database(master, made, False, "en_US", "adm1n")
    assert service.rename(master, made, renamed)
    assert service.db_exist(renamed)
    assert not service.db_exist(made)
    assert not is_asleep(renamed)
    assert service.drop(master, renamed)


# -- xmlrpc.client -------------------------------------------------------------------------


@pytest.fixture
def proxy(server: Any) -> Iterator[Callable[[str], Any]]:
    with ExitStack() as stack:

        def at(service: str) -> Any:
            url = f"{server.url}/xmlrpc/2/{service}"
            return stack.enter_context(xmlrpc.client.ServerProxy(url))

        yield at


def test_xmlrpc_client_follows_the_documentation(
    server: Any, password: str, proxy: Callable[[str], Any]
) -> None:
    """The calls of the documentation's page work, in its order."""
    database = server.database
    assert proxy("common").version()["protocol_version"] == 1
    uid = proxy("common").authenticate(database, LOGIN, password, {})
    assert uid == 1
    assert proxy("common").authenticate(database, LOGIN, "wrong", {}) is False
    objects = proxy("object")

    def execute(model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        return objects.execute_kw(database, uid, password, model, method, list(args), kwargs)

    assert execute("res.partner", "check_access_rights", "read", raise_exception=False) is True
    everyone = execute("res.partner", "search", [])
    assert execute("res.partner", "search", [], offset=1, limit=1) == everyone[1:2]
    assert execute("res.partner", "search_count", []) == len(everyone)
    (record,) = execute("res.partner", "read", everyone[0])
    assert record["id"] == everyone[0]
    described = execute("res.partner", "fields_get", [], attributes=["string", "help", "type"])
    assert set(described["country_id"]) <= {"string", "help", "type"}
    made = execute("res.partner", "create", {"name": "New Partner"})
    assert execute("res.partner", "write", [made], {"name": "Newer partner"})
    assert execute("res.partner", "name_get", [made]) == [[made, "Newer partner"]]
    assert execute("res.partner", "unlink", [made])
    assert execute("res.partner", "search", [["id", "=", made]]) == []


def test_xmlrpc_client_makes_models(
    server: Any, password: str, proxy: Callable[[str], Any]
) -> None:
    """Models and fields of a user's own are made and used, as the documentation shows."""
    objects = proxy("object")

    def execute(model: str, method: str, *args: Any) -> Any:
        return objects.execute_kw(server.database, 1, password, model, method, list(args))

    values = {"name": "Custom Model", "model": "x_custom_model", "state": "manual"}
    model_id = execute("ir.model", "create", values)
    field = {"model_id": model_id, "name": "x_color", "ttype": "char", "state": "manual"}
    field_id = execute("ir.model.fields", "create", {**field, "required": True})
    try:
        made = execute("x_custom_model", "create", {"x_color": "blue"})
        assert execute("x_custom_model", "read", [made])[0]["x_color"] == "blue"
        assert execute("x_custom_model", "fields_get")["x_color"]["required"] is True
    finally:
        execute("ir.model.fields", "unlink", [field_id])
        execute("ir.model", "unlink", [model_id])


def test_xmlrpc_client_asks_for_databases(server: Any, proxy: Callable[[str], Any]) -> None:
    """Databases are listed, and the version is told."""
    assert server.database in proxy("db").list()
    assert proxy("db").db_exist(server.database) is True
    assert proxy("db").server_version().startswith("17.0")


def test_xmlrpc_client_manages_databases(
    proxy: Callable[[str], Any], new_name: Callable[[], str], master: str
) -> None:
    """Databases are made, copied, dumped, restored, renamed and dropped; copies sleep."""
    made, copy, restored, renamed = new_name(), new_name(), new_name(), new_name()
    databases = proxy("db")
    assert databases.create_database(master, made, False, "en_US", "adm1n", "boss", "BE", "0123")
    assert proxy("common").login(made, "boss", "adm1n") == 1
    assert databases.duplicate_database(master, made, copy)
    assert databases.restore(master, restored, databases.dump(master, made, "zip"))
    assert databases.rename(master, made, renamed)
    assert proxy("common").login(renamed, "boss", "adm1n") == 1
    found = databases.list()
    assert {copy, restored, renamed} <= set(found)
    assert made not in found
    assert [is_asleep(name) for name in (copy, restored, renamed)] == [True, True, False]
    for name in (copy, restored, renamed):
        assert databases.drop(master, name) is True
    assert databases.drop(master, made) is False
