"""
Template databases: installed once for a set of addons and a state of their files, then copied.

    test_template_<addons>_<files>   a template; its comment tells when it was made
    test_<template>_<pid>_<number>   a copy
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import connector
from connector.core import modules, sql
from connector.core.modules import identity
from connector.core.modules.graph import closure
from connector.core.modules.imports import import_addon
from connector.core.modules.manifest import manifest_of
from connector.core.registry import Registry

PREFIX = "test_template_"
#: Templates of one set of addons that stay: of a branch, its base, and what was tried between.
KEPT = 3
#: Files that say nothing of a database.
_IGNORED = {"__pycache__", ".pyc"}

_COPY = re.compile(r"test_([0-9a-f]{8}_[0-9a-f]{12}|making)_(?P<pid>[0-9]+)_[0-9]+")
_numbers = itertools.count(1)


def copy_of_template(addons: Iterable[str]) -> str:
    """A new database with *addons* installed; returns its name. The caller drops it."""
    template = ensure_template(addons)
    name = f"test_{template.removeprefix(PREFIX)}_{os.getpid()}_{next(_numbers)}"
    sql.drop_database(name)
    sql.create_database(name, template)
    with sql.connect(name).cursor() as cr:
        identity.adopt(cr)  # a copy would sleep otherwise: it runs no job
    return name


def import_addons(addons: Iterable[str]) -> None:
    """Import addons and what they depend on, as the load of a registry does."""
    for name in closure(addons):
        import_addon(manifest_of(name))


def drop_copy(name: str) -> None:
    Registry.delete(name)
    sql.drop_database(name)


def ensure_template(addons: Iterable[str]) -> str:
    """The template of *addons* as their files are now, made if need be; returns its name."""
    names = tuple(closure(addons))
    family = PREFIX + _digest([",".join(sorted(names)).encode()])[:8] + "_"
    template = family + _state_of_files(names)
    if not sql.database_exists(template):
        _make(template, names)
        _drop_old(family)
    return template


def _make(template: str, names: tuple[str, ...]) -> None:
    """Install aside, then rename: nobody copies half of a template."""
    aside = f"test_making_{os.getpid()}_{next(_numbers)}"
    sql.drop_database(aside)
    sql.create_database(aside)
    try:
        modules.initialise(aside)
        modules.install(aside, [name for name in names if name != "base"])
        Registry.delete(aside)
        _stamp(aside)
        _rename(aside, template)
    finally:
        drop_copy(aside)


def _stamp(name: str) -> None:
    statement = sql.composed.SQL("COMMENT ON DATABASE {} IS {}").format(
        sql.composed.Identifier(name), sql.composed.Literal(datetime.now(UTC).isoformat())
    )
    with sql.current_server().maintenance() as cr:
        cr.execute(statement)


def _rename(name: str, template: str) -> None:
    sql.close_all(name)
    statement = sql.composed.SQL("ALTER DATABASE {} RENAME TO {}").format(
        sql.composed.Identifier(name), sql.composed.Identifier(template)
    )
    # Another process may have made the same one meanwhile.
    with sql.current_server().maintenance() as cr, suppress(sql.errors.DuplicateDatabase):
        cr.execute(statement)


@lru_cache
def _state_of_files(names: tuple[str, ...]) -> str:
    """What the files are when this process asks first: it has imported them by then."""
    return _digest(_files_of(names))[:12]


def _files_of(names: tuple[str, ...]) -> Iterable[bytes]:
    """Path and content of every file that the addons, and the framework itself, consist of."""
    framework = Path(connector.__file__).parent
    for top in sorted({framework, *(manifest_of(name).path for name in names)}):
        for path in sorted(top.rglob("*")):
            if path.is_file() and not _IGNORED & {path.suffix, *path.parts}:
                yield str(path.relative_to(top)).encode()
                yield path.read_bytes()


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def _drop_old(family: str) -> None:
    with sql.current_server().maintenance() as cr:
        cr.execute(
            "SELECT datname FROM pg_database"
            " WHERE starts_with(datname, %s)"
            " ORDER BY coalesce(shobj_description(oid, 'pg_database'), '') DESC OFFSET %s",
            (family, KEPT),
        )
        old = [name for (name,) in cr.fetchall()]
    for name in old:
        sql.drop_database(name)


def drop_orphans() -> None:
    """Drop the copies of test runs of this machine that were killed."""
    with sql.current_server().maintenance() as cr:
        cr.execute("SELECT datname FROM pg_database")
        names = [name for (name,) in cr.fetchall()]
    for name in names:
        match = _COPY.fullmatch(name)
        if match and not _is_running(int(match["pid"])):
            sql.drop_database(name)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
