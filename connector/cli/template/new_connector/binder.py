"""Which record here is which there: the framework's binder, for all binding models."""

from connector.connector import Binder

from new_connector.backend import backend


@backend
class BindingBinder(Binder):
    _model_name = ["new_connector.partner"]
