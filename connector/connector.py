"""
The face of the connector: its units, the environment they share, the binder and record locks.

A `ConnectorEnvironment` is a backend record, a session and a model.  It finds the unit of a kind
for them; a unit finds its neighbours through it.
"""

from connector.binder import Binder, ExternalId, external_key
from connector.connector_unit import (  # noqa: F401 - 8.0 gave the two with an underscore here
    ConnectorEnvironment,
    ConnectorUnit,
    MetaConnectorUnit,
    _get_addon_name,
    _get_openerp_module_name,
    get_environment,
    get_odoo_module,
    get_openerp_module,
    is_module_installed,
)
from connector.deprecate import DeprecatedClass, log_deprecate
from connector.record_lock import held_locks, lock_name, pg_try_advisory_lock, try_locks

__all__ = [
    "Binder",
    "ConnectorEnvironment",
    "ConnectorUnit",
    "Environment",
    "ExternalId",
    "MetaConnectorUnit",
    "external_key",
    "get_environment",
    "get_odoo_module",
    "get_openerp_module",
    "held_locks",
    "install_in_connector",
    "is_module_installed",
    "lock_name",
    "pg_try_advisory_lock",
    "try_locks",
]

Environment = DeprecatedClass("connector.connector.Environment", ConnectorEnvironment)


def install_in_connector() -> None:
    """Do nothing: an addon is known by its manifest.  8.0 called it in each addon."""
    log_deprecate("install_in_connector() is deprecated and does nothing: remove the call")
