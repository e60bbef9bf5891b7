"""The embedded core: models, fields and environments; it knows nothing of connectors."""

from connector.core.tools import SUPERUSER_ID, _

__all__ = ["SUPERUSER_ID", "_"]
