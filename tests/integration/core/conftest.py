"""Databases and addons of the core's own tests."""

import itertools
import os
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.core import addon, sql
from connector.core.models import MetaModel
from connector.core.modules import states
from connector.core.registry import Registry

_numbers = itertools.count(1)


@pytest.fixture
def empty_database(servers) -> Iterator[str]:
    """The name of a new database without any tables."""
    name = f"core_{os.getpid()}_{next(_numbers)}"
    sql.drop_database(name)
    sql.create_database(name)
    yield name
    Registry.delete(name)
    sql.drop_database(name)


class Things:
    """A table of things with unique names, in a database of its own."""

    def __init__(self, name: str) -> None:
        self.database = sql.connect(name)
        with self.database.cursor() as cr:
            sql.schema.create_table(cr, "thing", columns=[("name", "varchar UNIQUE")])

    def names(self) -> list[str]:
        """What is committed."""
        with self.database.cursor() as cr:
            cr.execute("SELECT name FROM thing ORDER BY id")
            return [name for (name,) in cr.fetchall()]


@pytest.fixture
def things(empty_database) -> Things:
    return Things(empty_database)


class AddonFolder:
    """A folder on `addons_path` in which a test writes its addons."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, manifest: dict, files: dict[str, str] | None = None) -> Path:
        """Write an addon, or some of its files anew."""
        package = self.path / name
        files = {"__init__.py": "", "__manifest__.py": repr(manifest), **(files or {})}
        for file_name, text in files.items():
            file = package / file_name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text))
        states.forget_found()
        return package

    def forget(self, name: str) -> None:
        """As in a new process: the addon's Python code is imported again."""
        package = f"{addon.FOLDER_PACKAGE}.{name}"
        for module in list(sys.modules):
            if module == package or module.startswith(f"{package}."):
                del sys.modules[module]
        MetaModel.module_to_models.pop(name, None)


@pytest.fixture
def addon_folder(tmp_path) -> Iterator[AddonFolder]:
    """A folder that addons of this test are found in."""
    folder = AddonFolder(tmp_path)
    addon.use_addons_path([tmp_path])
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    yield folder
    sys.dont_write_bytecode = before
    for path in tmp_path.iterdir():
        folder.forget(path.name)
    addon.use_addons_path([])
    states.forget_found()
