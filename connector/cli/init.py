"""`connector init`: a new connector that installs, runs and passes its own tests at once."""

from __future__ import annotations

import builtins
import keyword
import re
from importlib.util import find_spec
from pathlib import Path

import click

from connector.config import current
from connector.core import addon
from connector.exception import ConfigurationError

TEMPLATE = Path(__file__).parent / "template"
#: The name that the files of the template have in the place of the new one.
PLACEHOLDER = "new_connector"
#: Files that are named otherwise here: a hidden file would be lost in a package.
RENAMED = {"gitignore": ".gitignore"}
#: Files, and ends of lines, that are there only where the connector exports too.
EXPORTING = {"exporter.py", "test_export.py"}
EXPORTING_LINE = re.compile(r" *(?:# if export|<!-- if export -->)$")

LONGEST_NAME = 30
NAME = re.compile(r"[a-z][a-z0-9_]*")
#: Folders of the new project, which the package would be mixed up with.
FOLDERS = {"tests", "build", "dist"}


@click.command()
@click.argument("name")
@click.option(
    "--directory",
    type=click.Path(path_type=Path),
    help="Where to write it; by default a new folder NAME.",
)
@click.option("--export", is_flag=True, help="Write an exporter too.")
def init(name: str, directory: Path | None, export: bool) -> None:
    """
    Write a new connector called NAME, with its tests.

    It imports customers from a REST API as partners, and is meant to be changed.
    """
    check_name(name)
    folder = directory or Path(name)
    write(name, folder, export)
    click.echo(
        f"The connector {name} is in {folder}. Next:\n"
        f"  cd {folder}\n"
        "  pip install -e '.[test]'\n"
        "  pytest"
    )


def check_name(name: str) -> None:
    """
    Refuse what cannot be the name of an addon, a package and a service all at once.

    Raises:
        ConfigurationError: the message says why, and what would do.
    """
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise ConfigurationError(
            f"{name!r} is no name for a connector. Take a small letter, then small letters, "
            f"digits and underscores, {LONGEST_NAME} in all: acme_shop."
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name) or hasattr(builtins, name):
        raise ConfigurationError(
            f"{name!r} is a word of Python itself. Take another name, {name}_connector perhaps."
        )
    addon.use_addons_path(current().addons_path)
    if place := addon.found_addons().get(name):
        raise ConfigurationError(
            f"There is an addon {name!r} already: the package {place}. Take another name."
        )
    spec = find_spec(name)
    # A folder without code, such as the one that is to be filled, is found but has no origin.
    if name in FOLDERS or (spec is not None and spec.origin is not None):
        raise ConfigurationError(
            f"{name!r} is the name of a Python package or folder that would be mixed up with the "
            f"connector. Take another name, {name}_connector perhaps."
        )


def write(name: str, folder: Path, export: bool) -> None:
    """
    Write the files of a connector into a new folder, or into one that is empty.

    Raises:
        ConfigurationError: something is there, or the folder cannot be made; nothing is written.
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise ConfigurationError(
            f"{folder} is there already, and not empty. Nothing is written: take another name, "
            "or another --directory."
        )
    files = {
        folder / _place(source, name): _filled(source.read_text(encoding="utf-8"), name, export)
        for source in sorted(TEMPLATE.rglob("*"))
        if source.is_file() and _is_wanted(source, export)
    }
    try:
        for target, text in files.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"{folder} cannot be written: {error.strerror}. Take another --directory."
        ) from error


def _is_wanted(source: Path, export: bool) -> bool:
    parts = source.relative_to(TEMPLATE).parts
    # Python and the checkers leave folders of their own beside what they read.
    if any(part.startswith((".", "__pycache__")) for part in parts):
        return False
    return export or source.name not in EXPORTING


def _place(source: Path, name: str) -> Path:
    parts = [
        name if part == PLACEHOLDER else RENAMED.get(part, part)
        for part in source.relative_to(TEMPLATE).parts
    ]
    return Path(*parts)


def _filled(text: str, name: str, export: bool) -> str:
    lines = []
    for line in text.splitlines(keepends=True):
        plain = EXPORTING_LINE.sub("", line.rstrip("\n"))
        is_optional = plain != line.rstrip("\n")
        if export or not is_optional:
            lines.append(plain + "\n" if is_optional else line)
    return "".join(lines).replace(PLACEHOLDER, name)
