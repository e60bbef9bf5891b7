"""Countries and their states."""

from connector.core import fields, models


class ResCountry(models.Model):
    """A country of ISO 3166-1."""

    _name = "res.country"
    _description = "Country"
    _order = "name"
    _sql_constraints = [
        ("name_uniq", "unique(name)", "There is a country of this name already."),
        ("code_uniq", "unique(code)", "There is a country of this code already."),
    ]

    name = fields.Char("Country Name", required=True)
    code = fields.Char("Country Code", size=2, required=True, help="ISO 3166-1, two letters.")
    phone_code = fields.Integer("Country Calling Code")
    state_ids = fields.One2many("res.country.state", "country_id", "States")


class ResCountryState(models.Model):
    """A state, province or region of ISO 3166-2."""

    _name = "res.country.state"
    _description = "Country state"
    _order = "code"
    _sql_constraints = [
        (
            "name_code_uniq",
            "unique(country_id, code)",
            "The country has a state of this code already.",
        ),
    ]

    country_id = fields.Many2one("res.country", "Country", required=True, ondelete="cascade")
    name = fields.Char("State Name", required=True)
    code = fields.Char("State Code", required=True, help="ISO 3166-2, without the country.")
