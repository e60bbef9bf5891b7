"""Light stand-ins for session and models, for what needs no database."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from connector.backend import Backend, BackendRegistry
from connector.connector import ConnectorEnvironment
from connector.core.addon import declared_in


class FakeField(SimpleNamespace):
    """A field as units see it: its type and, for relations, its comodel."""

    type: str
    comodel_name: str | None = None


class FakeModel:
    """A model as a mapper sees it: its name and its fields."""

    def __init__(self, name: str, fields: dict[str, FakeField] | None = None) -> None:
        self._name = name
        self._fields = fields or {}


class FakeEnv(dict[str, FakeModel]):
    """Models by name, and a registry that says which addons are installed."""

    def __init__(self, *installed: str) -> None:
        self.registry = SimpleNamespace(_init_modules=set(installed))
        self.context: dict[str, Any] = {}

    def __missing__(self, name: str) -> FakeModel:
        self[name] = FakeModel(name)
        return self[name]


class FakeSession:
    """A session without a database."""

    def __init__(self, *installed: str) -> None:
        self.env = FakeEnv(*installed)
        self.context: dict[str, Any] = {}


@pytest.fixture
def session() -> FakeSession:
    """A session in whose database the addon `shop` is installed."""
    return FakeSession("shop")


@pytest.fixture(autouse=True)
def _classes_belong_to_shop() -> Any:
    """Classes declared in a test belong to the addon `shop`."""
    with declared_in("shop"):
        yield


@pytest.fixture
def registry() -> BackendRegistry:
    """A registry of backends that no other test sees."""
    return BackendRegistry()


@pytest.fixture
def shop(registry: BackendRegistry) -> Backend:
    """A backend without a unit."""
    return Backend("shop", registry=registry)


@pytest.fixture
def connector_env(shop: Backend, session: FakeSession) -> ConnectorEnvironment:
    """The environment of the backend `shop` and the model `shop.partner`."""
    record = SimpleNamespace(id=1, _name="shop.backend", get_backend=lambda: shop)
    return ConnectorEnvironment(record, session, "shop.partner")  # type: ignore[arg-type]
