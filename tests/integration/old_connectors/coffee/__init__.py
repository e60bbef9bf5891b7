# -*- coding: utf-8 -*-
from . import backend
from . import unit
from . import related_action
from . import coffee_model
from . import consumer
from . import partner
