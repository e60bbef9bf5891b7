"""
Keeps pytest from importing an addon a second time.

pytest names a test module by its folders: the module `test_sale` of the addon in
`/srv/addons/shop` is `shop.tests.test_sale` to it, and what that imports relatively would be
`shop.models`, a copy of `connector.addons.shop.models` with every model declared once more.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType


def alias(folder: Path, package: str) -> None:
    """
    Let the name that pytest has for *folder* mean the modules of *package*.

    A name that is another module's already is left alone.
    """
    name = _name_by_folders(folder)
    top = name.partition(".")[0]
    if name != package and top not in sys.modules and top not in sys.stdlib_module_names:
        sys.meta_path.insert(0, _Finder(name, package))


def _name_by_folders(folder: Path) -> str:
    parts = [folder.name]
    while ((folder := folder.parent) / "__init__.py").is_file():
        parts.insert(0, folder.name)
    return ".".join(parts)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, name: str, package: str) -> None:
        self._name = name
        self._package = package

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name and not fullname.startswith(f"{self._name}."):
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        real = self._package + module.__name__[len(self._name) :]
        # The import system takes what stands in sys.modules after this call.
        sys.modules[module.__name__] = importlib.import_module(real)
