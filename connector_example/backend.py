"""The shop as a backend.  A version of its API that differs gets a child: `shop_1_0` is one."""

from connector.backend import Backend

shop = Backend("shop")
shop_1_0 = Backend(parent=shop, version="1.0")
