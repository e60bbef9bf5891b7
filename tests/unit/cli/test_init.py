"""What `connector init` refuses, and what it writes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from connector.cli import main as cli
from connector.cli.init import TEMPLATE, check_name, write
from connector.cli.test import _tests_of
from connector.exception import ConfigurationError


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "no name for a connector"),
        ("Acme", "no name for a connector"),
        ("acme-shop", "no name for a connector"),
        ("acme shop", "no name for a connector"),
        ("acme.shop", "no name for a connector"),
        ("1acme", "no name for a connector"),
        ("_acme", "no name for a connector"),
        ("../acme", "no name for a connector"),
        ("acmé", "no name for a connector"),
        ("acme\n", "no name for a connector"),
        ("a" * 31, "30 in all"),
        ("class", "a word of Python"),
        ("None", "no name for a connector"),
        ("match", "a word of Python"),
        ("type", "a word of Python"),
        ("print", "a word of Python"),
        ("base", "an addon 'base' already"),
        ("connector", "an addon 'connector' already"),
        ("connector_example", "an addon 'connector_example' already"),
        ("json", "name of a Python package"),
        ("requests", "name of a Python package"),
        ("tests", "name of a Python package or folder"),
    ],
)
def test_a_bad_name_is_refused(name: str, message: str) -> None:
    """A name that could not be addon, package and service at once is refused with the reason."""
    with pytest.raises(ConfigurationError, match=message):
        check_name(name)


@pytest.mark.parametrize("name", ["acme", "a", "shop_2", "a" * 30, "x_"])
def test_a_good_name_is_taken(name: str) -> None:
    """Small letters, digits and underscores make a name."""
    check_name(name)


def test_an_addon_on_the_path_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of an addon in a folder of `addons_path` is taken too."""
    folder = tmp_path / "addons" / "acme"
    folder.mkdir(parents=True)
    (folder / "__manifest__.py").write_text("{}")
    monkeypatch.setenv("CONNECTOR_ADDONS_PATH", str(folder.parent))

    assert cli.main(["init", "acme"]) == 1
    assert cli.main(["init", "acme_two", "--directory", str(tmp_path / "two")]) == 0


@pytest.mark.parametrize("kind", ["file", "folder", "unwritable"])
def test_what_is_there_is_left_alone(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where something is, nothing is written, and the message says so."""
    place = tmp_path / "acme"
    if kind == "file":
        place.write_text("mine")
    elif kind == "folder":
        place.mkdir()
        (place / "mine").write_text("mine")
    else:
        (tmp_path / "a_file").write_text("mine")
        place = tmp_path / "a_file" / "acme"
    before = {path: path.is_file() and path.read_text() for path in tmp_path.rglob("*")}

    status = cli.main(["init", "acme", "--directory", str(place)])

    assert status == 1
    assert str(place) in capsys.readouterr().err
    assert {path: path.is_file() and path.read_text() for path in tmp_path.rglob("*")} == before


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    """A folder that one has made for the connector is used."""
    write("acme", tmp_path, export=False)

    assert (tmp_path / "acme" / "__manifest__.py").exists()


@pytest.mark.parametrize("export", [False, True])
def test_what_is_written_is_whole(tmp_path: Path, export: bool) -> None:
    """Every Python file can be read, the manifest names modules that are there, no mark is left."""
    write("acme", tmp_path, export)

    texts = {path: path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    for path, text in texts.items():
        assert "new_connector" not in text
        assert "if export" not in text
        if path.suffix == ".py":
            ast.parse(text)
    manifest = ast.literal_eval((tmp_path / "acme" / "__manifest__.py").read_text())
    assert ("exporter" in manifest["imports"]) is export
    for name in manifest["imports"]:
        assert (tmp_path / "acme" / f"{name}.py").exists() or (tmp_path / "acme" / name).is_dir()
    assert ("6. `exporter.py`" in texts[tmp_path / "README.md"]) is export


def test_connector_test_finds_the_tests_of_the_project(tmp_path: Path) -> None:
    """The tests stand beside the package, as a project has them; without a project they do not."""
    write("acme", tmp_path, export=False)
    assert _tests_of(tmp_path / "acme") == tmp_path / "tests"

    (tmp_path / "pyproject.toml").unlink()
    assert _tests_of(tmp_path / "acme") is None


def test_a_folder_of_the_name_is_no_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty folder that Python could take for a package is filled all the same."""
    (tmp_path / "acme").mkdir()
    monkeypatch.syspath_prepend(tmp_path)

    check_name("acme")


def test_lines_hold_the_longest_name() -> None:
    """With a name of thirty letters no line of the template is longer than a hundred."""
    for path in TEMPLATE.rglob("*.py"):
        for line in path.read_text().splitlines():
            assert len(line.replace("new_connector", "a" * 30)) <= 100, f"{path}: {line}"
