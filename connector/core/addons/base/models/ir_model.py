"""Models about models: those of the code, reflected, and those that users make."""

import re
from typing import Any

from connector.core import api, fields, models
from connector.core.addons.base import manual, reflection
from connector.core.exceptions import UserError, ValidationError

#: what a model is: another would be another model
FIXED = frozenset({"model", "state", "transient"})
MANUAL_NAME = re.compile(r"x_[a-z0-9_.]+\Z")


class IrModel(models.Model):
    """One model; state `manual` for those that exist in this database alone."""

    _name = "ir.model"
    _description = "Models"
    _order = "model"
    _sql_constraints = [
        ("obj_name_uniq", "unique(model)", "There is a model of this name already."),
    ]

    name = fields.Char("Model Description", required=True)
    model = fields.Char(required=True, default="x_")
    info = fields.Text("Information")
    state = fields.Selection(
        [("manual", "Custom Object"), ("base", "Base Object")], "Type", default="manual"
    )
    transient = fields.Boolean("Transient Model")
    field_id = fields.One2many("ir.model.fields", "model_id", "Fields")
    access_ids = fields.One2many("ir.model.access", "model_id", "Access")

    @api.constrains("model", "state")
    def _check_manual_name(self) -> None:
        for record in self:
            if record.state == "manual" and not MANUAL_NAME.match(record.model):
                raise ValidationError(
                    f"A custom model cannot be named {record.model!r}: the name starts with 'x_' "
                    "and goes on with small letters, digits, dots and underscores."
                )

    def create(self, values: Any) -> Any:
        records = super().create(values)
        made = records.filtered(lambda record: record.state == "manual")
        if made:
            manual.apply(self.env, made.mapped("model"))
        return records

    def write(self, values: Any) -> bool:
        """Change what is said of models; what they are stays."""
        for record in self:
            for name in FIXED & values.keys():
                if values[name] != record[name]:
                    raise UserError(
                        f"The {name} of the model {record.model!r} cannot be changed. "
                        "Delete the model and make another."
                    )
        return bool(super().write(values))

    def unlink(self) -> bool:
        """Delete custom models with their tables."""
        kept = self.filtered(lambda record: record.state != "manual")
        if kept:
            raise UserError(
                f"The model {kept[0].model!r} belongs to an addon. Remove the addon instead."
            )
        names = self.mapped("model")
        manual.drop_tables(self.env, names)
        done = super().unlink()
        manual.apply(self.env, [])
        return bool(done)

    def _add_manual_models(self) -> None:
        """Bring the custom models and fields of the database into the registry."""
        manual.add_to_registry(self.env)

    def _reflect_models(self, model_names: list[str]) -> None:
        """Write models and fields of the code into the tables, and give them external ids."""
        reflection.reflect(self.env, model_names)
