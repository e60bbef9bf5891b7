"""Old names work and say what to use instead."""

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
