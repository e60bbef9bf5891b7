"""Registries of real databases: built, kept, told of changes."""

import subprocess
import sys
import textwrap
import threading
import time

import pytest

from connector.core import addon, modules, registries, sql
from connector.core.environment import Environment
from connector.core.exceptions import UnknownModelError, UserError, ValidationError
from connector.core.modules import signaling
from connector.core.registry import Registry
from connector.core.sql import schema
from connector.session import ConnectorSessionHandler

pytestmark = pytest.mark.addons("base")

GADGET = """
    from connector.core import fields, models

    class Gadget(models.Model):
        _name = "test.gadget"
        name = fields.Char()
"""


@pytest.fixture
def gadget(addon_folder):
    addon_folder.write("gadget", {"depends": ["base"]}, {"__init__.py": GADGET})
    return addon_folder


def in_another_process(statements, folder=()):
    """Run statements in a new process that knows the same server; returns what it prints."""
    parameters = sql.current_server()._parameters
    dsn = " ".join(f"{name}='{value}'" for name, value in parameters.items())
    program = (
        "from connector.core import addon, modules, sql\n"
        "from connector.core.registry import Registry\n"
        f"sql.use_server({dsn!r})\n"
        f"addon.use_addons_path({[str(path) for path in folder]!r})\n" + textwrap.dedent(statements)
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_one_registry_per_database(database):
    """
    A database has one registry in a process, found by name.
    """
    registry = Registry(database.name)
    assert Registry(database.name) is registry
    assert Registry.registries[database.name] is registry
    assert registry.ready
    assert registry.loaded
    Registry.delete(database.name)
    assert Registry(database.name) is not registry


def test_mapping(database):
    """
    A registry maps names of models to classes, and names a model that it does not have.
    """
    registry = database.registry
    assert registry["res.partner"]._name == "res.partner"
    assert registry("res.partner") is registry["res.partner"]
    assert "res.partner" in registry
    assert len(registry) == len(list(registry))
    with pytest.raises(UnknownModelError, match="no model 'no.model'"):
        registry["no.model"]
    with pytest.raises(KeyError):
        registry["no.model"]


def test_descendants(database):
    """
    Descendants follow the kinds of inheritance asked for, the start included.
    """
    registry = database.registry
    assert registry.descendants(["res.partner"], "_inherits") == ["res.partner", "res.users"]
    assert registry.descendants(["res.partner"], "_inherit") == ["res.partner"]


def test_registry_in_use_is_kept(database, monkeypatch):
    """
    The map goes over its size while a registry has an open cursor, and shrinks when it closes.
    """
    monkeypatch.setattr(Registry.registries, "size", 1)
    other = f"{database.name}_other"
    sql.create_database(other, template=database.name)
    try:
        cr = Registry(database.name).cursor()
        Registry(other)
        assert {database.name, other} <= set(Registry.registries)
        cr.close()
        assert database.name not in Registry.registries
        assert other in Registry.registries
    finally:
        Registry.delete(other)
        sql.drop_database(other)


def test_nothing_changed(database):
    """
    Without a signal the registry stays, at the price of two short statements.
    """
    registry = database.registry
    assert registry.check_signaling() is registry


def test_registry_signal(database):
    """
    A signal of another process has the registry built anew, once.
    """
    registry = database.registry
    in_another_process(f"Registry({database.name!r}).signal_registry_change()")
    successor = registry.check_signaling()
    assert successor is not registry
    assert successor.check_signaling() is successor
    assert Registry(database.name) is successor


def test_cache_signal(database):
    """
    A cache signal of another process empties the caches, and leaves the registry.
    """
    registry = database.registry
    registry.cache["key"] = "value"
    in_another_process(
        f"""
        registry = Registry({database.name!r})
        registry.clear_caches()
        registry.signal_changes()
        """
    )
    assert registry.check_signaling() is registry
    assert "key" not in registry.cache
    registry.cache["key"] = "value"
    assert registry.check_signaling() is registry
    assert registry.cache["key"] == "value"


def test_own_signal_is_not_followed(database):
    """
    The process that signals does not reload for its own signal, but does for one in between.
    """
    registry = database.registry
    registry.signal_registry_change()
    assert registry.check_signaling() is registry
    in_another_process(f"Registry({database.name!r}).signal_registry_change()")
    registry.signal_registry_change()
    assert registry.check_signaling() is not registry


def test_rights_changed_elsewhere(database):
    """
    A transaction that changes rights has the caches of all processes emptied after its commit.
    """
    registry = database.registry
    registry.cache["key"] = "value"
    in_another_process(
        f"""
        from connector.core.environment import Environment
        with Registry({database.name!r}).cursor() as cr:
            env = Environment(cr, 1, {{}})
            env["ir.model.access"].search([], limit=1).write({{"perm_unlink": True}})
        """
    )
    registry.check_signaling()
    assert "key" not in registry.cache


def test_rights_change_that_is_rolled_back(database):
    """
    A change of rights that was rolled back keeps no later one from being told.
    """
    registry = database.registry
    with database.env() as env:
        env["ir.model.access"].search([], limit=1).write({"perm_unlink": True})
        env.cr.rollback()
    number = registry.cache_sequence
    with database.env() as env:
        env["ir.model.access"].search([], limit=1).write({"perm_unlink": True})
        env["ir.model.access"].search([], limit=1).write({"perm_unlink": False})
    assert registry.cache_sequence == number + 1


def test_module_installed_elsewhere(database, gadget):
    """
    A module installed by one process is seen by another at its next look.
    """
    registry = database.registry
    in_another_process(f"modules.install({database.name!r}, ['gadget'])", folder=[gadget.path])
    assert "test.gadget" not in registry
    assert "test.gadget" in registry.check_signaling()


def test_installer_that_died_before_its_signal(database, gadget):
    """
    An installation that nobody was told of is told by the next process that finds it.
    """
    registry = database.registry
    in_another_process(
        f"""
        from connector.core.modules import signaling
        signaling.advance_registry = lambda cr: exit(0)
        modules.install({database.name!r}, ['gadget'])
        """,
        folder=[gadget.path],
    )
    assert registry.check_signaling() is registry
    in_another_process(f"Registry({database.name!r})", folder=[gadget.path])
    assert "test.gadget" in registry.check_signaling()


def program_installing_gadget(db_name, folder):
    parameters = sql.current_server()._parameters
    dsn = " ".join(f"{name}='{value}'" for name, value in parameters.items())
    return (
        "from connector.core import addon, modules, sql\n"
        f"sql.use_server({dsn!r})\n"
        f"addon.use_addons_path([{str(folder)!r}])\n"
        f"print('test.gadget' in modules.install({db_name!r}, ['gadget']))\n"
    )


def test_two_processes_install_at_once(database, gadget):
    """
    Processes that install the same addon at the same time take turns, and both succeed.
    """
    program = program_installing_gadget(database.name, gadget.path)
    running = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [process.communicate(timeout=60)[0].strip() for process in running] == ["True", "True"]


def test_installer_killed_in_the_midst(database, gadget):
    """
    An installer that is killed leaves no table, and keeps the next one waiting for seconds only.
    """
    slow = textwrap.dedent(GADGET) + textwrap.dedent(
        """
        def wait(cr, registry):
            print("waiting", flush=True)
            cr.execute("SELECT pg_sleep(60)")
        """
    )
    gadget.write("gadget", {"depends": ["base"], "post_init_hook": "wait"}, {"__init__.py": slow})
    killed = subprocess.Popen(
        [sys.executable, "-c", program_installing_gadget(database.name, gadget.path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert killed.stdout.readline() == "waiting\n"
    killed.kill()
    killed.communicate()
    with database.cursor() as cr:
        assert not schema.table_exists(cr, "test_gadget")
    gadget.write("gadget", {"depends": ["base"]}, {"__init__.py": GADGET})
    began = time.monotonic()
    assert "test.gadget" in modules.install(database.name, ["gadget"])
    assert time.monotonic() - began < 15


def test_two_processes_initialise_at_once(empty_database):
    """
    Processes that initialise one database at the same time leave one base.
    """
    parameters = sql.current_server()._parameters
    dsn = " ".join(f"{name}='{value}'" for name, value in parameters.items())
    program = (
        "from connector.core import modules, sql\n"
        f"sql.use_server({dsn!r})\n"
        f"print(len(modules.initialise({empty_database!r})) > 10)\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [process.communicate(timeout=60)[0].strip() for process in running] == ["True", "True"]
    assert modules.installed(empty_database) == ["base"]


def test_interrupted_installation_is_taken_up(database, gadget):
    """
    Marks that a killed process left behind are done by the next change, or by `reset`.
    """
    with database.cursor() as cr:
        cr.execute(
            "INSERT INTO ir_module_module (name, state) VALUES ('gadget', 'to install')"
            " ON CONFLICT (name) DO UPDATE SET state = 'to install'"
        )
    assert "test.gadget" not in Registry.new(database.name)
    modules.reset_modules_state(database.name)
    assert "test.gadget" not in Registry.new(database.name, update_module=True)
    with database.cursor() as cr:
        cr.execute("UPDATE ir_module_module SET state = 'to install' WHERE name = 'gadget'")
    assert "test.gadget" in Registry.new(database.name, update_module=True)


def test_manual_model(database):
    """
    A model and fields made through ir.model can be used at once, and by another process.
    """
    with database.env() as env:
        model = env["ir.model"].create({"name": "Thing", "model": "x_thing"})
        env["ir.model.fields"].create(
            [
                {"model_id": model.id, "name": "x_size", "ttype": "integer"},
                {"model": "res.partner", "name": "x_thing_id", "ttype": "many2one",
                 "relation": "x_thing"},
            ]
        )  # fmt: skip
        thing = env["x_thing"].create({"x_name": "One", "x_size": 7})
        partner = env["res.partner"].create({"name": "Owner", "x_thing_id": thing.id})
        assert partner.x_thing_id.x_size == 7
        partner_id = partner.id
    found = in_another_process(
        f"""
        from connector.core.environment import Environment
        with Registry({database.name!r}).cursor() as cr:
            print(Environment(cr, 1, {{}})["res.partner"].browse({partner_id}).x_thing_id.x_name)
        """
    )
    assert found == "One"


def test_manual_model_is_gone_after_a_rollback(database):
    """
    A custom model that was rolled back is in the registry no more.
    """
    with Environment.manage(), database.cursor() as cr:
        env = Environment(cr, 1, {})
        env["ir.model"].create({"name": "Thing", "model": "x_thing"})
        assert "x_thing" in env
        cr.rollback()
        with pytest.raises(ValidationError), cr.savepoint():
            env["ir.model"].create([{"name": name, "model": name} for name in ("x_thing", "no")])
        assert "x_thing" not in env
        assert env["res.partner"].search([])
    assert "x_thing" not in database.registry
    with database.cursor() as cr:
        assert not schema.table_exists(cr, "x_thing")


def test_manual_model_removed(database):
    """
    A custom model and a custom field can be removed, with table and column.
    """
    with database.env() as env:
        env["ir.model"].create({"name": "Thing", "model": "x_thing"})
        env["ir.model.fields"].create({"model": "res.partner", "name": "x_a", "ttype": "char"})
    with database.env() as env:
        env["ir.model"].search([("model", "=", "x_thing")]).unlink()
        env["ir.model.fields"].search([("name", "=", "x_a")]).unlink()
        assert "x_thing" not in env
        assert "x_a" not in env["res.partner"]._fields
        assert env["res.partner"].search([]).mapped("name")
    with database.cursor() as cr:
        assert not schema.table_exists(cr, "x_thing")
        assert "x_a" not in schema.table_columns(cr, "res_partner")


def test_manual_definitions_that_change(database):
    """
    A custom field keeps its values under another name; what would be another field is refused.
    """
    with database.env() as env:
        model = env["ir.model"].create({"name": "Pet", "model": "x_pet"})
        field = env["ir.model.fields"].create(
            {"model_id": model.id, "name": "x_age", "field_description": "Age", "ttype": "integer"}
        )
        pet = env["x_pet"].create({"x_age": 3})
        field.write({"name": "x_years", "ttype": "integer", "help": "Since birth"})
        assert env["x_pet"].browse(pet.id).x_years == 3
        assert env["x_pet"]._fields["x_years"].help == "Since birth"
        for record, values in (
            (field, {"ttype": "char"}),
            (field, {"model": "res.partner"}),
            (model, {"model": "x_dog"}),
            (env.ref("base.field_res_partner__name"), {"required": False}),
        ):
            with pytest.raises(UserError, match=r"cannot be changed|Change the code"):
                record.write(values)
        env.cr.rollback()


def custom_model(env, **given):
    """A custom model with the fields given as name -> values."""
    model = env["ir.model"].create({"model": "x_thing", "name": "Thing"})
    for name, values in given.items():
        env["ir.model.fields"].create({"model_id": model.id, "name": name, **values})
    return env["x_thing"]


def test_links_of_a_custom_field(database):
    """
    A custom many2many keeps its links under another name, and its table goes with its model.
    """
    with database.env() as env:
        tags = {"ttype": "many2many", "relation": "res.partner.category"}
        thing = custom_model(env, x_tags=tags).create({"x_tags": [(0, 0, {"name": "Tag"})]})
        env["ir.model.fields"].search([("name", "=", "x_tags")]).write({"name": "x_labels"})
        assert thing.x_labels.name == "Tag"
        thing.x_name = "records of before the change are still good"
        env["ir.model"].search([("model", "=", "x_thing")]).unlink()
        env.cr.execute(r"SELECT relname FROM pg_class WHERE relname LIKE 'x\_%'")
        assert env.cr.fetchall() == []


def test_custom_field_of_another_size(database):
    """
    A column may change its type after it was read: no statement is kept for the former one.
    """
    with database.env() as env:
        thing = custom_model(env, x_code={"ttype": "char", "size": 2}).create({"x_code": "ab"})
        env.invalidate_all()
        assert thing.x_code == "ab"
        env["ir.model.fields"].search([("name", "=", "x_code")]).write({"size": 4})
        thing.x_code = "abcdef"
        env.invalidate_all()
        assert thing.x_code == "abcd"


def test_custom_json(database):
    """
    Every type of a custom field that is offered can be made.
    """
    with database.env() as env:
        thing = custom_model(env, x_json={"ttype": "json"}).create({"x_json": {"a": [1]}})
        env.invalidate_all()
        assert thing.x_json == {"a": [1]}


@pytest.mark.parametrize("selection", ["5", "", "['a']", "[('a', 1)]"])
def test_wrong_selection_of_a_custom_field(database, selection):
    """
    A selection that is no list of pairs is refused, and leaves no field.
    """
    with database.env() as env:
        wrong = {"ttype": "selection", "selection": selection}
        with (
            pytest.raises(ValidationError, match=r"x_thing.x_kind cannot be .* It looks like \[\("),
            env.cr.savepoint(),
        ):
            custom_model(env, x_kind=wrong)
        assert "x_thing" not in env


def test_custom_field_whose_connection_is_lost(database):
    """
    A custom field whose transaction ends with its connection is in no registry.
    """
    with pytest.raises(sql.errors.OperationalError), database.env() as env:
        env["ir.model.fields"].create({"model": "res.partner", "name": "x_no", "ttype": "char"})
        with database.cursor() as other:
            other.execute("SELECT pg_terminate_backend(%s)", (env.cr.connection.info.backend_pid,))
        env.cr.execute("SELECT 1")
    assert "x_no" not in Registry(database.name)["res.partner"]._fields


def test_models_set_up_while_a_transaction_writes(database):
    """
    A transaction whose fields were made anew by another thread fails as a conflict: done again,
    it succeeds, and nothing is written by half.
    """

    def add_field():
        with database.env() as env:
            env["ir.model.fields"].create({"model": "res.partner", "name": "x_f", "ttype": "char"})

    def work(env):
        country = env["res.country"].create({"name": "Atlantis", "code": "XA"})
        if "x_f" not in env["res.partner"]._fields:
            thread = threading.Thread(target=add_field)
            thread.start()
            thread.join()
        return country.id

    assert database.registry.run(work)
    with database.env() as env:
        assert env["res.country"].search([("code", "=", "XA")]).name == "Atlantis"


def test_registry_built_anew_in_a_transaction(database):
    """
    A transaction keeps the models it began with; the next one has the new ones.
    """
    with database.env() as env:
        before = env.registry
        partner = env["res.partner"].create({"name": "Kept"})
        successor = Registry.new(database.name)
        assert env(context={"a": 1}).registry is before
        partner.ref = "kept too"
        env.cr.commit()
        assert env(context={"b": 1}).registry is successor
        assert env.registry is successor
        partner.ref = "a record of the models before"
        with pytest.raises(sql.errors.SerializationFailure, match="records of a new environment"):
            env.cr.commit()
        env.cr.rollback()
        assert env["res.partner"].browse(partner.id).ref == "kept too"


def test_transaction_waits_for_no_registry(database):
    """
    In the midst of a transaction a new environment does not wait for the registry that another
    thread builds, which may wait for the locks of this very transaction.
    """
    release, building = threading.Event(), threading.Event()

    def build():
        with Registry._lock:
            Registry.registries[database.name].ready = False
            building.set()
            release.wait(20)
            Registry.registries[database.name].ready = True

    with database.env() as env:
        env["res.partner"].search([], limit=1)
        thread = threading.Thread(target=build)
        thread.start()
        try:
            assert building.wait(5)
            began = time.monotonic()
            assert env(context={"a": 1}).registry is env.registry
            assert time.monotonic() - began < 10
        finally:
            release.set()
            thread.join()


def test_session_that_changes_nothing_tells_nobody(database):
    """
    The end of a session has other processes forget their caches only if something changed.
    """
    handler = ConnectorSessionHandler(database.name, 1)
    with database.cursor() as cr:
        numbers = signaling.read(cr)
        with handler.session() as session:
            session.env["res.partner"].search([])
        assert signaling.read(cr) == numbers
        with handler.session() as session:
            session.env.registry.clear_caches()
        assert signaling.read(cr) == (numbers[0], numbers[1] + 1)


def test_manual_names(database):
    """
    Custom names start with x_, and what belongs to an addon is not deleted as if it were custom.
    """
    with database.env() as env:
        with pytest.raises(ValidationError, match="starts with 'x_'"), env.cr.savepoint():
            env["ir.model"].create({"name": "Thing", "model": "thing"})
        with pytest.raises(UserError, match="belongs to an addon"), env.cr.savepoint():
            env["ir.model"].search([("model", "=", "res.partner")]).unlink()


def test_caches_of_a_failed_load(database, monkeypatch):
    """
    A registry that cannot be built is not kept, and the next question tries again.
    """
    Registry.delete(database.name)
    with monkeypatch.context() as patch:
        patch.setattr(signaling, "module_states", lambda cr: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            Registry(database.name)
    assert database.name not in Registry.registries
    assert Registry(database.name).ready


def test_size_of_the_map():
    """
    The map is as large as configured, else as the memory limit allows.
    """
    assert registries.size_for(None, None) == 136
    assert registries.size_for(5, None) == 5
    assert registries.size_for(None, 150 * 1024 * 1024) == 10


def test_reload_is_quick(database):
    """
    Building a registry again in a live process writes nothing.
    """
    with database.cursor() as cr:
        cr.execute("SELECT last_value FROM base_registry_signaling")
        before = cr.fetchone()
    Registry.new(database.name)
    with database.cursor() as cr:
        cr.execute("SELECT last_value FROM base_registry_signaling")
        assert cr.fetchone() == before


def test_addon_folder_is_importable(gadget):
    """
    An addon of a folder is one module object under all its names.
    """
    import importlib

    from connector.core.modules import imports

    imports.install_aliases()
    assert addon.addon_of("connector.addons.gadget.models") == "gadget"
    module = importlib.import_module("connector.addons.gadget")
    assert importlib.import_module("openerp.addons.gadget") is module
    assert importlib.import_module("odoo.addons.gadget") is module


def test_environment_finds_its_registry(database):
    """
    An environment on a bare cursor finds the registry of its database.
    """
    with sql.connect(database.name).cursor() as cr:
        env = Environment(cr, 1, {})
        assert env.registry is Registry(database.name)


def test_manual_fields_of_every_kind(database):
    """
    Custom fields link, choose and translate as declared ones do, and change while they are used.
    """
    partner = "res.partner"
    with database.env() as env:
        env["ir.model"].create({"model": "x_thing", "name": "Thing"})
        env["ir.model.fields"].create(
            [
                {"model": partner, "name": "x_kind", "ttype": "selection",
                 "selection": "[('a', 'A'), ('b', 'B')]"},
                {"model": partner, "name": "x_label", "ttype": "char", "translate": True},
                {"model": partner, "name": "x_tag_ids", "ttype": "many2many",
                 "relation": "res.partner.category"},
                {"model": partner, "name": "x_user", "ttype": "reference",
                 "selection": "[('res.users', 'User')]"},
                {"model": "x_thing", "name": "x_above", "ttype": "many2one",
                 "relation": "x_thing"},
            ]
        )  # fmt: skip
        env["ir.model.fields"].create(
            {"model": "x_thing", "name": "x_below", "ttype": "one2many",
             "relation": "x_thing", "relation_field": "x_above"}
        )  # fmt: skip
    with database.env() as env:
        record = env[partner].create(
            {"name": "p", "x_kind": "b", "x_tag_ids": [(0, 0, {"name": "t"})], "x_user": env.user}
        )
        env.invalidate_all()
        assert (record.x_tag_ids.name, record.x_user, record.category_id.ids) == ("t", env.user, [])
        record.x_label = "red"
        record.with_context(lang="fr_FR").x_label = "rouge"
        assert (record.x_label, record.with_context(lang="fr_FR").x_label) == ("red", "rouge")
        thing = env["x_thing"].create({"x_name": "one", "x_below": [(0, 0, {"x_name": "two"})]})
        assert thing.x_below.x_above == thing
        field = env["ir.model.fields"].search([("name", "=", "x_kind")])
        field.write({"selection": "[('c', 'C')]"})
        record = env[partner].browse(record.id)
        record.x_kind = "c"
        with pytest.raises(ValueError, match="x_kind"):
            record.x_kind = "b"
        env["ir.model.fields"].search([("name", "=", "x_tag_ids")]).unlink()
        assert "x_tag_ids" not in env[partner]._fields
