"""The settings of the connector: a page that other addons add their options to."""

from connector.core import models


class ConnectorConfigSettings(models.TransientModel):
    """Empty here; an addon inherits it and adds its fields."""

    _name = "connector.config.settings"
    _description = "Connector Configuration"
