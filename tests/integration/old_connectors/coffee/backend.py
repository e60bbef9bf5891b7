# -*- coding: utf-8 -*-
import openerp.addons.connector.backend as backend

coffee = backend.Backend("coffee")
coffee1 = backend.Backend(parent=coffee, version="1.0")
coffee2 = backend.Backend(parent=coffee, version="2.0")
