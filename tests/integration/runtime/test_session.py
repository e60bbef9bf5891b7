"""A session on real databases."""

import logging
import threading
from urllib.parse import urlsplit

import pytest

from connector import config
from connector.core import sql
from connector.core.environment import Environment
from connector.core.exceptions import (
    CursorError,
    DatabaseMissingError,
    UnknownModelError,
    UnknownModuleError,
)
from connector.core.modules import identity
from connector.runtime.session import OpenERPVersion, Session


def parameter(session, key):
    return session.env["ir.config_parameter"].get_param(key)


def demo_of_base(session):
    return session.env["ir.module.module"].search([("name", "=", "base")]).demo


# -- open and close ---------------------------------------------------------------------------


def test_before_open(session):
    """Before a database is open there is neither user nor environment, and closing does nothing."""
    session.close()

    assert session.cr is None
    assert session.is_cursor_closed()
    assert not session.ready()
    for attribute in ("uid", "env", "context"):
        with pytest.raises(AttributeError, match=r"open\(\)"):
            getattr(session, attribute)


def test_open_gives_cursor_user_and_environment(session, database):
    """An open session works as the superuser in the user's context."""
    session.open(database.name)

    assert session.cr.dbname == database.name
    assert session.uid == 1
    assert session.env.user.login == "admin"
    assert session.env.args == (session.cr, 1, session.context)
    assert session.context == session.env["res.users"].context_get()
    assert session.cr.isolation_level == sql.REPEATABLE_READ
    assert session.ready()
    assert not session.is_initialization


@pytest.mark.parametrize("with_demo", [True, False])
def test_empty_database_gets_base(session, empty, with_demo):
    """An empty database gets the addon base, with demonstration data as asked."""
    session.open(empty, with_demo=with_demo)

    assert session.is_initialization
    assert demo_of_base(session) is with_demo

    session.open(empty)
    assert not session.is_initialization


@pytest.mark.parametrize(("without_demo", "demo"), [("false", True), ("true", False)])
def test_no_word_on_demo_follows_the_configuration(
    empty, tmp_path, monkeypatch, without_demo, demo
):
    """With demo data left open, the configuration decides."""
    monkeypatch.setenv("CONNECTOR_WITHOUT_DEMO", without_demo)

    with Session(None, tmp_path) as session:
        session.open(empty, with_demo=None)

        assert session.with_demo is demo
        assert demo_of_base(session) is demo


def test_default_database_is_the_configured_one(database, tmp_path, monkeypatch):
    """Without a name the configured database is opened."""
    monkeypatch.setenv("CONNECTOR_DB_NAME", database.name)

    with Session(None, tmp_path) as session:
        session.open()

        assert session.cr.dbname == database.name


def test_default_database_of_a_file(database, servers, tmp_path, monkeypatch):
    """The file of a session names the default database, where the server's URL names none."""
    url = urlsplit(servers.database_url)
    monkeypatch.setenv("DATABASE_URL", f"postgresql://{url.netloc}/?{url.query}")
    conffile = tmp_path / "connector.conf"
    conffile.write_text(f"[options]\ndb_name = {database.name}\n")

    with Session(conffile, tmp_path) as session, Session(None, tmp_path):
        session.open()

        assert session.cr.dbname == database.name
        assert session.openerp_config_file == conffile


def test_configuration_in_use_may_stay(database, tmp_path):
    """A session told not to parse works under the configuration that the process has."""
    config.use(config.Config.load({"db_name": database.name}))

    with Session(tmp_path / "not-read.conf", tmp_path, parse_config=False) as session:
        session.open()

        assert session.cr.dbname == database.name


def test_missing_database_of_a_configured_server_is_not_created(session, name):
    """On a configured server a missing database is an error that says what to do."""
    with pytest.raises(DatabaseMissingError, match=f"--create or: connector db init {name}"):
        session.open(name)

    assert not sql.database_exists(name)
    assert not session.ready()


def test_missing_database_is_created_when_asked_for(name, tmp_path):
    """A session that may create makes the database."""
    with Session(None, tmp_path, create=True) as session:
        session.open(name)

        assert session.is_initialization
        assert session.cr.dbname == name


def test_missing_database_of_the_embedded_server_is_created(name, tmp_path, monkeypatch):
    """Where no server is configured, the embedded one serves, and the database is made."""
    monkeypatch.delenv("DATABASE_URL")

    with Session(None, tmp_path) as session:
        session.open(name)

        assert session.is_initialization


def test_close_forgets_the_database(session, database):
    """Closing commits nothing, may be repeated, and leaves a session that can open again."""
    session.open(database.name)
    session.env["ir.config_parameter"].set_param("runtime.test", "lost")

    session.close()
    session.close()

    assert session.is_cursor_closed()
    assert session.ready()
    with pytest.raises(CursorError):
        session.env["res.users"].search([])
    with pytest.raises(ValueError, match="update_modules needs either"):
        session.update_modules(["base"])
    session.open(database.name)
    assert parameter(session, "runtime.test") is False


def test_open_closes_what_was_open(session, database):
    """Opening again gives the cursor of before back."""
    session.open(database.name)
    before = session.cr

    session.open(database.name)

    assert before.closed
    assert not session.cr.closed


def test_context_manager_closes(database, tmp_path):
    """A session is a context that closes it; what is committed stays, the rest does not."""
    with Session(None, tmp_path) as session:
        session.open(database.name)
        session.env["ir.config_parameter"].set_param("runtime.kept", "1")
        session.cr.commit()
        session.env["ir.config_parameter"].set_param("runtime.lost", "1")

    assert session.cr.closed
    with database.env() as env:
        assert env["ir.config_parameter"].get_param("runtime.kept") == "1"
        assert env["ir.config_parameter"].get_param("runtime.lost") is False


def test_copy_is_told_to_be_asleep(session, database, caplog):
    """Opening a copy says that it is asleep, and what wakes it."""
    with database.cursor() as cr:
        cr.execute("UPDATE base_database SET oid = 1")

    session.open(database.name)

    assert f"`connector adopt {database.name}`" in caplog.text
    with database.cursor() as cr:
        identity.adopt(cr)


def test_rollback_undoes_and_begins_afresh(session, database):
    """A rollback undoes what is not committed, and gives a fresh environment."""
    session.open(database.name)
    before = session.env
    session.env["ir.config_parameter"].set_param("runtime.test", "lost")

    session.rollback()

    assert session.env is not before
    assert session.env in Environment.envs
    assert parameter(session, "runtime.test") is False


def test_rollback_begins_afresh_inside_a_context_of_the_caller(session, database):
    """Where the caller has entered a context already, a rollback gives a fresh one too."""
    with Environment.manage():
        session.open(database.name)
        before = session.env

        session.rollback()

        assert session.env is not before


def test_new_cursor(session, database):
    """A new cursor takes the place of the one before, and cleaning gives an environment on it."""
    session.open(database.name)
    before = session.cr

    session.init_cursor()
    session.clean_environments()

    assert before.closed
    assert session.env.cr is session.cr
    assert session.env["res.users"].search_count([]) == 1


def test_environments_of_a_thread_are_entered_and_left(database, tmp_path):
    """While a session is open its thread manages environments; closing or cleaning leaves that."""
    seen = []

    def work():
        with Session(None, tmp_path) as session:
            session.clean_environments()
            session.open(database.name)
            first = Environment.envs
            session.init_environments()
            seen.append(Environment.envs is first)
            session.clean_environments()
            seen.append(Environment.envs is not first)
            session.clean_environments(reinit=False)
            session.clean_environments()
            seen.append(session.env not in Environment.envs)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert seen == [True, True, True]


# -- records ----------------------------------------------------------------------------------


def test_registry_gives_an_empty_recordset(session, database):
    """A model comes as an empty recordset in the session's environment."""
    session.open(database.name)

    users = session.registry("res.users")

    assert (users._name, len(users), users.env) == ("res.users", 0, session.env)
    assert users.browse(session.uid).login == "admin"


@pytest.mark.parametrize(
    ("written", "model"),
    [("res_users", "res.users"), ("ir_config_parameter", "ir.config_parameter")],
)
def test_underscores_stand_for_dots_where_one_model_fits(session, database, written, model):
    """A name with underscores is accepted where one model fits."""
    session.open(database.name)

    assert session.registry(written)._name == model


def test_unknown_and_ambiguous_models_are_named(session, database):
    """A model that is not there, or one of several, is an error that names it."""
    session.open(database.name)

    with pytest.raises(UnknownModelError, match=r"no\.such\.model"):
        session.registry("no.such.model")
    models = session.env.registry.models
    models["a.b_c"] = models["a_b.c"] = models["res.users"]
    try:
        with pytest.raises(UnknownModelError, match=r"a\.b_c, a_b\.c"):
            session.registry("a_b_c")
    finally:
        del models["a.b_c"], models["a_b.c"]


def test_external_ids(session, database):
    """An external id gives the id or the record; one without a dot is refused."""
    session.open(database.name)

    assert session.ref("base.user_root") == 1
    assert session.browse_ref("base.user_root") == session.env.user
    for wrong in ("user_root", "base.nobody"):
        with pytest.raises(ValueError, match=wrong):
            session.ref(wrong)


# -- versions ---------------------------------------------------------------------------------


def test_database_version_is_kept_by_the_callers_commit(session, database):
    """The version is None at first, is set within the transaction, and lives on its commit."""
    session.open(database.name)
    assert session.db_version is None

    session.db_version = OpenERPVersion("1.2")
    assert session.db_version == (1, 2)
    session.cr.rollback()
    assert session.db_version is None

    session.db_version = "1.3"
    session.cr.commit()
    session.rollback()
    assert parameter(session, "buildout.db_version") == "1.3"
    assert session.db_version == "1.3"

    session.db_version = None
    assert session.db_version is None
    assert parameter(session, "buildout.db_version") is False


def test_database_version_is_read_once(session, database):
    """A version that was read is remembered, a missing one is asked for again."""
    session.open(database.name)
    session.db_version = "1.0"
    session.cr.commit()
    session.open(database.name)
    assert session.db_version == "1.0"

    before = session.cr.statement_count
    assert session.db_version == "1.0"
    assert session.cr.statement_count == before


def test_database_version_is_never_that_of_another_database(session, database, empty):
    """A version remembered of one database is not given for another."""
    session.open(database.name)
    session.db_version = "1.0"
    session.cr.commit()
    assert session.db_version == "1.0"

    session.close()
    session.open(empty)
    assert session.db_version is None


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("# ours\n\n  1.2.3  # next\n9\n", "1.2.3"),
        ("# nothing\n\n", None),
        (None, None),
        (b"\xff\xfe", None),
    ],
)
def test_package_version(session, tmp_path, caplog, text, version):
    """The version of the code is the first line of the file that says something."""
    caplog.set_level(logging.INFO)
    if text is not None:
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "VERSION.txt").write_bytes(content)

    assert session.version_file_path == str(tmp_path / "VERSION.txt")
    assert session.package_version == version
    assert ("No package version" in caplog.text) == (not isinstance(text, str))


def test_version_of_a_text(session):
    """A session makes versions of texts for scripts."""
    assert session.parse_version_string("8.0") == OpenERPVersion("8.0")


# -- addons -----------------------------------------------------------------------------------


def test_changing_addons_needs_a_database(session):
    """Without an open or named database nothing can be installed or updated."""
    for method in ("install_modules", "update_modules"):
        with pytest.raises(ValueError, match=f"{method} needs either the session to be opened"):
            getattr(session, method)(["base"])


def test_text_in_the_place_of_a_list_is_refused(session, database):
    """One text is not taken for a list of letters."""
    session.open(database.name)

    with pytest.raises(TypeError, match=r"\['all'\]"):
        session.update_modules("all")


def test_list_of_addons_is_renewed_in_the_transaction(sample, session, database):
    """New addons appear in the list, and the caller commits that."""
    session.open(database.name)
    modules = session.registry("ir.module.module")

    session.update_modules_list()
    assert modules.search([("name", "=", "runtime_sample")]).state == "uninstalled"

    session.rollback()
    assert not session.registry("ir.module.module").search([("name", "=", "runtime_sample")])


@pytest.mark.parametrize("with_demo", [True, False])
def test_install_loads_demo_as_open_decided(sample, session, empty, with_demo):
    """An addon is installed with demonstration data if the session was opened so."""
    session.open(empty, with_demo=with_demo)

    session.install_modules(["runtime_sample"])

    assert parameter(session, "runtime.data") == "first"
    assert parameter(session, "runtime.demo") == ("demo" if with_demo else False)
    assert session.env.cr is session.cr


@pytest.mark.parametrize(("renew", "kept"), [(True, "1"), (False, False)])
def test_install_commits_if_the_list_is_renewed(sample, session, database, renew, kept):
    """What waits is committed with the renewed list, and lost without."""
    session.open(database.name)
    session.env["ir.config_parameter"].set_param("runtime.waiting", "1")

    session.install_modules(["runtime_sample"], update_modules_list=renew)

    assert parameter(session, "runtime.waiting") == kept
    assert parameter(session, "runtime.data") == "first"


@pytest.mark.parametrize("renew", [True, False])
def test_install_into_a_named_database(sample, session, empty, renew):
    """A fresh session opens the database that is named, with demonstration data as told."""
    session.install_modules(
        ["runtime_sample"], db=empty, update_modules_list=renew, open_with_demo=True
    )

    assert session.cr.dbname == empty
    assert parameter(session, "runtime.demo") == "demo"


def test_failed_install_closes_the_session(session, database):
    """An install that fails changes nothing and closes the session, which may open again."""
    session.open(database.name)

    with pytest.raises(UnknownModuleError, match="not_there"):
        session.install_modules(["not_there"])

    assert session.is_cursor_closed()
    session.open(database.name)
    assert session.env.user.login == "admin"


def test_update_really_updates(sample, session, database):
    """An update loads the data of the addon as it is now, and its version."""
    session.open(database.name)
    session.install_modules(["runtime_sample"])
    sample("second", "1.1")
    session.env["ir.config_parameter"].set_param("runtime.waiting", "1")

    session.update_modules(["runtime_sample", "not_there"])

    assert parameter(session, "runtime.data") == "second"
    addon = session.registry("ir.module.module").search([("name", "=", "runtime_sample")])
    assert (addon.state, addon.latest_version) == ("installed", "1.1")
    assert parameter(session, "runtime.waiting") is False


def test_update_of_all(sample, session, database):
    """`all` updates every installed addon, in a database that the call may name."""
    session.install_modules(["runtime_sample"], db=database.name)
    session.close()
    sample("second")

    session.update_modules(["all"], db=database.name)

    assert parameter(session, "runtime.data") == "second"


def test_update_of_nothing_installed(session, database):
    """Where none of the addons is installed nothing is updated, and the session goes on."""
    session.open(database.name)

    session.update_modules(["not_there"])

    assert session.env.user.login == "admin"
