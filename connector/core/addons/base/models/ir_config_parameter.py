"""Parameters of the database: keys and texts."""

from typing import Any

from connector.core import api, fields, models


class IrConfigParameter(models.Model):
    """One parameter; read with `get_param`, written with `set_param`."""

    _name = "ir.config_parameter"
    _description = "System Parameter"
    _rec_name = "key"
    _order = "key"
    _sql_constraints = [
        ("key_uniq", "unique(key)", "There is a parameter of this key already."),
    ]

    key = fields.Char(required=True)
    value = fields.Text(required=True)

    @api.model
    def get_param(self, key: str, default: Any = False) -> Any:
        """
        The value of a parameter, else *default*.

        Raises:
            AccessError: the user may not read parameters; code that needs one asks with `sudo()`.
        """
        self.check_access_rights("read")
        parameter = self.sudo()._lookup_by_key(("key",), (key,))
        return parameter.value if parameter else default

    @api.model
    def set_param(self, key: str, value: Any) -> Any:
        """
        Set a parameter, or with False or None remove it; returns the value before.

        Raises:
            AccessError: the user may not write parameters.
        """
        self.check_access_rights("write")
        parameter = self.sudo()._lookup_by_key(("key",), (key,))
        before = parameter.value if parameter else False
        if value is False or value is None:
            parameter.unlink()
        elif parameter:
            parameter.write({"value": str(value)})
        else:
            self.sudo().create({"key": key, "value": str(value)})
        return before
