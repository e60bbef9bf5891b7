"""Addons in a real database: installed, updated, removed."""

import sys
import textwrap
import threading

import pytest

from connector.core import modules, sql
from connector.core.environment import Environment
from connector.core.exceptions import (
    DatabaseNotInitialisedError,
    DataFileError,
    DependencyCycleError,
    ManifestError,
    ModelDefinitionError,
    ModuleError,
    UnknownFieldError,
    UnknownModuleError,
    UnmetDependencyError,
)
from connector.core.models import MetaModel
from connector.core.modules import graph, identity, loading, states
from connector.core.registry import Registry
from connector.core.sql import schema

pytestmark = pytest.mark.addons("base")

SHOP = """
    from connector.core import fields, models

    class Shop(models.Model):
        _name = "test.shop"
        _sql_constraints = [("name_uniq", "unique(name)", "Twice")]
        name = fields.Char(required=True)
        partner_id = fields.Many2one("res.partner")
        tag_ids = fields.Many2many("res.partner.category")

    class Partner(models.Model):
        _inherit = "res.partner"
        _sql_constraints = [("shop_code_uniq", "unique(shop_code)", "Twice")]
        shop_code = fields.Char()
"""
DATA = """<?xml version="1.0"?>
    <odoo>
        <record id="kept" model="res.partner"><field name="name">Kept</field></record>
        <record id="first" model="test.shop">
            <field name="name">First</field>
            <field name="partner_id" ref="kept"/>
            <field name="tag_ids" eval="[(6, 0, [ref('gold')])]"/>
        </record>
        <data noupdate="1">
            <record id="own" model="test.shop"><field name="name">Own</field></record>
        </data>
    </odoo>
"""
MANIFEST = {"name": "Shop", "version": "1.0", "data": ["res.partner.category.csv", "data.xml"]}


@pytest.fixture
def shop(addon_folder):
    """The addon `shop_test`: a model, an extension, data."""
    addon_folder.write(
        "shop_test",
        MANIFEST,
        {
            "__init__.py": SHOP,
            "data.xml": DATA.strip(),
            "res.partner.category.csv": "id,name,parent_id/id\nmetal,Metal,\ngold,Gold,metal\n",
        },
    )
    return addon_folder


def rewrite(shop, manifest=MANIFEST, **files):
    shop.write("shop_test", manifest, {"__init__.py": SHOP, **files})
    shop.forget("shop_test")


def query(database, statement, *params):
    with database.cursor(sql.READ_COMMITTED) as cr:
        cr.execute(statement, params)
        return cr.fetchall()


def state_of(database, name):
    rows = query(database, "SELECT state FROM ir_module_module WHERE name = %s", name)
    return rows[0][0] if rows else None


def test_database_without_base(empty_database):
    """
    A database without the tables of base gets an error that names the command, and no registry.
    """
    with pytest.raises(DatabaseNotInitialisedError, match=f"connector db init {empty_database}"):
        Registry(empty_database)
    with pytest.raises(DatabaseNotInitialisedError):
        modules.install(empty_database, ["base"])
    assert empty_database not in Registry.registries
    assert modules.installed(empty_database) == []


def test_initialise(empty_database):
    """
    Initialising installs base with its data; doing it again changes nothing.
    """
    registry = modules.initialise(empty_database)
    with registry.cursor() as cr:
        env = Environment(cr, 1, {})
        assert env.ref("base.de").code == "DE"
        assert env.ref("base.user_root").login == "admin"
        assert env.ref("base.group_user") in env.user.groups_id
        cr.execute("SELECT count(*) FROM ir_model_data")
        before = cr.fetchone()
    modules.initialise(empty_database)
    with sql.connect(empty_database).cursor() as cr:
        cr.execute("SELECT count(*) FROM ir_model_data")
        assert cr.fetchone() == before
    assert modules.installed(empty_database) == ["base"]


def test_install(database, shop):
    """
    An installed addon has its tables, columns, data and external ids.
    """
    modules.install(database.name, ["shop_test"])
    with database.env() as env:
        record = env.ref("shop_test.first")
        assert record.partner_id == env.ref("shop_test.kept")
        assert record.tag_ids.mapped("parent_id.name") == ["Metal"]
        assert "shop_code" in env["res.partner"]._fields
        assert env.ref("shop_test.model_test_shop").model == "test.shop"
    assert state_of(database, "shop_test") == "installed"


def test_dependencies_come_first(database, shop):
    """
    What an addon depends on is installed with it, and what installs itself beside both.
    """
    shop.write("below", {"depends": ["shop_test"]})
    shop.write("beside", {"depends": ["shop_test", "below"], "auto_install": True})
    modules.install(database.name, ["below"])
    assert modules.installed(database.name) == ["base", "below", "beside", "shop_test"]


@pytest.mark.parametrize(
    ("depends", "error", "message"),
    [
        ({"one": ["absent"]}, UnmetDependencyError, "'one' depends on 'absent'"),
        ({"one": ["two"], "two": ["three"], "three": ["two"]}, DependencyCycleError,
         "two -> three -> two"),
        ({"two": []}, UnknownModuleError, "no addon 'one'"),
    ],
)  # fmt: skip
def test_impossible_dependencies(database, addon_folder, depends, error, message):
    """
    A missing dependency, a cycle and an unknown addon are named, and nothing is installed.
    """
    for name, needed in depends.items():
        addon_folder.write(name, {"depends": needed})
    with pytest.raises(error, match=message):
        modules.install(database.name, ["one"])
    assert modules.installed(database.name) == ["base"]


def test_broken_manifest_of_another_addon(database, shop):
    """
    A manifest that cannot be read keeps other addons from nothing, and is told when it is wanted.
    """
    (shop.path / "broken").mkdir()
    (shop.path / "broken" / "__init__.py").touch()
    (shop.path / "broken" / "__manifest__.py").write_text("{")
    modules.install(database.name, ["shop_test"])
    with pytest.raises(ManifestError, match="broken"):
        modules.install(database.name, ["broken"])
    assert modules.installed(database.name) == ["base", "shop_test"]


def test_external_dependency(database, addon_folder):
    """
    A Python package that is missing is named before anything is installed.
    """
    needs = {"external_dependencies": {"python": ["no_such_package"]}}
    addon_folder.write("needy", needs)
    with pytest.raises(UnmetDependencyError, match="no_such_package"):
        modules.install(database.name, ["needy"])
    assert state_of(database, "needy") != "to install"


def test_failed_install_leaves_no_trace(database, shop):
    """
    An addon that fails while loading leaves no table, row, class, state or registry; mended,
    it is installed.
    """
    before = query(database, "SELECT count(*) FROM ir_model_data")
    rewrite(shop, **{"data.xml": "<odoo><record id='x' model='no.model'/></odoo>"})
    with pytest.raises(DataFileError, match=r"data\.xml.*no model 'no\.model'"):
        modules.install(database.name, ["shop_test"])
    assert state_of(database, "shop_test") in (None, "uninstalled")
    assert query(database, "SELECT count(*) FROM ir_model_data") == before
    assert query(database, "SELECT to_regclass('test_shop')") == [(None,)]
    assert database.name not in Registry.registries
    assert "test.shop" not in database.registry
    rewrite(shop, **{"data.xml": DATA.strip()})
    assert "test.shop" in modules.install(database.name, ["shop_test"])


def test_failed_import_leaves_no_class(database, shop):
    """
    Classes of an addon whose import fails are forgotten; the next import declares each once.
    """
    rewrite(shop, **{"__init__.py": SHOP.rstrip() + "\n    raise LookupError\n"})
    with pytest.raises(LookupError) as caught:
        modules.install(database.name, ["shop_test"])
    assert "import of the addon 'shop_test'" in caught.value.__notes__[0]
    assert MetaModel.module_to_models["shop_test"] == []
    shop.write("shop_test", MANIFEST, {"__init__.py": SHOP})
    modules.install(database.name, ["shop_test"])
    assert len(MetaModel.module_to_models["shop_test"]) == 2


def test_one_failure_does_not_undo_the_others(database, shop):
    """
    Each addon has its own commit: what was installed before the one that fails stays.
    """
    shop.write("broken", {"depends": ["shop_test"], "data": ["absent.csv"]})
    with pytest.raises(DataFileError, match=r"absent\.csv"):
        modules.install(database.name, ["broken"])
    assert modules.installed(database.name) == ["base", "shop_test"]
    assert "test.shop" in database.registry


def test_update(database, shop):
    """
    An update adds columns, rewrites data, keeps what is noupdate, and drops what is no more.
    """
    modules.install(database.name, ["shop_test"])
    with database.env() as env:
        env.ref("shop_test.first").name = "Changed"
        env.ref("shop_test.own").name = "Changed too"
    code = SHOP.replace("tag_ids", "size = fields.Integer(default=3)\n        tag_ids")
    kept = '<record id="kept" model="res.partner"><field name="name">Kept</field></record>'
    data = DATA.strip().replace(kept, "").replace('ref="kept"', 'eval="False"')
    rewrite(shop, **{"__init__.py": code, "data.xml": data})
    modules.update(database.name, ["shop_test"])
    with database.env() as env:
        first = env.ref("shop_test.first")
        assert (first.name, first.size) == ("First", 3)
        assert env.ref("shop_test.own").name == "Changed too"
        assert env.ref("shop_test.kept", raise_if_not_found=False) is None
        assert not env["res.partner"].search([("name", "=", "Kept")])


def test_removed_record_that_is_needed_stays(database, shop, caplog):
    """
    A record that the data files have no more stays, with a warning, while others link to it.
    """
    code = (
        SHOP
        + """
    class Order(models.Model):
        _name = "test.order"
        shop_id = fields.Many2one("test.shop", required=True, ondelete="restrict")
    """
    )
    rewrite(shop, **{"__init__.py": code})
    modules.install(database.name, ["shop_test"])
    with database.env() as env:
        env["test.order"].create({"shop_id": env.ref("shop_test.first").id})
        env.cr.commit()
    rewrite(shop, {**MANIFEST, "data": []}, **{"__init__.py": code})
    modules.update(database.name, ["shop_test"])
    with database.env() as env:
        assert env.ref("shop_test.first").name == "First"
        assert env.ref("shop_test.gold", raise_if_not_found=False) is None
    assert [r.external_id for r in caplog.records if "Cannot delete" in r.message] == [
        "shop_test.first"
    ]


def test_removed_field_keeps_its_column(database, shop):
    """
    A field that the code has no more keeps its column and values, and loses NOT NULL and its row.
    """
    modules.install(database.name, ["shop_test"])
    code = SHOP.replace("name = fields.Char(required=True)", "title = fields.Char()")
    code = code.replace('_sql_constraints = [("name_uniq", "unique(name)", "Twice")]', "")
    rewrite(shop, {**MANIFEST, "data": []}, **{"__init__.py": code})
    with database.cursor() as cr:
        cr.execute("UPDATE ir_model_data SET noupdate = true WHERE module = 'shop_test'")
    modules.update(database.name, ["shop_test"])
    with database.cursor() as cr:
        assert schema.table_columns(cr, "test_shop")["name"].nullable
        cr.execute("SELECT name FROM test_shop ORDER BY id")
        assert cr.fetchall() == [("First",), ("Own",)]
    rows = query(
        database, "SELECT name FROM ir_model_fields WHERE model = 'test.shop' AND name = 'name'"
    )
    assert rows == []


def test_update_of_all(database, shop):
    """
    Updating `all` updates base and with it everything.
    """
    modules.install(database.name, ["shop_test"])
    rewrite(shop, {**MANIFEST, "version": "1.1"})
    modules.update(database.name, ["all"])
    assert query(
        database, "SELECT latest_version FROM ir_module_module WHERE name = 'shop_test'"
    ) == [("1.1",)]


def test_update_of_what_is_not_installed(database, shop):
    """
    An update of an addon that is not installed says so.
    """
    with pytest.raises(UnknownModuleError, match=r"'shop_test': not installed"):
        modules.update(database.name, ["shop_test"])


def test_uninstall(database, shop):
    """
    Removing an addon removes its tables, columns, constraints, data and names, and those of
    the addons that need it, and nothing else.
    """
    before = query(database, "SELECT module, name FROM ir_model_data ORDER BY 1, 2")
    partners = query(database, "SELECT name FROM res_partner ORDER BY id")
    shop.write("below", {"depends": ["shop_test"]})
    modules.install(database.name, ["below"])
    registry = modules.uninstall(database.name, ["shop_test"])
    assert "test.shop" not in registry
    assert "shop_code" not in registry["res.partner"]._fields
    assert modules.installed(database.name) == ["base"]
    with database.cursor() as cr:
        assert not schema.existing_tables(cr, ["test_shop", "res_partner_category_test_shop_rel"])
        assert "shop_code" not in schema.table_columns(cr, "res_partner")
    assert query(database, "SELECT module, name FROM ir_model_data ORDER BY 1, 2") == before
    assert query(database, "SELECT name FROM res_partner ORDER BY id") == partners
    assert query(database, "SELECT 1 FROM ir_model WHERE model = 'test.shop'") == []
    modules.install(database.name, ["shop_test"])
    assert "test.shop" in database.registry


def test_inherited_fields_go_with_either_addon(database, shop):
    """
    The fields that a model has through `_inherits` are forgotten with it, and with the addon
    that added them to the parent.
    """
    code = (
        SHOP
        + "        code2 = fields.Char()\n"
        + textwrap.dedent("""
        class Owner(models.Model):
            _name = "test.owner"
            _inherits = {"res.partner": "partner_id"}
            partner_id = fields.Many2one("res.partner", required=True, ondelete="cascade")
    """).replace("\n", "\n    ")
    )
    rewrite(shop, **{"__init__.py": code})
    before = query(database, "SELECT module, name FROM ir_model_data ORDER BY 1, 2")
    modules.install(database.name, ["shop_test"])
    named = query(database, "SELECT module FROM ir_model_data WHERE name LIKE 'field_test_owner%%'")
    assert set(named) == {("shop_test",)}
    modules.uninstall(database.name, ["shop_test"])
    assert query(database, "SELECT module, name FROM ir_model_data ORDER BY 1, 2") == before


def test_base_cannot_be_removed(database):
    """
    The removal of base is refused.
    """
    with pytest.raises(ModuleError, match="Drop the database"):
        modules.uninstall(database.name, ["base"])
    assert state_of(database, "base") == "installed"


def test_demo_data(database, shop):
    """
    Demonstration data come only where they are asked for, and later updates leave them alone.
    """
    demo = '<odoo><record id="d" model="test.shop"><field name="name">Demo</field></record></odoo>'
    rewrite(shop, {**MANIFEST, "demo": ["demo.xml"]}, **{"demo.xml": demo})
    modules.install(database.name, ["shop_test"])
    assert query(database, "SELECT 1 FROM test_shop WHERE name = 'Demo'") == []
    modules.uninstall(database.name, ["shop_test"])
    modules.install(database.name, ["shop_test"], demo=True)
    with database.env() as env:
        env.ref("shop_test.d").name = "Mine"
    modules.update(database.name, ["shop_test"])
    assert query(database, "SELECT 1 FROM test_shop WHERE name = 'Mine'") == [(1,)]


HOOKS = """
    def before(cr):
        cr.execute("CREATE TABLE hook_calls (name varchar)")
        cr.execute("INSERT INTO hook_calls VALUES ('pre_init')")

    def after(cr, registry):
        assert "test.shop" in registry
        cr.execute("INSERT INTO hook_calls VALUES ('post_init')")

    def end(cr, registry):
        assert "test.shop" in registry
        cr.execute("INSERT INTO hook_calls VALUES ('uninstall')")
"""


def test_hooks(database, shop):
    """
    Hooks run at their moment, once: not at an update.
    """
    manifest = {"pre_init_hook": "before", "post_init_hook": "after", "uninstall_hook": "end"}
    rewrite(shop, {**MANIFEST, **manifest}, **{"__init__.py": SHOP + HOOKS})
    modules.install(database.name, ["shop_test"])
    modules.update(database.name, ["shop_test"])
    modules.uninstall(database.name, ["shop_test"])
    assert query(database, "SELECT name FROM hook_calls") == [
        ("pre_init",), ("post_init",), ("uninstall",),
    ]  # fmt: skip


def test_post_load(database, shop):
    """
    The hook that follows the import runs once in a process, whatever is loaded again.
    """
    code = SHOP + "    calls = []\n    def loaded():\n        calls.append(1)\n"
    rewrite(shop, {**MANIFEST, "post_load": "loaded"}, **{"__init__.py": code})
    modules.install(database.name, ["shop_test"])
    Registry.new(database.name)
    assert sys.modules["connector.addons.shop_test"].calls == [1]


def test_unknown_hook(database, shop):
    """
    A hook that the package does not have is named.
    """
    rewrite(shop, {**MANIFEST, "post_init_hook": "absent"})
    with pytest.raises(ModuleError, match="hook 'absent'"):
        modules.install(database.name, ["shop_test"])


SCRIPT = """
    def migrate(cr, version):
        cr.execute("INSERT INTO calls VALUES (%s)", ("{} " + version,))
"""


def test_migrations(database, shop):
    """
    Scripts between the two versions run at an upgrade, in their order; never at an installation.
    """
    with database.cursor() as cr:
        cr.execute("CREATE TABLE calls (name varchar)")
    scripts = {
        f"migrations/{version}/{stage}-do.py": SCRIPT.format(f"{version} {stage}")
        for version in ("1.0", "1.2", "1.10", "2.0")
        for stage in ("pre", "post", "end")
    }
    rewrite(shop, **scripts)
    modules.install(database.name, ["shop_test"])
    assert query(database, "SELECT * FROM calls") == []
    rewrite(shop, {**MANIFEST, "version": "1.10"})
    modules.update(database.name, ["shop_test"])
    assert [name for (name,) in query(database, "SELECT * FROM calls")] == [
        f"{version} {stage} 1.0" for stage in ("pre", "post", "end") for version in ("1.2", "1.10")
    ]
    modules.update(database.name, ["shop_test"])
    assert len(query(database, "SELECT * FROM calls")) == 6


def test_end_script_that_fails(database, shop):
    """
    A script of the stage `end` that fails is run by the next change, the others are not again.
    """
    with database.cursor() as cr:
        cr.execute("CREATE TABLE calls (name varchar)")
    modules.install(database.name, ["shop_test"])
    failing = "def migrate(cr, version):\n    raise ValueError(version)\n"
    rewrite(
        shop,
        {**MANIFEST, "version": "1.1"},
        **{
            "migrations/1.1/post-do.py": SCRIPT.format("post"),
            "migrations/1.1/end-do.py": failing,
        },
    )
    with pytest.raises(ValueError, match=r"^1\.0"):
        modules.update(database.name, ["shop_test"])
    assert state_of(database, "shop_test") == "installed"
    rewrite(
        shop,
        {**MANIFEST, "version": "1.1"},
        **{"migrations/1.1/end-do.py": SCRIPT.format("end")},
    )
    for _ in range(2):
        modules.apply_marked(database.name)
        assert query(database, "SELECT * FROM calls") == [("post 1.0",), ("end 1.0",)]


def test_shared_table_of_links_stays(database, addon_folder):
    """
    The table of a many2many stays when one addon goes while a field of another keeps links there.
    """
    body = """
        from connector.core import fields, models

        class Copy(models.Model):
            _name = "test.copy"
            _inherit = ["res.partner.category"]
    """
    addon_folder.write("copy_test", {}, {"__init__.py": body})
    modules.install(database.name, ["copy_test"])
    with database.env() as env:
        partner = env["res.partner"].create({"name": "A", "category_id": [(0, 0, {"name": "B"})]})
    modules.uninstall(database.name, ["copy_test"])
    with database.env() as env:
        assert env["res.partner"].browse(partner.id).category_id.name == "B"


def test_custom_fields_and_the_addon_they_link_to(database, shop):
    """
    A custom field outlives updates of addons before the one it links to, NOT NULL included; it
    goes with the model it links to. One whose path ends is left out: the database opens.
    """
    modules.install(database.name, ["shop_test"])
    with database.env() as env:
        shops = {"ttype": "many2one", "relation": "test.shop"}
        for name, values in {
            "x_shop": {**shops, "on_delete": "cascade", "required": True},
            "x_many": {**shops, "ttype": "many2many"},
            "x_name": {"ttype": "char", "related": "x_shop.name", "store": False},
        }.items():
            env["ir.model.fields"].create({"model": "res.partner", "name": name, **values})
        first = env.ref("shop_test.first")
        env["res.partner"].search([]).write({"x_shop": first.id})
        env["ir.model.fields"].search([("name", "=", "x_shop")]).write({"help": "again"})
    modules.update(database.name, ["all"])
    with database.env() as env:
        assert env.ref("base.main_partner").x_name == "First"
        columns = schema.table_columns(env.cr, "res_partner")
        assert not columns["x_shop"].nullable
    modules.uninstall(database.name, ["shop_test"])
    Registry.delete(database.name)
    with database.env() as env:
        assert not [name for name in env["res.partner"]._fields if name.startswith("x_")]
        assert env["ir.model.fields"].search([("state", "=", "manual")]).name == "x_name"
        assert "x_shop" not in schema.table_columns(env.cr, "res_partner")
        assert not schema.table_exists(env.cr, "x_res_partner_x_many_rel")
        env["ir.model.fields"].create({"model": "res.partner", "name": "x_on", "ttype": "char"})


def test_installed_addon_whose_package_is_gone(database, shop, caplog):
    """
    A database opens although the package of an installed addon is gone, and says so.
    """
    modules.install(database.name, ["shop_test"])
    shop.forget("shop_test")
    (shop.path / "shop_test").rename(shop.path.parent / f"{shop.path.name}_away")
    states.forget_found()
    registry = Registry.new(database.name)
    assert "test.shop" not in registry
    assert "cannot be loaded" in caplog.text


def test_tables_in_use(database, shop, monkeypatch):
    """
    An update of a table that others use gives up after some tries, and leaves all as it was.
    """
    monkeypatch.setattr(loading, "TABLE_WAIT", "50ms")
    modules.install(database.name, ["shop_test"])
    code = SHOP.replace("tag_ids", "size = fields.Integer()\n        tag_ids")
    rewrite(shop, **{"__init__.py": code})
    with database.cursor() as cr:
        cr.execute("SELECT * FROM test_shop")
        with pytest.raises(ModuleError, match="while others work in it"):
            modules.update(database.name, ["shop_test"])
    assert state_of(database, "shop_test") == "installed"
    modules.update(database.name, ["shop_test"])
    with database.cursor() as cr:
        assert schema.column_exists(cr, "test_shop", "size")
        cr.execute("SHOW lock_timeout")
        assert cr.fetchone() == ("0",)


def test_constraint_on_a_table_in_use(database, shop, monkeypatch):
    """
    A constraint that cannot be made while others use the table is no constraint left out.
    """
    monkeypatch.setattr(loading, "TABLE_WAIT", "50ms")
    modules.install(database.name, ["shop_test"])
    more = '[("name_uniq", "unique(name)", "Twice"), ("n", "check(id > 0)", "No")]'
    rewrite(shop, **{"__init__.py": SHOP.replace('[("name_uniq", "unique(name)", "Twice")]', more)})
    with database.cursor() as cr:
        cr.execute("SELECT * FROM test_shop")
        with pytest.raises(ModuleError, match="while others work in it"):
            modules.update(database.name, ["shop_test"])
    modules.update(database.name, ["shop_test"])
    with database.cursor() as cr:
        assert "test_shop_n" in schema.constraint_definitions(cr, "test_shop")


def test_two_at_once(database, shop):
    """
    Threads that install at the same time take turns, and the addon is installed once.
    """
    errors = []

    def install():
        try:
            modules.install(database.name, ["shop_test"])
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=install) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert query(database, "SELECT count(*) FROM test_shop") == [(2,)]


def test_copy_is_asleep(database):
    """
    A copy of a database knows that it is one, until it is adopted.
    """
    copy = f"{database.name}_copy"
    sql.create_database(copy, template=database.name)
    try:
        assert not database.registry.asleep()
        assert Registry(copy).asleep()
        with Registry(copy).cursor() as cr:
            identity.adopt(cr)
        assert not Registry(copy).asleep()
    finally:
        Registry.delete(copy)
        sql.drop_database(copy)


def test_graph_order(addon_folder):
    """
    Addons are ordered by depth, then by name.
    """
    for name, needed in {"c": ["base"], "a": ["c"], "b": ["base"], "d": ["a", "b"]}.items():
        addon_folder.write(name, {"depends": needed})
    found = graph.Graph()
    assert found.add(["base", "d", "a", "b", "c", "absent"]) == ["absent"]
    assert [node.name for node in found] == ["base", "b", "c", "a", "d"]


def test_buttons_that_do_it_now(database, shop):
    """
    An immediate button commits, changes the database and has its registry built anew.
    """
    with database.env() as env:
        env["ir.module.module"].update_list()
        module = env["ir.module.module"].search([("name", "=", "shop_test")])
        assert module.button_immediate_install() is True
        assert "test.shop" in Registry(database.name)
        after = Environment(env.cr, 1, {})
        assert after["ir.module.module"].browse(module.id).state == "installed"
        after["ir.module.module"].browse(module.id).button_immediate_uninstall()
        assert "test.shop" not in Registry(database.name)


EVOLVED = """
    from connector.core import fields, models

    class Thing(models.Model):
        _name = "test.thing"
        _sql_constraints = {constraints}
        name = fields.Char(required=True, translate={translated})
        title = fields.Text(translate={was_translated})
        price = fields.Float(digits={digits})
        code = fields.{code}
        label = fields.Char(index={indexed})
        number = fields.{number}
"""


def evolve(shop, version, **parts):
    shop.write("evolving", {"version": version}, {"__init__.py": EVOLVED.format(**parts)})
    shop.forget("evolving")


def test_columns_change_type_without_loss(database, shop, caplog):
    """
    Columns follow their fields where every value follows; else the old column is kept aside.
    """
    evolve(shop, "1", constraints=[], translated=False, was_translated=True, digits=(6, 2),
           code="Text()", indexed=True, number='Char()')  # fmt: skip
    registry = modules.install(database.name, ["evolving"])
    with Environment.manage(), registry.cursor() as cr:
        thing = Environment(cr, 1, {})["test.thing"].create(
            {"name": "n", "title": "t", "price": 9999.25, "code": "long code", "number": "seven"}
        )
        thing.with_context(lang="fr_FR").title = "le t"
    evolve(shop, "2", constraints=[], translated=True, was_translated=False, digits=(8, 1),
           code="Char(size=4)", indexed=True, number="Integer()")  # fmt: skip
    registry = modules.update(database.name, ["evolving"])
    with Environment.manage(), registry.cursor() as cr:
        thing = Environment(cr, 1, {})["test.thing"].browse(thing.id)
        assert (thing.name, thing.title, thing.code, thing.number) == ("n", "t", "long code", 0)
        assert schema.table_columns(cr, "test_thing")["price"].digits == (9, 2)
        assert not schema.table_columns(cr, "test_thing")["name"].nullable
    stored = "SELECT price::text, number_moved0 FROM test_thing"
    assert query(database, stored) == [("9999.25", "seven")]
    assert [record.field for record in caplog.records if "another type" in record.message] == [
        "test.thing.number"
    ]


def test_text_that_is_translated_no_more(database, shop):
    """
    A text that is translated no more is the English one; the other languages are kept aside.
    """
    translated = SHOP.replace(
        "shop_code = fields.Char()", "shop_code = fields.Char(translate=True)"
    )
    rewrite(shop, **{"__init__.py": translated})
    modules.install(database.name, ["shop_test"])
    with database.env() as env:
        partner = env.ref("base.main_partner")
        partner.shop_code = "cheese"
        partner.with_context(lang="de_DE").shop_code = "Käse"
    rewrite(shop)
    modules.update(database.name, ["shop_test"])
    with database.env() as env:
        assert env.ref("base.main_partner").shop_code == "cheese"
        env.cr.execute("SELECT shop_code_moved0 ->> 'de_DE' FROM res_partner WHERE id = 1")
        assert env.cr.fetchone() == ("Käse",)


def test_constraints_and_indexes_follow_the_code(database, shop):
    """
    An update makes, replaces and drops the constraints and indexes that the code declares.
    """

    def present():
        statement = """
            SELECT pg_get_constraintdef(oid) FROM pg_constraint
            WHERE conrelid = 'test_thing'::regclass AND contype IN ('u', 'c')
            UNION ALL SELECT indexname FROM pg_indexes
            WHERE tablename = 'test_thing' AND indexname LIKE '%%_index' ORDER BY 1
        """
        return [text for (text,) in query(database, statement)]

    parts = {"translated": False, "was_translated": False, "digits": (6, 2), "code": "Char()",
             "number": "Integer()"}  # fmt: skip
    unique = [("one", "unique(code)", "Twice"), ("two", "check(number < 5)", "Big")]
    evolve(shop, "1", constraints=unique, indexed=True, **parts)
    modules.install(database.name, ["evolving"])
    assert present() == ["CHECK ((number < 5))", "UNIQUE (code)", "test_thing_label_index"]
    evolve(shop, "2", constraints=[("two", "check(number < 9)", "Big")], indexed=False, **parts)
    modules.update(database.name, ["evolving"])
    assert present() == ["CHECK ((number < 9))"]


WRONG = """
    from connector.core import fields, models

    class Wrong(models.Model):
        _name = "{model}"
        {body}
"""


@pytest.mark.parametrize(
    ("model", "body", "error", "message"),
    [
        ("res.partner", "a = fields.Char()", ModelDefinitionError,
         "'res.partner' of 'wrong' is declared by 'base' already. Extend it"),
        ("wrong.model", "write = fields.Char()", ModelDefinitionError,
         "'write' cannot name a field of 'wrong.model'"),
        ("wrong.model", f"{'a' * 64} = fields.Char()", ModelDefinitionError, "names off at 63"),
        (f"wrong.{'m' * 60}", "a = fields.Char()", ModelDefinitionError, "a shorter _table"),
        ("wrong.model", "a = fields.Char(compute='c', depends=['b.c'])\n        def c(self): pass",
         UnknownFieldError, "wrong.model.a depends on 'b.c', but 'wrong.model' has no field 'b'"),
    ],
)  # fmt: skip
def test_wrong_declarations(database, addon_folder, model, body, error, message):
    """
    A model that cannot be is told at the installation, and leaves the database as it was.
    """
    code = WRONG.format(model=model, body=body)
    addon_folder.write("wrong", {}, {"__init__.py": code})
    with pytest.raises(error, match=message):
        modules.install(database.name, ["wrong"])
    assert state_of(database, "wrong") == "uninstalled"
    with Registry(database.name).cursor() as cr:
        assert Environment(cr, 1, {})["res.partner"].create({"name": "still there"}).name


def test_circle_among_installed_addons(database, addon_folder, caplog):
    """
    Installed addons that came to need each other are named; the others go on being updated.
    """
    addon_folder.write("first", {})
    addon_folder.write("second", {"depends": ["first"]})
    modules.install(database.name, ["second"])
    addon_folder.write("first", {"depends": ["second"]})
    addon_folder.forget("first")
    with pytest.raises(DependencyCycleError, match="second -> first -> second"):
        modules.update(database.name, ["second"])
    modules.update(database.name, ["all"])
    reasons = [record.reason for record in caplog.records if hasattr(record, "reason")]
    assert any("first -> second -> first" in str(reason) for reason in reasons)
    assert (state_of(database, "first"), state_of(database, "second")) == ("installed",) * 2


def test_failing_code_of_an_addon_is_named(database, shop):
    """
    What a hook or a migration script raises says in a note whose it is.
    """
    hook = "def hook(cr):\n    raise KeyError('x')\n"
    rewrite(shop, {**MANIFEST, "pre_init_hook": "hook"}, **{"__init__.py": hook})
    with pytest.raises(KeyError) as raised:
        modules.install(database.name, ["shop_test"])
    assert raised.value.__notes__ == ["Raised by the hook 'hook' of the addon 'shop_test'."]
    rewrite(shop)
    modules.install(database.name, ["shop_test"])
    rewrite(shop, {**MANIFEST, "version": "2.0"}, **{"migrations/2.0/pre-x.py": "import nothing_"})
    with pytest.raises(ModuleNotFoundError) as raised:
        modules.update(database.name, ["shop_test"])
    assert "2.0/pre-x.py of the addon 'shop_test'" in raised.value.__notes__[0]
    assert state_of(database, "shop_test") == "installed"
