"""The house holds together: packaging, command line and pages tell the same."""

import re
from configparser import ConfigParser
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _classes_belong_to_shop():
    """What is imported here belongs to its own addon."""


def requirements():
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg")
    lists = [parser["options"]["install_requires"], *parser["options.extras_require"].values()]
    names = (re.match(r"[\w-]+", line) for lines in lists for line in lines.split("\n"))
    return sorted({name.group() for name in names if name} - {"connector"})


@pytest.mark.parametrize("name", requirements())
def test_every_dependency_has_its_reason(name):
    """Each package that setup.cfg asks for stands in a row of CONTRIBUTING.md."""
    rows = [row for row in (ROOT / "CONTRIBUTING.md").read_text().splitlines() if row[:1] == "|"]

    assert any(re.search(rf"[ |]{re.escape(name)}[ ,|]", row) for row in rows)


@pytest.mark.parametrize(
    "point", entry_points(group="connector.commands"), ids=lambda point: point.name
)
def test_every_command_can_be_imported_and_has_a_help_line(point):
    """Each command that the package declares is there, and its help says what it does."""
    command = point.load()

    assert isinstance(command, click.Command)
    assert command.get_short_help_str()
