"""What of an addon beside its Python would not load: manifest, data files, models it builds on."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

import defusedxml
import defusedxml.ElementTree as SafeElementTree

from connector.cli.lint_rules import Finding
from connector.core.addon import MANIFEST_NAMES, found_addons
from connector.core.exceptions import ManifestError
from connector.core.modules.manifest import Manifest, manifest_in

DATA_SUFFIXES = {".csv", ".xml", ".sql"}
XML_ELEMENTS = {"record", "delete", "function", "data"}
RELATIONS = {"Many2one", "One2many", "Many2many"}

_MODEL_NAME = re.compile(r"^\s+_name\s*=\s*[\"']([\w.]+)[\"']", re.MULTILINE)

#: A file and what was found in it.
Found = tuple[Path, Finding]


def addon_folders(path: Path) -> list[Path]:
    """Give the addons at a path: those in it, or the one around it."""
    if path.is_dir():
        inside = {file.parent for name in MANIFEST_NAMES for file in path.rglob(name)}
        if inside:
            return sorted(inside)
    around = (each for each in (path, *path.resolve().parents) if _manifest_file(each) is not None)
    return [each for each in [next(around, None)] if each is not None]


def known_addons(folders: Collection[Path]) -> frozenset[str]:
    """Give the addons that can be found, and those read along."""
    return frozenset(found_addons()) | {folder.resolve().name for folder in folders}


def known_models(paths: Collection[Path]) -> frozenset[str]:
    """Give the names of the models that the addons which can be found, and files here, declare."""
    places = [*map(_package_folder, found_addons().values()), *paths]
    return frozenset(name for place in places for name in _declared_models(place))


def in_addon(folder: Path, addons: Collection[str], models: Collection[str]) -> Iterator[Found]:
    """Give what of an addon's manifest and data files would not load."""
    file = _manifest_file(folder)
    assert file is not None  # the folder was found by it
    try:
        manifest = manifest_in(folder, folder.resolve().name, "")
    except ManifestError as error:
        yield file, Finding(1, str(error))
        return
    text = file.read_text(encoding="utf-8")
    for addon in manifest.depends:
        if addon not in addons:
            advice = "Install it, put its folder on addons_path, or do without"
            yield file, Finding(_line(text, addon), f"No addon {addon!r} is found. {advice}.")
    for name in (*manifest.data, *manifest.demo):
        yield from _data_file(file, text, manifest, name, models)


def in_module(tree: ast.Module, models: Collection[str]) -> Iterator[Finding]:
    """Give the models that a module builds on and that nobody declares."""
    for node in ast.walk(tree):
        for line, name in _models_needed(node):
            if name not in models:
                yield Finding(line, f"No model {name!r}: no addon that is found declares it.")


def _models_needed(node: ast.AST) -> Iterator[tuple[int, str]]:
    match node:
        case ast.ClassDef(body=body):
            for statement in body:
                match statement:
                    case ast.Assign(targets=[ast.Name(id="_inherit" | "_inherits")]):
                        yield from _texts(statement.value)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="fields"), attr=kind)) if (
            kind in RELATIONS
        ):
            keywords = [each.value for each in node.keywords if each.arg == "comodel_name"]
            for value in (*node.args[:1], *keywords):
                yield from _texts(value)


def _texts(value: ast.expr) -> Iterator[tuple[int, str]]:
    """Give the names in a text, a list of them, or the keys of a dictionary."""
    match value:
        case ast.Constant(value=str(name)):
            yield value.lineno, name
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            for part in parts:
                yield from _texts(part)
        case ast.Dict(keys=keys):
            for key in keys:
                if key is not None:
                    yield from _texts(key)


# -- data files ------------------------------------------------------------------------------


def _data_file(
    manifest_file: Path, text: str, manifest: Manifest, name: str, models: Collection[str]
) -> Iterator[Found]:
    path, line = manifest.path / name, _line(text, name)
    if path.suffix not in DATA_SUFFIXES:
        kinds = ", ".join(sorted(DATA_SUFFIXES))
        yield manifest_file, Finding(line, f"{name} is of an unknown kind: known are {kinds}.")
    elif not path.is_file():
        yield manifest_file, Finding(line, f"The data file {name} is not there.")
    elif path.suffix == ".xml":
        for finding in _xml(path, models):
            yield path, finding
    elif path.suffix == ".csv" and (model := path.stem.partition("-")[0]) not in models:
        yield path, Finding(1, f"No model {model!r}: no addon that is found declares it.")


def _xml(path: Path, models: Collection[str]) -> Iterator[Finding]:
    text = path.read_text(encoding="utf-8")
    try:
        root = SafeElementTree.fromstring(text.encode())
    except (ParseError, defusedxml.DefusedXmlException) as error:
        yield Finding(getattr(error, "position", (1, 0))[0], f"This XML cannot be read: {error}")
        return
    for element in _elements(root):
        line = _line(text, element.get("id") or element.get("model") or f"<{element.tag}")
        if element.tag not in XML_ELEMENTS:
            known = ", ".join(f"<{each}>" for each in sorted(XML_ELEMENTS))
            yield Finding(line, f"<{element.tag}> is not read here, only {known}. Take it out.")
        elif (model := element.get("model")) is not None and model not in models:
            advice = "no addon that is found declares it. Take the record out"
            yield Finding(line, f"No model {model!r}: {advice}.")


def _elements(parent: Element) -> Iterator[Element]:
    for element in parent:
        yield element
        if element.tag == "data":
            yield from _elements(element)


def _line(text: str, sought: str) -> int:
    """Give the line of a text, quoted or as it stands, the first where it is there often."""
    places = [text.find(f"{mark}{sought}{mark}") for mark in ("'", '"', "")]
    found = [place for place in places if place >= 0]
    return text.count("\n", 0, found[0]) + 1 if found else 1


# -- addons on the disk ----------------------------------------------------------------------


def _manifest_file(folder: Path) -> Path | None:
    return next((folder / name for name in MANIFEST_NAMES if (folder / name).is_file()), None)


def _package_folder(package: str) -> Path | None:
    try:
        spec = find_spec(package)
    except ImportError:
        return None
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) if places else None


@cache
def _declared_models(path: Path | None) -> frozenset[str]:
    files = [] if path is None else [path] if path.is_file() else path.rglob("*.py")
    return frozenset(
        name
        for file in files
        for name in _MODEL_NAME.findall(file.read_text(encoding="utf-8", errors="replace"))
    )
