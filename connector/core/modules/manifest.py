"""The manifest of an addon: read from its file, checked, with defaults."""

import ast
import importlib.util
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from connector.core.addon import MANIFEST_NAMES, found_addons
from connector.core.exceptions import ManifestError, UnknownModuleError, UnmetDependencyError

_LISTS = ("depends", "data", "demo", "init_xml", "update_xml", "demo_xml", "imports")
#: keys of 8.0 manifests that mean nothing here, or are only shown
_IGNORED = {"active", "qweb", "images", "test", "maintainer", "maintainers", "contributors", "js",
            "css", "support", "currency", "price", "live_test_url", "development_status",
            "assets", "excludes"}  # fmt: skip


@dataclass(frozen=True)
class Manifest:
    """What an addon says about itself."""

    addon: str
    package: str
    path: Path
    name: str
    version: str = "1.0"
    summary: str = ""
    description: str = ""
    author: str = ""
    website: str = ""
    license: str = "LGPL-3"
    category: str = "Uncategorized"
    icon: str = ""
    sequence: int = 100
    application: bool = False
    auto_install: bool = False
    installable: bool = True
    web: bool = False
    depends: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    demo: tuple[str, ...] = ()
    #: modules of the package to import beside the package itself
    imports: tuple[str, ...] = ()
    #: `python`: importable names, `bin`: programs
    external_dependencies: Mapping[str, Any] = field(default_factory=dict)
    pre_init_hook: str | None = None
    post_init_hook: str | None = None
    uninstall_hook: str | None = None
    post_load: str | None = None

    def check_external_dependencies(self) -> None:
        """
        Raises:
            UnmetDependencyError: a Python package or a program is missing.
        """
        for name in self.external_dependencies.get("python", ()):
            if not _is_importable(name):
                raise UnmetDependencyError(
                    f"The addon {self.addon!r} needs the Python package {name!r}. "
                    f"Install it, for example with: pip install {name}"
                )
        for name in self.external_dependencies.get("bin", ()):
            if shutil.which(name) is None:
                raise UnmetDependencyError(
                    f"The addon {self.addon!r} needs the program {name!r}, which is not on PATH."
                )


def manifest_of(addon: str) -> Manifest:
    """
    The manifest of a found addon.

    Raises:
        UnknownModuleError: no addon of that name is found.
        ManifestError: the file is missing, is no literal dictionary, or has a wrong value.
    """
    package = found_addons().get(addon)
    if package is None:
        raise UnknownModuleError(
            f"There is no addon {addon!r}. Found are: {', '.join(sorted(found_addons()))}. "
            "Install its package, or put its folder on addons_path."
        )
    return _read(addon, package)


@lru_cache(maxsize=1024)
def _read(addon: str, package: str) -> Manifest:
    return manifest_in(_package_path(addon, package), addon, package)


def manifest_in(path: Path, addon: str, package: str) -> Manifest:
    """
    The manifest in the folder of an addon, found or not.

    Raises:
        ManifestError: the file is missing, is no literal dictionary, or has a wrong value.
    """
    file = next((path / name for name in MANIFEST_NAMES if (path / name).is_file()), None)
    if file is None:
        raise ManifestError(f"The addon {addon!r} has no {MANIFEST_NAMES[0]} in {path}.")
    try:
        values = ast.literal_eval(file.read_text(encoding="utf-8"))
    except (ValueError, SyntaxError) as error:
        raise ManifestError(f"{file} is no literal Python dictionary: {error}") from error
    if not isinstance(values, dict):
        raise ManifestError(f"{file} is no literal Python dictionary.")
    return Manifest(addon, package, path, **_checked(values, addon, file))


def _package_path(addon: str, package: str) -> Path:
    try:
        spec = importlib.util.find_spec(package)
    except ImportError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise ManifestError(
            f"The package {package!r} of the addon {addon!r} cannot be found. "
            "Is the distribution that offers it installed completely?"
        )
    return Path(spec.submodule_search_locations[0])


def _checked(values: dict[str, Any], addon: str, file: Path) -> dict[str, Any]:
    values = dict(values)
    values["auto_install"] = bool(values.get("auto_install", values.get("active", False)))
    for name in _LISTS:
        given = values.get(name, [])
        if not isinstance(given, list | tuple) or not all(isinstance(i, str) for i in given):
            raise ManifestError(f"{file}: {name!r} must be a list of strings.")
        values[name] = tuple(given)
    values["data"] = (*values.pop("init_xml"), *values.pop("update_xml"), *values["data"])
    values["demo"] = (*values.pop("demo_xml"), *values["demo"])
    if addon != "base" and "base" not in values["depends"]:
        # Every addon stands on base; most get there through another one.
        values["depends"] = values["depends"] or ("base",)
    if isinstance(values.get("author"), list | tuple):
        values["author"] = ", ".join(values["author"])
    values["version"] = str(values.get("version", "1.0"))
    values.setdefault("name", addon)
    known = {item.name for item in fields(Manifest)} - {"addon", "package", "path"}
    unknown = set(values) - known - _IGNORED
    if unknown:
        raise ManifestError(f"{file}: unknown keys {', '.join(sorted(map(repr, unknown)))}.")
    return {name: value for name, value in values.items() if name in known}


def parse_version(version: str | None) -> tuple[tuple[int, str], ...]:
    """A version as something to compare: numbers by value, words by the alphabet before them."""
    parts = (version or "").replace("-", ".").split(".")
    numbers = [(int(part), "") if part.isdigit() else (-1, part) for part in parts if part]
    while numbers and numbers[-1] == (0, ""):
        numbers.pop()
    return tuple(numbers)


def _is_importable(name: str) -> bool:
    try:
        if importlib.util.find_spec(name) is not None:
            return True
    except (ImportError, ValueError):
        pass
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def forget_manifests() -> None:
    """Read the files again at the next question."""
    _read.cache_clear()
