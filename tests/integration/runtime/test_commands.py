"""The commands `shell`, `run`, `upgrade` and `test`, as a user types them."""

import os
import pty
import subprocess
import sys

import pytest

LOOK = "print(session.db_version, session.env.user.login, session.env['res.users'].search([]).ids)"


@pytest.fixture
def connector(tmp_path):
    """Runs `connector …` in a directory of its own."""

    def run(*arguments, **options):
        return subprocess.run(
            [sys.executable, "-m", "connector.cli.main", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            **options,
        )

    return run


# -- shell ------------------------------------------------------------------------------------


def test_shell_runs_what_is_piped_in(connector, database):
    """A program on standard input finds the session; its exit code is the command's."""
    done = connector("shell", "-d", database.name, input=f"{LOOK}\nraise SystemExit(3)")

    assert (done.stdout, done.returncode) == ("None admin [1]\n", 3), done.stderr


def test_shell_keeps_what_is_committed(connector, database):
    """Nothing is kept without a commit."""
    write = "session.env['ir.config_parameter'].set_param('runtime.{0}', '{0}')\n"
    text = f"{write.format('kept')}session.cr.commit()\n{write.format('lost')}"

    assert connector("shell", "-d", database.name, input=text).returncode == 0

    with database.env() as env:
        get = env["ir.config_parameter"].get_param
        assert (get("runtime.kept"), get("runtime.lost")) == ("kept", False)


def test_shell_talks_on_a_terminal(database, tmp_path):
    """On a terminal it is an interpreter, which says what is there."""
    here, there = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "connector.cli.main", "shell", "-d", database.name],
        stdin=there,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=tmp_path,
        text=True,
    ) as process:
        os.close(there)
        os.write(here, b"print(6 * session.uid)\nexit()\n")
        output = process.stdout.read()
    os.close(here)

    assert process.returncode == 0
    assert f"session.cr are on database '{database.name}'" in output
    assert ">>> 6\n" in output


def test_shell_does_not_create_unless_told(connector, name):
    """On a configured server a missing database is an error, and made with --create."""
    refused = connector("shell", "-d", name, input="")
    assert refused.returncode == 1
    assert "--create" in refused.stderr
    assert refused.stderr.count("\n") == 1

    made = connector("shell", "-d", name, "--create", input="print(session.is_initialization)")
    assert made.stdout == "True\n"


def test_copy_is_told(connector, database):
    """The command says first that the database is a copy and asleep."""
    with database.cursor() as cr:
        cr.execute("UPDATE base_database SET oid = 1")

    done = connector("shell", "-d", database.name, input="")

    assert f"connector adopt {database.name}" in done.stderr


# -- run --------------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", [["--"], []])
def test_run_gives_the_script_its_arguments(connector, database, tmp_path, separator):
    """A script runs as a program, with the session and with what stands behind it."""
    (tmp_path / "look.py").write_text(f"import sys\nprint(sys.argv, __name__)\n{LOOK}")

    done = connector("run", "-d", database.name, "look.py", *separator, "a", "-b", "--", "c")

    assert done.stdout == "['look.py', 'a', '-b', '--', 'c'] __main__\nNone admin [1]\n"
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("end", "status", "told"),
    [
        ("sys.exit(4)", 4, ""),
        ("sys.exit('enough')", 1, "enough\n"),
        ("1 / 0", 1, "Unexpected error: ZeroDivisionError: division by zero\n"),
    ],
)
def test_status_of_a_script_is_that_of_the_command(
    connector, database, tmp_path, end, status, told
):
    """The script's exit code is the command's; what it says at its end is told."""
    (tmp_path / "end.py").write_text(f"import sys\n{end}")

    done = connector("run", "-d", database.name, "end.py")

    assert done.returncode == status
    assert done.stderr.startswith(told)


def test_run_calls_an_entry_point(connector, database, tmp_path):
    """`module:function` is called with the session; it may open another database itself."""
    (tmp_path / "acme.py").write_text(
        "def main(session):\n"
        "    session.handle_command_line_options(['-d'])\n"
        "    print(session.cr.dbname)\n"
        "    return 5\n"
    )

    done = connector("run", "-d", database.name, "acme:main", "--", "-d", "nowhere", "--", "x")
    assert "no database 'nowhere'" in done.stderr

    done = connector("run", "acme:main", "--", "-d", database.name, "--", "x")
    assert (done.stdout, done.returncode) == (f"{database.name}\n", 5), done.stderr


def test_run_writes_an_executable(connector, database, tmp_path):
    """A declaration becomes an executable, which opens a database and calls the entry point."""
    (tmp_path / "acme.py").write_text("def main(session):\n    print(session.cr.dbname)\n")

    done = connector(
        "run", "--write", "bin", "acme:main=go", "arguments=session", "command-line-options=-d"
    )
    assert done.stdout == "bin/go\n", done.stderr
    ran = subprocess.run(
        [tmp_path / "bin" / "go", "-d", database.name, "--"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (ran.stdout, ran.returncode) == (f"{database.name}\n", 0), ran.stderr


def test_missing_script_is_named(connector, database):
    """A script that is not there is one message."""
    done = connector("run", "-d", database.name, "nothing.py")

    assert done.stderr == "Error: There is no script 'nothing.py'.\n"
    assert done.returncode == 1


# -- upgrade ----------------------------------------------------------------------------------


def test_upgrade_makes_a_script_that_updates_all(connector, sample, database, tmp_path):
    """Without a script one is made; it updates all addons, and the version is set."""
    (tmp_path / "VERSION.txt").write_text("2.0\n")
    install = "session.install_modules(['runtime_sample'])"
    assert connector("shell", "-d", database.name, input=install).returncode == 0
    sample("second")

    done = connector("upgrade", "-d", database.name)

    assert done.returncode == 0, done.stderr
    assert "def run(session, log):" in (tmp_path / "upgrade.py").read_text()
    with database.env() as env:
        get = env["ir.config_parameter"].get_param
        assert (get("runtime.data"), get("buildout.db_version")) == ("second", "2.0")


def test_upgrade_of_a_named_script(connector, database, tmp_path):
    """Script, function and directory may be named; the status is the function's."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "VERSION.txt").write_text("3.0")
    (tmp_path / "etc" / "up.py").write_text(
        "def go(session, log):\n    log.info('to %s', session.package_version)\n    return 9\n"
    )

    named = ["--directory", "etc", "--script", "up.py", "--callable", "go"]
    done = connector("upgrade", *named, "-d", database.name)

    assert "to 3.0" in done.stderr
    assert "Please check logs at" in done.stderr
    assert done.returncode == 9


def test_named_script_is_not_made(connector, database, tmp_path):
    """A script that is named and missing is an error."""
    done = connector("upgrade", "--script", "up.py", "-d", database.name)

    assert done.returncode == 1
    assert "There is no upgrade script" in done.stderr
    assert not (tmp_path / "up.py").exists()


# -- test -------------------------------------------------------------------------------------

TESTS = """
import pytest
import connector.addons.runtime_sample.tests.common as absolute
from . import common
from .common import KEY

def test_data(env):
    assert env["ir.config_parameter"].get_param(KEY) == "first"

def test_data_is_imported_once():
    assert common is absolute

def test_that_fails():
    raise AssertionError("on purpose")
"""


def test_test_runs_the_tests_of_an_addon(connector, sample, tmp_path):
    """
    The tests in the addon's folder run where it is installed; the status is pytest's.

    What they import relatively is the addon itself, and no copy of it.
    """
    folder = tmp_path / "addons" / "runtime_sample" / "tests"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "common.py").write_text("KEY = 'runtime.data'\n")
    (folder / "test_sample.py").write_text(TESTS)

    done = connector("test", "runtime_sample", "-k", "data", "-q")
    assert "2 passed, 1 deselected" in done.stdout, done.stdout
    assert done.returncode == 0

    done = connector("test", "runtime_sample")
    assert "1 failed, 2 passed" in done.stdout
    assert done.returncode == 1


def test_addon_without_tests_is_named(connector, sample):
    """An addon that is unknown or has no tests is one message that names it."""
    assert "no tests" in connector("test", "runtime_sample").stderr
    assert "'nothing'" in connector("test", "nothing").stderr
