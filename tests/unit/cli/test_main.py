"""The edge of the command line: what a user sees of an error."""

import sys
from importlib.metadata import EntryPoint

import click
import pytest

from connector.cli import main as edge
from connector.core.exceptions import CoreError
from connector.exception import ConnectorException


@click.command()
@click.argument("kind")
def fail(kind):
    """Fail on purpose."""
    raise {
        "connector": ConnectorException("No such shop. Name another."),
        "core": CoreError("No such table. Install the addon."),
        "defect": ZeroDivisionError("by zero"),
        "interrupt": KeyboardInterrupt(),
        "exit": SystemExit(7),
    }[kind]


@click.command()
@click.argument("status", type=int)
@click.pass_context
def leave(ctx, status):
    """End with a status."""
    ctx.exit(status)


@pytest.fixture(autouse=True)
def commands(monkeypatch):
    """The commands of this module in the place of the installed ones."""
    monkeypatch.setitem(sys.modules, "commands_of_the_test", sys.modules[__name__])
    names = {"fail": "commands_of_the_test:fail", "leave": "commands_of_the_test:leave"}
    names["broken"] = "no_such_package.anywhere:command"
    points = [EntryPoint(name, value, edge.COMMANDS) for name, value in names.items()]

    def entry_points(group, name=None):
        assert group == edge.COMMANDS
        return [point for point in points if name in (None, point.name)]

    monkeypatch.setattr(edge, "entry_points", entry_points)
    monkeypatch.delenv("CONNECTOR_TRACEBACK", raising=False)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("connector", "Error: No such shop. Name another.\n"),
        ("core", "Error: No such table. Install the addon.\n"),
    ],
)
def test_known_error_is_one_message_and_status_1(capsys, kind, message):
    """An error raised on purpose is told as it is, on stderr, without a traceback."""
    assert edge.main(["fail", kind]) == 1

    assert capsys.readouterr() == ("", message)


def test_defect_is_named_and_the_way_to_its_traceback_told(capsys):
    """An error nobody raised on purpose names its class and how to see more."""
    assert edge.main(["fail", "defect"]) == 1

    told = capsys.readouterr().err
    assert "ZeroDivisionError: by zero" in told
    assert "--traceback" in told
    assert "File" not in told


@pytest.mark.parametrize(
    "arguments", [["--traceback", "fail", "connector"], ["fail", "connector", "--traceback"]]
)
def test_traceback_is_shown_when_asked_for(arguments):
    """With --traceback, before or behind the command, the error itself comes out."""
    with pytest.raises(ConnectorException):
        edge.main(arguments)


def test_wrong_usage_has_status_2(capsys):
    """An unknown option is a wrong usage, not an error of the work."""
    assert edge.main(["fail", "--nothing", "core"]) == 2
    assert "No such option" in capsys.readouterr().err


def test_interrupt_has_the_shells_status(capsys):
    """Ctrl-C ends with 130, as shells expect."""
    assert edge.main(["fail", "interrupt"]) == 130
    assert capsys.readouterr().err.endswith("Interrupted.\n")


def test_status_of_a_command_is_kept():
    """A command that ends with a status gives it to the shell."""
    assert edge.main(["leave", "0"]) == 0
    assert edge.main(["leave", "3"]) == 3
    with pytest.raises(SystemExit, match="7"):
        edge.main(["fail", "exit"])


def test_command_that_cannot_be_imported_says_so_and_harms_no_other(capsys):
    """A command whose extra is missing is named in the help, and tells what to install."""
    assert edge.main(["--help"]) == 0
    help_text = capsys.readouterr().out
    assert "Not available: No module named 'no_such_package'." in help_text
    assert "Fail on purpose." in help_text

    assert edge.main(["broken", "--with", "options"]) == 1
    assert "Is an extra missing" in capsys.readouterr().err


def test_wrong_configuration_is_one_message(capsys, monkeypatch):
    """A value that cannot be read is told before any command begins."""
    monkeypatch.setenv("CONNECTOR_WORKERS", "many")

    assert edge.main(["leave", "0"]) == 1
    assert "CONNECTOR_WORKERS" in capsys.readouterr().err
