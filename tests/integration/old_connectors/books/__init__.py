# -*- coding: utf-8 -*-
from . import books
from . import author
