"""Which record here is which record there: the framework's binder, for all of the shop's models."""

from connector.connector import Binder
from connector_example.backend import shop


@shop
class ShopBinder(Binder):
    _model_name = [
        "shop.genre",
        "shop.media.type",
        "shop.artist",
        "shop.album",
        "shop.track",
        "shop.employee",
        "shop.customer",
        "shop.invoice",
        "shop.invoice.line",
    ]
