"""Every command says first that the database it works on is a copy and asleep."""

import pytest


@pytest.fixture
def copy(database):
    """A database that knows that it is a copy."""
    with database.cursor() as cr:
        cr.execute("UPDATE base_database SET oid = 1")
    return database.name


@pytest.mark.parametrize(
    "command",
    [
        ("jobs", "list", "-d", "{}"),
        ("jobs", "stats", "-d", "{}"),
        ("channels", "-d", "{}"),
        ("-d", "{}", "channels"),
        ("shell", "-d", "{}"),
        ("-d", "{}", "doctor"),
        ("jobs", "stats"),
        ("adopt", "{}"),
    ],
    ids=" ".join,
)
def test_a_copy_is_told_first(connector, copy, command):
    """Whichever way a command names its database, the first line on stderr is of the copy."""
    given = [word.format(copy) for word in command]
    named = {} if "{}" in command else {"CONNECTOR_DB_NAME": copy}

    done = connector(*given, **named)

    first = done.stderr.splitlines()[0]
    assert first.startswith(f"Database '{copy}' is a copy and asleep")
    assert f"connector adopt {copy}" in first
    assert done.stderr.count("asleep: no job, cron or export runs") == 1
