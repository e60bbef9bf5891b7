"""The addon `base`: models about models, modules, users, partners and places."""

from connector.core.addons.base import models as models
