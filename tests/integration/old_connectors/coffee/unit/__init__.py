# -*- coding: utf-8 -*-
from . import backend_adapter
from . import binder
from . import mapper
from . import import_synchronizer
from . import export_synchronizer
from . import delete_synchronizer
