"""Old names work and say what to use instead."""

import logging

import pytest

from connector.connector import (
    ConnectorEnvironment,
    ConnectorUnit,
    Environment,
    install_in_connector,
)
from connector.unit.synchronizer import Importer, ImportSynchronizer


@pytest.fixture
def unit(connector_env):
    return ConnectorUnit(connector_env)


def test_old_class_name_makes_the_new_class(connector_env):
    """
    An old name can be called, derived from and asked for attributes, each with a warning.
    """
    record, session = connector_env.backend_record, connector_env.session
    with pytest.warns(DeprecationWarning, match=r"use connector\..*ConnectorEnvironment"):
        assert type(Environment(record, session, "shop.partner")) is ConnectorEnvironment
    with pytest.warns(DeprecationWarning, match="ImportSynchronizer is deprecated"):

        class Old(ImportSynchronizer):
            pass

    assert issubclass(Old, Importer)
    with pytest.warns(DeprecationWarning, match="use connector"):
        assert ImportSynchronizer._base_mapper is Importer._base_mapper


def test_old_methods_warn_and_work(unit, shop, connector_env):
    """
    Old methods of a unit do what the new ones do.
    """
    shop(type("Unit", (ConnectorUnit,), {"_model_name": "shop.partner", "__module__": __name__}))

    with pytest.warns(DeprecationWarning, match="use connector_env"):
        assert unit.environment is connector_env
    with pytest.warns(DeprecationWarning, match="use unit_for"):
        assert isinstance(unit.get_connector_unit_for_model(ConnectorUnit), ConnectorUnit)
    with pytest.warns(DeprecationWarning, match="remove the call"):
        install_in_connector()
    with pytest.raises(DeprecationWarning, match="get_environment"):
        connector_env.set_lang("sv_SE")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_caller_is_named_in_its_own_log(caplog):
    """
    The logger of the caller's module says what is deprecated, with function and line.
    """
    with caplog.at_level(logging.WARNING, logger=__name__):
        install_in_connector()

    [record] = caplog.records
    assert record.name == __name__
    assert record.getMessage().startswith("test_caller_is_named_in_its_own_log, line ")
    assert "install_in_connector() is deprecated" in record.getMessage()


def test_unit_is_found_by_an_old_class_name(shop, connector_env):
    """
    A unit may still be asked for by the old name of its kind.
    """
    attributes = {"_model_name": "shop.partner", "__module__": __name__}
    unit_class = shop(type(Importer)("Unit", (Importer,), attributes))

    unit = connector_env.get_connector_unit(ImportSynchronizer)

    assert type(unit) is unit_class
    assert isinstance(unit, ImportSynchronizer)
    assert not issubclass(ConnectorUnit, ImportSynchronizer)
