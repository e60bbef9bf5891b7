"""
Models for the tests of the core, on a registry of their own.

A test module has a function ``declare`` that makes model classes; they are built into the
registry of a copy of the template database, once per module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from connector.core import sql
from connector.core.addon import declared_in
from connector.core.environment import Environment
from connector.core.models import MetaModel
from connector.core.registry import Registry
from connector.testing import templates

ADDON = "core_tests"
SUPERUSER_ID = 1

OpenEnv = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="module")
def world(servers: Any, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a database with the tables of the module's models."""
    name = templates.copy_of_template(["base"])
    before = list(MetaModel.module_to_models[ADDON])
    try:
        with declared_in(ADDON):
            request.module.declare()
        _build_models(name, MetaModel.module_to_models[ADDON][len(before) :])
        yield name
    finally:
        MetaModel.module_to_models[ADDON] = before
        templates.drop_copy(name)


def _build_models(db_name: str, classes: list[Any]) -> None:
    registry = Registry(db_name)
    with registry.cursor() as cr:
        built = [cls._build_model(registry, cr)._name for cls in classes]
        names = registry.descendants(built, "_inherit", "_inherits")
        registry.setup_models(cr)
        registry.init_models(cr, names, {"module": ADDON})


@pytest.fixture
def open_env(world: str) -> OpenEnv:
    """Opens an environment on a cursor of its own, rolled back at the end."""

    @contextmanager
    def opened(isolation_level: str | None = None, uid: int = SUPERUSER_ID) -> Iterator[Any]:
        with Environment.manage():
            cr = sql.connect(world).cursor(isolation_level)
            try:
                yield Environment(cr, uid, {})
            finally:
                cr.close()

    return opened


@pytest.fixture
def env(open_env: OpenEnv) -> Iterator[Any]:
    """An environment of the superuser in one transaction, which is rolled back."""
    with open_env() as environment:
        yield environment
