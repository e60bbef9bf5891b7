"""An upgrade, run as a program."""

import re
import subprocess
import sys

import pytest

PROGRAM = """
import sys
from connector.runtime.upgrade import upgrade
script, function, directory, *sys.argv[1:] = sys.argv[1:]
upgrade(script, function, None, directory)
"""
WRITE = "    session.env['ir.config_parameter'].set_param('runtime.done', 'yes')\n"


@pytest.fixture
def upgrade(tmp_path):
    """Runs an upgrade whose function has this body; gives what became of the process."""

    def run(body, *options, version="1.5", function="run"):
        (tmp_path / "upgrade.py").write_text(f"def run(session, log):\n{WRITE}    {body}\n")
        if version is not None:
            (tmp_path / "VERSION.txt").write_text(version)
        script = str(tmp_path / "upgrade.py")
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, script, function, str(tmp_path), *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )

    return run


@pytest.fixture
def log(tmp_path):
    """Reads the log file of the upgrade."""
    return (tmp_path / "upgrade.log").read_text


def state(database):
    """The version of the database, and whether the script's own write was kept."""
    with database.env() as env:
        get = env["ir.config_parameter"].get_param
        return get("buildout.db_version"), get("runtime.done")


@pytest.mark.parametrize("body", ["return None", "return 0", "return False"])
def test_success_commits_and_sets_the_version(upgrade, database, log, body):
    """None, 0 and False are success: the version is set, and the script's writes are kept."""
    done = upgrade(body, "-d", database.name)

    assert done.returncode == 0, done.stderr
    assert state(database) == ("1.5", "yes")
    assert re.search(r"INFO  Upgrade successful\. Total time: \d+ seconds\.", done.stderr)
    assert "Upgrade successful" in log()


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ("return 3", 3, ""),
        ("return True", 1, ""),
        ("return 'too old'", 1, "too old"),
        ("raise LookupError('no such thing')", 1, "LookupError: no such thing"),
    ],
)
def test_failure_changes_nothing(upgrade, database, log, body, status, told):
    """Any other result or an error is the program's status; nothing is committed."""
    done = upgrade(body, "-d", database.name)

    assert done.returncode == status
    assert state(database) == (False, False)
    assert told in done.stderr
    assert "successful" not in done.stderr
    if body.startswith("raise"):
        assert done.stderr.count("Traceback") == log().count("Traceback") == 1
    else:
        assert f"Please check logs at {log.__self__}" in done.stderr
        assert "Please check logs at" in log()


def test_start_tells_where_the_log_is(upgrade, database, log):
    """The first line tells the two places of the log and their levels."""
    done = upgrade("log.debug('small')", "-d", database.name, "--log-level", "DEBUG")

    assert done.stdout == (
        f"Starting upgrade, logging details to {log.__self__} at level DEBUG, "
        "and major steps to console at level INFO\n\n"
    )
    assert "DEBUG  small" in log()
    assert "small" not in done.stderr


def test_quiet_and_console_level(upgrade, database, log):
    """A quiet upgrade says nothing at its start; the console shows what its level lets through."""
    done = upgrade("log.warning('loud')", "-d", database.name, "-q", "--console-log-level", "error")

    assert (done.stdout, done.stderr) == ("", "")
    assert "WARNING  loud" in log()
    assert "Upgrade successful" in log()


def test_what_the_core_logs_goes_to_the_file_alone(upgrade, database, log):
    """The log of all parts is in the file, and the console shows the steps of the upgrade."""
    done = upgrade("session.update_modules(['base'])", "-d", database.name)

    assert done.returncode == 0
    assert "Addon ready addon='base'" in log()
    assert "Addon ready" not in done.stderr


def test_log_file_is_chosen_and_appended_to(upgrade, database, tmp_path, monkeypatch):
    """The log goes to the file that is named, `~` is the home, and earlier lines stay."""
    monkeypatch.setenv("HOME", str(tmp_path))
    chosen = tmp_path / "mine.log"
    chosen.write_text("before\n")

    assert upgrade("pass", "-d", database.name, "--log-file", "~/mine.log").returncode == 0

    assert chosen.read_text().startswith("before\n")
    assert "Upgrade successful" in chosen.read_text()


def test_unwritable_log_file_stops_before_anything(upgrade, name, tmp_path):
    """Where the log cannot be written nothing is loaded, and the status is 255."""
    wrong = tmp_path / "missing" / "upgrade.log"

    done = upgrade("pass", "-d", name, "--log-file", str(wrong))

    assert done.returncode == 255
    assert done.stderr == f"Cannot open '{wrong}' for write\n"
    assert done.stdout == ""


@pytest.mark.parametrize("options", [("--log-level", "loud"), ("--bogus",)])
def test_wrong_option_is_a_wrong_usage(upgrade, options):
    """A level or option that is not known is told, with status 2."""
    done = upgrade("pass", *options)

    assert done.returncode == 2
    assert options[-1] in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("options", "demo"), [((), False), (("--init-load-demo-data",), True)])
def test_initialization_of_an_empty_database(upgrade, empty, options, demo):
    """An empty database is initialized, with demonstration data as asked; no version is missed."""
    done = upgrade("assert session.is_initialization", "-d", empty, *options)

    assert done.returncode == 0, done.stderr
    assert "Initialization successful. Total time" in done.stderr
    assert "WARNING" not in done.stderr
    again = upgrade(
        "module = session.env['ir.module.module'].search([('name', '=', 'base')]);"
        f" assert module.demo is {demo} and session.db_version == '1.5'",
        "-d",
        empty,
    )
    assert again.returncode == 0, again.stderr


def test_versions_that_are_missing_are_told(upgrade, database):
    """Without versions the upgrade warns, and the database's version is not set."""
    done = upgrade("return 0", "-d", database.name, version=None)

    assert done.returncode == 0
    assert "version won't be set" in done.stderr
    assert "has no version" in done.stderr
    assert state(database) == (False, "yes")


def test_script_without_the_function_is_told(upgrade, database):
    """A function that the script does not have is an error that names both."""
    done = upgrade("pass", "-d", database.name, function="walk")

    assert done.returncode == 1
    assert "upgrade.py has no function 'walk'" in done.stderr


def test_missing_database_is_created_when_asked_for(upgrade, name):
    """On a configured server the database is created if the option says so."""
    assert upgrade("pass", "-d", name).returncode == 1

    assert upgrade("pass", "-d", name, "--create").returncode == 0


def test_copy_is_told_on_the_console(upgrade, database):
    """An upgrade of a copy says first that it is asleep."""
    with database.cursor() as cr:
        cr.execute("UPDATE base_database SET oid = 1")

    done = upgrade("pass", "-d", database.name)

    assert "asleep" in done.stderr.splitlines()[0]
