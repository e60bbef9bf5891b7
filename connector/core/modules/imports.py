"""Import of addons, under the names that older code uses too."""

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

from connector.core.addon import FOLDER_PACKAGE, declared_nowhere, found_addons
from connector.core.exceptions import ModuleError
from connector.core.models import MetaModel
from connector.core.modules.manifest import Manifest

#: packages whose submodules are the addons by name
ALIAS_PACKAGES = ("openerp.addons", "odoo.addons", FOLDER_PACKAGE)

#: set on a package whose hook `post_load` was called
_POST_LOADED = "__post_loaded__"


def import_addon(manifest: Manifest) -> ModuleType:
    """
    Import the package of an addon and the modules it names; its models declare themselves.

    A failure leaves no trace: what was imported of the addon so far is forgotten.
    """
    before = set(sys.modules)
    declared = list(MetaModel.module_to_models.get(manifest.addon, ()))
    try:
        with declared_nowhere():
            package = importlib.import_module(manifest.package)
            for name in manifest.imports:
                importlib.import_module(f"{manifest.package}.{name}")
            _run_post_load(package, manifest)
    except BaseException as error:
        error.add_note(f"Raised by the import of the addon {manifest.addon!r} in {manifest.path}.")
        _forget_imported(manifest, before)
        MetaModel.module_to_models[manifest.addon] = declared
        raise
    return package


def hook_of(package: ModuleType, manifest: Manifest, name: str) -> Callable[..., None]:
    """
    The function of the package that the manifest names.

    Raises:
        ModuleError: there is none.
    """
    function: Callable[..., None] | None = getattr(package, name, None)
    if function is None:
        raise ModuleError(
            f"The manifest of {manifest.addon!r} names the hook {name!r}, which the package "
            f"{manifest.package} does not have."
        )
    return function


def _run_post_load(package: ModuleType, manifest: Manifest) -> None:
    """Call the hook that follows the import: once in a process, not once for each database."""
    if manifest.post_load and not hasattr(package, _POST_LOADED):
        hook_of(package, manifest, manifest.post_load)()
        setattr(package, _POST_LOADED, True)


def _forget_imported(manifest: Manifest, before: set[str]) -> None:
    """
    Take the addon's new modules out of `sys.modules`.

    Their classes are forgotten, so they have to be made again; a module that stayed would
    be taken for imported, and its models would be missing.
    """
    roots = [manifest.package]
    if manifest.package in before:
        roots = [f"{manifest.package}.{name}" for name in manifest.imports]
    for name in set(sys.modules) - before:
        if any(name == root or name.startswith(f"{root}.") for root in roots):
            del sys.modules[name]


class AliasFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes `openerp.addons.<name>` and its kind name the very module object of the addon."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if any(
            package == fullname or package.startswith(f"{fullname}.")
            for package in ALIAS_PACKAGES[:2]
        ):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        if _real_name(fullname) is None:
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        real = _real_name(module.__name__)
        if real is not None:
            # The import system takes what stands in sys.modules after this call.
            sys.modules[module.__name__] = importlib.import_module(real)


def _real_name(fullname: str) -> str | None:
    for alias in ALIAS_PACKAGES:
        if fullname.startswith(f"{alias}."):
            addon, dot, rest = fullname[len(alias) + 1 :].partition(".")
            package = found_addons().get(addon)
            if package is None or package == f"{alias}.{addon}":
                return None
            return f"{package}{dot}{rest}"
    return None


def install_aliases() -> None:
    """Make the older names importable."""
    if not any(isinstance(finder, AliasFinder) for finder in sys.meta_path):
        sys.meta_path.append(AliasFinder())
