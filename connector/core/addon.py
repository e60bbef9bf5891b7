"""Addons: which there are, and to which one a module, class or function belongs."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from connector.core.exceptions import DuplicateAddonError

ENTRY_POINT_GROUP = "connector.addons"
FOLDER_PACKAGE = "connector.addons"
MANIFEST_NAMES = ("__manifest__.py", "__openerp__.py")

_folders: tuple[Path, ...] = ()
_declared: ContextVar[str | None] = ContextVar("declared_addon", default=None)


def use_addons_path(folders: Iterable[str | Path]) -> None:
    """Look for addons in these folders too; they are imported as `connector.addons.<name>`."""
    global _folders
    _folders = tuple(Path(folder).resolve() for folder in folders)
    package = sys.modules.setdefault(FOLDER_PACKAGE, ModuleType(FOLDER_PACKAGE))
    package.__path__ = [str(folder) for folder in _folders]
    # Makes `import connector.addons.shop as shop` find the attribute as well.
    setattr(sys.modules["connector"], "addons", package)  # noqa: B010 - no such attribute to mypy
    forget_found_addons()


def forget_found_addons() -> None:
    """Look again at the next question; for addons that appear while the process lives."""
    found_addons.cache_clear()
    _addon_of.cache_clear()


@lru_cache(maxsize=1)
def found_addons() -> Mapping[str, str]:
    """
    Every addon that can be found, name -> package.

    Raises:
        DuplicateAddonError: two places offer an addon of one name.
    """
    found: dict[str, str] = {}
    places: dict[str, str] = {}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        if found.get(point.name) == point.value:
            continue  # the same distribution, met twice on sys.path
        _refuse_second(point.name, places, f"the package {point.value}")
        found[point.name], places[point.name] = point.value, f"the package {point.value}"
    for path in _folder_addons():
        if path.name in found and _is_package_at(found[path.name], path):
            continue  # the folder holds the package itself, as a checkout of it does
        _refuse_second(path.name, places, f"the folder {path}")
        found[path.name] = f"{FOLDER_PACKAGE}.{path.name}"
        places[path.name] = f"the folder {path}"
    return MappingProxyType(found)


def _refuse_second(name: str, places: Mapping[str, str], place: str) -> None:
    if name in places:
        raise DuplicateAddonError(
            f"Two addons are named {name!r}: {places[name]} and {place}. "
            "Rename or uninstall one of them."
        )


def _is_package_at(package: str, folder: Path) -> bool:
    spec = find_spec(package)
    places = spec.submodule_search_locations if spec else None
    return any(Path(place).resolve() == folder for place in places or ())


def _folder_addons() -> Iterator[Path]:
    for folder in _folders:
        if not folder.is_dir():
            continue
        for path in sorted(folder.iterdir()):
            if any((path / name).is_file() for name in MANIFEST_NAMES):
                yield path


@contextmanager
def declared_in(name: str) -> Iterator[None]:
    """Classes and functions made in the block belong to the addon *name*."""
    token = _declared.set(name)
    try:
        yield
    finally:
        _declared.reset(token)


def addon_of(module_path: str) -> str:
    """The addon that the Python module *module_path* belongs to."""
    return _declared.get() or _addon_of(module_path)


def addon_of_object(thing: Any) -> str:
    """The addon of a class or function."""
    return addon_of(thing.__module__)


@lru_cache(maxsize=4096)
def _addon_of(module_path: str) -> str:
    prefixes = [
        (len(package), name)
        for name, package in found_addons().items()
        if module_path == package or module_path.startswith(package + ".")
    ]
    if prefixes:
        return max(prefixes)[1]
    _, marker, rest = module_path.partition(".addons.")
    return (rest if marker else module_path).partition(".")[0]


@contextmanager
def declared_nowhere() -> Iterator[None]:
    """In the block `declared_in` does not hold: a real addon is imported in the midst of a test."""
    token = _declared.set(None)
    try:
        yield
    finally:
        _declared.reset(token)
