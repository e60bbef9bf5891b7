"""What a session takes off the command line."""

import sys

import pytest

from connector.runtime import command_line
from connector.runtime.session import Session

NOTHING = object()


@pytest.fixture
def handle(monkeypatch):
    """Handles a command line; gives what was opened and what is left."""

    def run(line, to_handle=("-d",)):
        monkeypatch.setattr(sys, "argv", line.split())
        opened = []
        command_line.handle(to_handle, opened.append)
        return opened[0] if opened else NOTHING, " ".join(sys.argv)

    return run


@pytest.mark.parametrize(
    ("line", "database", "left"),
    [
        ("p -d x -- a -b", "x", "p a -b"),
        ("p --db-name x -- a", "x", "p a"),
        ("p --db-name=x --", "x", "p"),
        ("p -d x -- a -- b", "x", "p a -- b"),
        ("p x -- z", None, "p z"),
        ("p x -d y w -- z", "y", "p z"),
        ("p -- -h", None, "p -h"),
        ("p -d x", None, "p -d x"),
        ("p", None, "p"),
        ("p a", None, "p a"),
    ],
)
def test_command_lines(handle, line, database, left):
    """What stands before the first `--` is taken away; None stands for the default database."""
    assert handle(line) == (database, left)


@pytest.mark.parametrize("line", ["p -h", "p --help", "p a -h"])
def test_help_without_separator_comes_before_that_of_the_script(handle, capsys, line):
    """Help is printed, nothing is opened, and the script sees the whole command line."""
    assert handle(line) == (NOTHING, line)

    out = capsys.readouterr().out
    assert "--db-name" in out
    assert "p [session options] -- " in out
    assert out.rstrip().endswith("Help message from the wrapped script, if any, will follow.")


def test_help_before_the_separator_ends_the_program(handle, capsys):
    """Help asked for before `--` is printed, and the program ends with success."""
    with pytest.raises(SystemExit) as end:
        handle("p -h -- z")

    assert end.value.code == 0
    assert sys.argv == ["p", "-h", "--", "z"]
    assert "--db-name" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "to_handle"),
    [("p --bogus -- z", ("-d",)), ("p -d -- z", ("-d",)), ("p -d x -- a", ())],
)
def test_what_is_not_handled_ends_the_program(handle, capsys, line, to_handle):
    """An option before `--` that is not handled, or lacks its value, is a wrong usage."""
    with pytest.raises(SystemExit) as end:
        handle(line, to_handle)

    assert end.value.code == 2
    assert "-d" in capsys.readouterr().err or "--bogus" in line


def test_nothing_to_handle_opens_nothing(handle):
    """Without `-d` among the options to handle no database is opened."""
    assert handle("p -- a", ()) == (NOTHING, "p a")
    assert handle("p a", ["--other"]) == (NOTHING, "p a")


def test_session_opens_without_demonstration_data(monkeypatch):
    """A session opens the database that the command line names, without demonstration data."""
    calls = []
    session = Session(None, ".")
    monkeypatch.setattr(session, "open", lambda *args, **kwargs: calls.append((args, kwargs)))
    monkeypatch.setattr(sys, "argv", ["p", "-d", "shop", "--", "a"])

    session.handle_command_line_options(["-d"])

    assert calls == [(("shop",), {"with_demo": False})]
    assert sys.argv == ["p", "a"]
