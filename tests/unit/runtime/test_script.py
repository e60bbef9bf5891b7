"""Scripts that are declared, written and run."""

import os
import subprocess
import sys

import pytest

from connector.exception import ConfigurationError
from connector.runtime import script as scripts
from connector.runtime.script import Script
from connector.runtime.session import Session


def test_declaration_is_read():
    """A declaration names entry, executable, arguments, options and log level."""
    script = Script.parse(
        "acme.tools:load=acme-load arguments=session,3 command-line-options=-d,-x"
        " openerp-log-level=debug",
        "server",
    )

    assert script == Script("acme.tools:load", "acme-load", "session,3", ("-d", "-x"), "DEBUG")


def test_defaults_of_a_declaration():
    """Without more the executable is called by entry and part, and nothing is passed."""
    assert Script.parse("upgrade", "server") == Script("upgrade", "upgrade_server")


def test_later_name_of_the_log_level():
    """`odoo-log-level` says the same as `openerp-log-level`."""
    assert Script.parse("load odoo-log-level=Warning", "p").log_level == "WARNING"


@pytest.mark.parametrize(
    ("declaration", "told"),
    [
        ("", "entry=name"),
        ("a=b=c", "a=b=c"),
        ("a=../b", "entry=name"),
        ("a bogus", "'bogus'"),
        ("a bogus=1", "'bogus=1'"),
        ("a openerp-log-level=loud", "'LOUD'"),
    ],
)
def test_wrong_declaration_is_named(declaration, told):
    """What cannot be read in a declaration is named."""
    with pytest.raises(ConfigurationError) as caught:
        Script.parse(declaration, "p")

    assert told in str(caught.value)


def test_executable_calls_the_entry_point(tmp_path):
    """The executable calls the entry point with its arguments; the result is its status."""
    (tmp_path / "acme.py").write_text(
        "import logging\n"
        "def main(session, number):\n"
        "    print(session, session.version_file_path, number)\n"
        "    print(logging.getLogger('connector').level)\n"
        "    return number\n"
    )
    declared = Script.parse("acme:main=go arguments=session,4 openerp-log-level=debug", "p")

    path = scripts.write(declared, None, tmp_path, tmp_path / "bin")
    done = subprocess.run(
        [path], env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )

    assert path == str(tmp_path / "bin" / "go")
    assert done.stdout.splitlines() == [f"<Session, closed> {tmp_path / 'VERSION.txt'} 4", "10"]
    assert done.returncode == 4


def test_options_are_handled_before_the_call(tmp_path):
    """An executable with options takes them off the command line first."""
    declared = Script.parse("json:dumps=go arguments=1 command-line-options=-d", "p")

    path = scripts.write(declared, None, tmp_path, tmp_path)
    done = subprocess.run([path, "--bogus", "--"], capture_output=True, text=True)

    assert done.returncode == 2
    assert "--bogus" in done.stderr


def test_entry_point_of_a_distribution_is_found():
    """An entry may be the name of an installed console script."""
    assert "connector.cli.main" in Script.parse("connector", "p").source(None, ".")


@pytest.mark.parametrize("entry", ["nothing-of-the-kind", "a:", ":b", "a:b;c"])
def test_unknown_entry_point_is_named(entry):
    """An entry that is neither a function nor a console script is an error that names it."""
    with pytest.raises(ConfigurationError, match="console_scripts"):
        Script.parse(entry, "p").source(None, ".")


@pytest.fixture
def session(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["before"])
    monkeypatch.setattr(sys, "path", sys.path[:])
    return Session(None, ".")


def test_file_finds_the_session(session, tmp_path):
    """A file runs as a program, with the session and its own command line."""
    path = tmp_path / "s.py"
    path.write_text("import sys\nassert __name__ == '__main__'\nsys.exit((session, sys.argv))")

    assert scripts.run_file(path, session, ["-a"]) == (session, [str(path), "-a"])


def test_entry_is_called_with_the_session(session, tmp_path, monkeypatch):
    """A function is called with the session; it may lie in the current directory."""
    (tmp_path / "acme_entry.py").write_text("def main(session):\n    return session")
    monkeypatch.chdir(tmp_path)

    assert scripts.run_entry("acme_entry:main", session, ["x"]) is session
    assert sys.argv == ["acme_entry:main", "x"]


@pytest.mark.parametrize("entry", ["no_such_module:main", "json:no_such_function"])
def test_entry_that_cannot_be_imported_is_named(session, entry):
    """A module or function that is not there is an error that names the script."""
    with pytest.raises(ConfigurationError, match=entry):
        scripts.run_entry(entry, session, [])
