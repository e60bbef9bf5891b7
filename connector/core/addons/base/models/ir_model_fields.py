"""Fields of models: those of the code, reflected, and those that users add."""

from typing import Any

from connector.core import api, fields, models
from connector.core.addons.base import manual
from connector.core.exceptions import UserError, ValidationError

TYPES = (
    "binary", "boolean", "char", "date", "datetime", "float", "html", "integer", "json",
    "many2many", "many2one", "one2many", "reference", "selection", "serialized", "text",
)  # fmt: skip


#: what a field is: another would be another field
FIXED = frozenset({"model", "model_id", "state", "ttype"})


class IrModelFields(models.Model):
    """One field of one model; state `manual` for those that exist in this database alone."""

    _name = "ir.model.fields"
    _description = "Fields"
    _order = "name"
    _rec_name = "field_description"
    _sql_constraints = [
        ("name_unique", "unique(model, name)", "The model has a field of this name already."),
    ]

    name = fields.Char("Field Name", required=True, default="x_", index=True)
    model = fields.Char("Object Name", required=True, index=True)
    model_id = fields.Many2one("ir.model", "Model", required=True, index=True, ondelete="cascade")
    field_description = fields.Char("Field Label", required=True, default="")
    ttype = fields.Selection([(kind, kind) for kind in TYPES], "Field Type", required=True)
    help = fields.Text("Field Help")
    relation = fields.Char("Object Relation")
    relation_field = fields.Char()
    relation_table = fields.Char()
    column1 = fields.Char("Column 1")
    column2 = fields.Char("Column 2")
    selection = fields.Char("Selection Options", default="")
    related = fields.Char("Related Field")
    depends = fields.Char("Dependencies")
    size = fields.Integer()
    on_delete = fields.Selection(
        [("cascade", "Cascade"), ("set null", "Set NULL"), ("restrict", "Restrict")],
        default="set null",
    )
    required = fields.Boolean()
    readonly = fields.Boolean()
    index = fields.Boolean("Indexed")
    copied = fields.Boolean(default=True)
    store = fields.Boolean("Stored", default=True)
    translate = fields.Boolean("Translatable")
    state = fields.Selection(
        [("manual", "Custom Field"), ("base", "Base Field")], "Type", required=True,
        default="manual",
    )  # fmt: skip

    @api.constrains("name", "state")
    def _check_manual_name(self) -> None:
        for record in self:
            if record.state == "manual" and not (
                record.name.startswith("x_") and record.name.isidentifier()
            ):
                raise ValidationError(
                    f"A custom field cannot be named {record.name!r}: the name starts with 'x_' "
                    "and goes on with letters, digits and underscores."
                )

    def create(self, values: Any) -> Any:
        given = [values] if isinstance(values, dict) else values
        records = super().create([self._completed(each) for each in given])
        changed = records.filtered(lambda record: record.state == "manual").mapped("model")
        if changed:
            manual.apply(self.env, changed)
        return records

    def write(self, values: Any) -> bool:
        """Change custom fields; a column follows the name of its field."""
        self._check_custom("Change the code of the addon")
        for record in self:
            for field in [record._fields[name] for name in FIXED & values.keys()]:
                if field.to_cache(values[field.name], record) != record._known(field):
                    raise UserError(
                        f"The {field.name} of the field {record.model}.{record.name} cannot be "
                        "changed. Delete the field and make another."
                    )
            if values.get("name", record.name) != record.name:
                manual.rename_column(self.env, record.model, record.name, values["name"])
        done = super().write(values)
        manual.apply(self.env, self.mapped("model"))
        return bool(done)

    def unlink(self) -> bool:
        """Delete custom fields with their columns."""
        self._check_custom("Remove the addon")
        manual.drop_columns(self.env, [(record.model, record.name) for record in self])
        done = super().unlink()
        manual.apply(self.env, [])
        return bool(done)

    def _check_custom(self, instead: str) -> None:
        for record in self:
            if record.state != "manual":
                raise UserError(
                    f"The field {record.model}.{record.name} belongs to an addon. "
                    f"{instead} instead."
                )

    def _completed(self, values: dict[str, Any]) -> dict[str, Any]:
        """Model name and model id, of which one may be left out."""
        values = dict(values)
        known = self.env["ir.model"].sudo()
        if values.get("model_id") and not values.get("model"):
            values["model"] = known.browse(values["model_id"]).model
        elif values.get("model") and not values.get("model_id"):
            values["model_id"] = known.search([("model", "=", values["model"])]).id
        if values.get("ttype") == "many2many" and not values.get("related"):
            # Said once, so that the links stay with a field that is renamed.
            values.setdefault(
                "relation_table",
                manual.relation_table(values.get("model") or "", values.get("name") or ""),
            )
        return values
