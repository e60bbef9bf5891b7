"""Connector units and their environment."""

from types import SimpleNamespace
from uuid import UUID

import pytest

from connector.connector import (
    Binder,
    ConnectorEnvironment,
    ConnectorUnit,
    external_key,
    get_openerp_module,
    is_module_installed,
    lock_name,
)
from connector.exception import InvalidExternalIdError


def test_unit_knows_its_addon():
    """
    A class carries the addon it was declared in, under its old name too.
    """

    class Unit(ConnectorUnit):
        _model_name = "shop.partner"

    assert Unit._module == Unit._openerp_module_ == "shop"
    assert ConnectorUnit._module == "connector"


def test_models_of_a_unit_are_always_several():
    """
    `for_model_names` gives names, however they were written.
    """

    class One(ConnectorUnit):
        _model_name = "shop.partner"

    class Two(ConnectorUnit):
        _model_name = ["shop.partner", "shop.order"]

    assert One.for_model_names == ("shop.partner",)
    assert Two.for_model_names == ("shop.partner", "shop.order")
    with pytest.warns(DeprecationWarning, match="for_model_names"):
        assert One.model_name == ("shop.partner",)


def test_unit_matches_a_model_or_its_name(session):
    """
    A unit matches by name and by model.
    """

    class Unit(ConnectorUnit):
        _model_name = "shop.partner"

    assert Unit.match(session, "shop.partner")
    assert Unit.match(session, SimpleNamespace(_name="shop.partner"))
    assert not Unit.match(session, "shop.order")


def test_unit_for_another_model_propagates(shop, session):
    """
    An environment made for another model is of the same class and carries the same client.
    """

    class ClientEnvironment(ConnectorEnvironment):
        _propagate_kwargs = ["client"]

        def __init__(self, backend_record, session, model_name, client=None):
            super().__init__(backend_record, session, model_name)
            self.client = client

    @shop
    class PartnerUnit(ConnectorUnit):
        _model_name = "shop.partner"

    @shop
    class OrderBinder(Binder):
        _model_name = "shop.order"

    record = SimpleNamespace(id=1, _name="shop.backend", get_backend=lambda: shop)
    env = ClientEnvironment(record, session, "shop.partner", client="a client")

    binder = env.get_connector_unit(PartnerUnit).binder_for("shop.order")

    assert type(binder) is OrderBinder
    assert type(binder.connector_env) is ClientEnvironment
    assert binder.connector_env.client == "a client"
    assert binder.model._name == "shop.order"


def test_unit_for_the_same_model_keeps_the_environment(shop, connector_env):
    """
    Units of one model share one environment, and each look-up makes a new unit.
    """

    @shop
    class PartnerBinder(Binder):
        _model_name = "shop.partner"

    binder = connector_env.get_connector_unit(Binder)

    assert binder.unit_for(Binder, "shop.partner").connector_env is connector_env
    assert binder.unit_for(Binder) is not binder.unit_for(Binder)


@pytest.mark.parametrize("external_id", [0, "0", 7, "abc", UUID(int=7)])
def test_external_ids_are_kept_as_text(external_id):
    """
    Zero is an id, and an id is kept as text.
    """
    assert external_key(external_id) == str(external_id)


@pytest.mark.parametrize("external_id", [None, False, True, "", 1.0, b"7", [7], {}])
def test_what_is_no_external_id_is_refused(external_id):
    """
    Emptiness, truth values and other types are no ids; old code catches AssertionError.
    """
    with pytest.raises(InvalidExternalIdError) as caught:
        external_key(external_id)
    assert isinstance(caught.value, AssertionError)


def test_lock_name_is_the_same_for_number_and_text():
    """
    A record has one lock name, whether its id comes as number or text, with model or name.
    """
    record = SimpleNamespace(_name="shop.backend", id=3)
    model = SimpleNamespace(_name="shop.partner")

    name = "import_record:shop.backend:3:shop.partner:7"
    assert lock_name("import_record", record, model, 7) == name
    assert lock_name("import_record", record, "shop.partner", "7") == name


def test_addon_of_a_function_and_its_installation(session):
    """
    The addon of a function is known, and whether a database has it.
    """

    def function():
        pass

    assert get_openerp_module(function) == "shop"
    assert is_module_installed(session.env, "shop")
    assert not is_module_installed(session.env, "sale")
