"""`connector db`: databases made, filled, updated and dropped."""

import os

import pytest

from connector.core import modules, sql


@pytest.fixture
def name(servers):
    chosen = f"test_cli_{os.getpid()}"
    yield chosen
    sql.drop_database(chosen)


def test_life_of_a_database(connector, name):
    """A database is created, gets addons, is updated, and goes."""
    made = connector("db", "init", name, "--addons", "connector")
    assert (made.returncode, made.stdout) == (0, f"{name} is ready: base, connector.\n")
    assert modules.installed(name) == ["base", "connector"]

    again = connector("db", "init", name)
    assert again.returncode == 0

    assert connector("db", "update", name, "connector").returncode == 0
    sql.close_all(name)
    assert connector("db", "drop", name, "--yes").returncode == 0
    assert not sql.database_exists(name)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["db", "install", "{name}", "connector"], "no database '{name}'"),
        (["db", "init", "{name}", "--addons", "nothing"], "no addon 'nothing'"),
    ],
)
def test_what_is_missing_is_named(connector, name, arguments, told):
    """A database or an addon that is not there is one message, without a traceback."""
    done = connector(*(word.format(name=name) for word in arguments))

    assert done.returncode == 1
    assert told.format(name=name) in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_server_that_does_not_answer_is_named_without_its_password(connector, name):
    """The message says which server was asked and what to do; it hides the password."""
    url = "postgresql://alice:s3cret@127.0.0.1:1/shop"

    done = connector("db", "init", name, DATABASE_URL=url)

    assert done.returncode == 1
    assert "127.0.0.1, port 1" in done.stderr
    assert "DATABASE_URL" in done.stderr
    assert "s3cret" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
