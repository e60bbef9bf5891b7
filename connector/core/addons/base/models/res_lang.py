"""Languages."""

from connector.core import fields, models


class ResLang(models.Model):
    """A language that values may be translated to, and how it writes dates and numbers."""

    _name = "res.lang"
    _description = "Languages"
    _order = "active desc, name"
    _sql_constraints = [
        ("code_uniq", "unique(code)", "There is a language of this code already."),
    ]

    name = fields.Char(required=True)
    code = fields.Char("Locale Code", required=True)
    iso_code = fields.Char("ISO code")
    active = fields.Boolean(default=True)
    direction = fields.Selection(
        [("ltr", "Left-to-Right"), ("rtl", "Right-to-Left")], required=True, default="ltr"
    )
    date_format = fields.Char(required=True, default="%m/%d/%Y")
    time_format = fields.Char(required=True, default="%H:%M:%S")
    decimal_point = fields.Char("Decimal Separator", required=True, default=".")
    thousands_sep = fields.Char("Thousands Separator", default=",")
