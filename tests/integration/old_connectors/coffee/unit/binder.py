# -*- coding: utf-8 -*-
from openerp.addons.connector.connector import Binder
from ..backend import coffee


@coffee
class CoffeeBinder(Binder):
    """Bind records and give the ids of the shop, which stand in a field of their own"""

    _model_name = ["coffee.res.partner", "coffee.res.partner.category", "coffee.address"]
    _external_field = "coffee_id"
