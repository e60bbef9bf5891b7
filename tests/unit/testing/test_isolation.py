"""What one test declares, the next one does not see."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from connector.backend import BACKENDS, Backend
from connector.connector import Binder
from connector.core import models
from connector.core.models import MetaModel
from connector.event import Event, on_record_create, on_record_write
from connector.exception import NoConnectorUnitError
from connector.queue.job import JOB_REGISTRY, job
from connector.testing.isolation import Declared

pytestmark = pytest.mark.declared_in("shop")

#: Declared by this module, so it is there in all its tests.
galaxy = Backend("galaxy")
arrived = Event()


def consumer(session: Any, model_name: str, record_id: int, vals: Any = None) -> None:
    """Take an event."""


@pytest.fixture(autouse=True)
def _classes_belong_to_shop() -> None:
    """Not by the fixture of all unit tests: here the mark says it."""


def declare_everything() -> None:
    Backend("nebula")
    Backend(parent=galaxy, version="2")

    @galaxy
    class OwnBinder(Binder):
        _model_name = "galaxy.planet"

    @galaxy(replacing=OwnBinder)
    class OtherBinder(OwnBinder):
        pass

    class Planet(models.Model):
        _name = "galaxy.planet"

    on_record_create.subscribe(consumer, "galaxy.planet")
    arrived.subscribe(consumer)
    job(consumer)


def assert_clean() -> None:
    assert {each for each in BACKENDS.backends if each.service in ("galaxy", "nebula")} == {galaxy}
    assert list(galaxy.entries()) == []
    assert galaxy._children == []
    assert consumer not in on_record_create._consumers.get("galaxy.planet", ())
    assert consumer not in arrived._consumers[None]
    assert consumer not in JOB_REGISTRY
    assert "galaxy.planet" not in {
        cls._name for classes in MetaModel.module_to_models.values() for cls in classes
    }


@pytest.mark.parametrize("turn", ["first", "second"])
def test_what_a_test_declares_ends_with_it(turn: str) -> None:
    """Each of two tests declares the same, and finds nothing of the other one."""
    assert_clean()

    declare_everything()

    assert len(list(galaxy.entries())) == 2


def test_a_look_up_that_was_remembered_is_forgotten(session: Any) -> None:
    """A class found in a test is not found once its registration has ended."""
    before = Declared.now()

    @galaxy
    class PlainBinder(Binder):
        _model_name = "galaxy.planet"

    assert galaxy.get_class(Binder, session, "galaxy.planet") is PlainBinder

    before.restore(set())

    with pytest.raises(NoConnectorUnitError, match="No Binder"):
        galaxy.get_class(Binder, session, "galaxy.planet")


def test_a_module_imported_in_a_test_keeps_what_it_declares(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An addon is imported only once, so its backends and units outlive the test that did it."""
    before = Declared.now()
    module = ModuleType("addon_of_a_test")
    source = (
        "from connector.backend import Backend\n"
        "from connector.connector import Binder\n"
        "from connector.event import on_record_write\n"
        "comet = Backend('comet')\n"
        "@comet\n"
        "class CometBinder(Binder):\n"
        "    _model_name = 'comet.tail'\n"
        "@on_record_write\n"
        "def follow(session, model_name, record_id, vals): pass\n"
        "from connector.unit.exporter import delay_export\n"
        "on_record_write.subscribe(delay_export, 'comet.tail')\n"
    )
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(source, vars(module))

    before.restore({module.__name__})

    assert module.comet in BACKENDS.backends
    assert [entry.unit_class for _, entry in module.comet.entries()] == [module.CometBinder]
    assert module.follow in on_record_write._consumers[None]
    assert module.delay_export in on_record_write._consumers["comet.tail"]
    before.restore(set())
    assert module.comet not in BACKENDS.backends
    assert module.follow not in on_record_write._consumers[None]
    assert module.delay_export not in on_record_write._consumers["comet.tail"]


def test_the_registry_of_backends_can_be_empty(backend_registry: Any) -> None:
    """With `backend_registry` a test meets no backend but its own."""
    assert backend_registry.backends == set()

    own = Backend("galaxy")

    assert backend_registry.get_backend("galaxy") is own


@pytest.mark.declared_in("nebula")
def test_a_mark_says_whose_classes_a_test_declares() -> None:
    """Under the mark `declared_in`, classes of the test belong to the addon it names."""

    class OwnBinder(Binder):
        _model_name = "galaxy.planet"

    assert OwnBinder._module == "nebula"


@pytest.fixture(scope="module")
def _declared_by_the_module() -> None:
    declare_everything()


class TestWiderScopes:
    """A fixture of a module declares for all of its tests."""

    @pytest.mark.usefixtures("_declared_by_the_module")
    @pytest.mark.parametrize("turn", ["first", "second"])
    def test_declarations_of_a_module_fixture_stay(self, turn: str) -> None:
        """What a fixture of the module declares is there in each of its tests."""
        assert len(list(galaxy.entries())) == 2
