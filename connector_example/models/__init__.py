"""What is kept here, a file per subject: the records, and their bindings to the shop."""

from connector_example.models import binding, music, partner, sale, shop_backend

__all__ = ["binding", "music", "partner", "sale", "shop_backend"]
