"""The fixtures that authors of connectors test with."""

import subprocess
import sys

import pytest

from connector.core import fields, models, sql
from connector.core.exceptions import CursorError
from connector.testing import templates

pytestmark = pytest.mark.addons("base")


def test_env_is_rolled_back_first(env):
    """What one test with `env` does, commits included, no other test sees: this one ..."""
    assert not env["res.partner"].search([("name", "=", "Left behind")])
    env["res.partner"].create({"name": "Left behind"})
    env.cr.commit()


def test_env_is_rolled_back_second(env):
    """... and that one run in the same database, whichever comes first."""
    test_env_is_rolled_back_first(env)


def test_commit_keeps_what_was_before_it(env):
    """In `env`, a commit flushes and a rollback goes back to it."""
    kept = env["res.partner"].create({"name": "Kept"})
    env.cr.commit()
    env["res.partner"].create({"name": "Undone"})

    env.cr.rollback()

    found = env["res.partner"].search([("name", "in", ["Kept", "Undone"])])
    assert found == kept


def test_second_cursor_is_refused_with_advice(env):
    """In `env`, a second cursor raises: it would not see the first one's work."""
    with pytest.raises(CursorError, match="fixture `database`"):
        env.registry.cursor()


def test_database_has_real_commits_and_many_connections(database):
    """In `database`, a second connection sees what the first one commits, and only that."""
    with database.env() as env, database.cursor(sql.READ_COMMITTED) as other:
        count = "SELECT count(*) FROM res_partner WHERE name = 'Seen'"
        env["res.partner"].create({"name": "Seen"})
        env["res.partner"].search([("name", "=", "Seen")])
        other.execute(count)
        assert other.fetchone() == (0,)

        env.cr.commit()

        other.execute(count)
        assert other.fetchone() == (1,)


def test_copy_is_awake(database):
    """A test's database is a copy, yet its jobs run."""
    assert not database.registry.asleep()


#: Databases of the tests before.
_ended: list[str] = []


@pytest.mark.parametrize("turn", ["first", "second"])
def test_databases_end_with_their_test(database, turn):
    """The database of a test before this one is gone; its template is there."""
    with sql.current_server().maintenance() as cr:
        cr.execute("SELECT datname FROM pg_database WHERE starts_with(datname, 'test_')")
        names = {name for (name,) in cr.fetchall()}

    assert database.name in names
    assert any(name.startswith("test_template_") for name in names)
    assert not names.intersection(_ended)
    _ended.append(database.name)


def test_declared_model_is_loaded_by_update(database, declared_in):
    """A model declared in a test gets its table when the addon under test is updated."""
    with declared_in():

        class Planet(models.Model):
            _name = "test.planet"

            name = fields.Char(required=True)

    database.update()  # of the addon under test

    with database.env() as env:
        assert env["test.planet"].create({"name": "Mars"}).name == "Mars"


def test_declared_model_is_forgotten_after_its_test(database):
    """A model that another test declared is unknown here."""
    database.update("base")

    assert "test.planet" not in database.registry


def test_copies_of_a_killed_run_are_dropped(database):
    """A copy whose process is gone is dropped; those of living ones stay."""
    family = database.name.rsplit("_", 2)[0]
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    orphan = f"{family}_{process.pid}_1"
    sql.create_database(orphan)

    templates.drop_orphans()

    assert not sql.database_exists(orphan)
    assert sql.database_exists(database.name)
