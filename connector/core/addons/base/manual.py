"""Custom models and fields: kept as rows of `ir_model` and `ir_model_fields`, built from them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from connector.core import fields, models
from connector.core.modules.values import evaluate
from connector.core.sql import schema

_TYPES = {
    field_class.type: field_class
    for field_class in (
        fields.Binary, fields.Boolean, fields.Char, fields.Date, fields.Datetime, fields.Float,
        fields.Html, fields.Integer, fields.Json, fields.Many2many, fields.Many2one,
        fields.One2many, fields.Reference, fields.Selection, fields.Serialized, fields.Text,
    )
}  # fmt: skip


def apply(env: Any, model_names: Iterable[str]) -> None:
    """
    Set the registry up anew after a change of custom models or fields, and make their tables.

    Other processes follow after the commit; a rollback sets this registry up once more.
    """
    registry, cr = env.registry, env.cr
    env.flush()  # the registry is built from rows that may still wait
    # First of all: a definition that cannot be set up has to be taken out again.
    cr.postrollback.add(lambda: registry.setup_models(cr))
    registry.setup_models(cr)
    registry.init_models(cr, list(dict.fromkeys(model_names)), {"update_custom_fields": True})
    cr.postcommit.add(registry.signal_registry_change)


def add_to_registry(env: Any) -> None:
    """Replace the custom definitions in the registry by those of the database."""
    registry = env.registry
    added = registry.__dict__.setdefault("_manual_definitions", {})
    for model_name, definition in list(added.items()):
        _take_out(registry, model_name, definition)
        del added[model_name]
    if not schema.table_exists(env.cr, "ir_model_fields"):
        return  # the database is being made
    rows = _field_rows(env.cr)
    env.cr.execute_unflushed("SELECT model, name, transient FROM ir_model WHERE state = 'manual'")
    for model_name, description, transient in env.cr.fetchall():
        base = models.TransientModel if transient else models.Model
        added[model_name] = _define(
            base, {"_name": model_name, "_description": description}, rows.pop(model_name, [])
        )
        added[model_name]._build_model(registry, env.cr)
    for model_name, field_rows in rows.items():
        if model_name in registry.models:
            base = _base_of(registry.models[model_name])
            added[model_name] = _define(base, {"_inherit": model_name}, field_rows)
            added[model_name]._build_model(registry, env.cr)


def _field_rows(cr: Any) -> dict[str, list[dict[str, Any]]]:
    cr.execute_unflushed("SELECT * FROM ir_model_fields WHERE state = 'manual' ORDER BY id")
    grouped: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in cr.dictfetchall():
        grouped[row["model"]].append(row)
    return grouped


def _base_of(model: Any) -> Any:
    if model._transient:
        return models.TransientModel
    return models.AbstractModel if model._abstract else models.Model


def _define(base: Any, attributes: dict[str, Any], rows: Sequence[dict[str, Any]]) -> Any:
    """A class as an addon would declare it, but known to no addon."""
    body = {"_custom": True, "__module__": __name__, "__doc__": None, **attributes}
    if "_name" in attributes and not any(row["name"] == "x_name" for row in rows):
        body["x_name"] = fields.Char("Name")
    body.update((row["name"], _field(row)) for row in rows)
    definition = type(base)(f"Custom_{id(rows)}", (base,), body)
    definition._module = "base"
    return definition


def _field(row: dict[str, Any]) -> Any:
    arguments: dict[str, Any] = {
        "string": row["field_description"] or row["name"],
        "help": row["help"],
        "required": bool(row["required"]),
        "readonly": bool(row["readonly"]),
        "index": bool(row["index"]),
        "copy": bool(row["copied"]),
        "manual": True,
    }
    kind = row["ttype"]
    if row["related"]:
        arguments |= {"related": row["related"], "store": bool(row["store"])}
    if kind == "selection":
        arguments["selection"] = evaluate(row["selection"] or "[]", {})
    elif kind in ("many2one", "one2many", "many2many"):
        arguments["comodel_name"] = row["relation"]
    if kind in ("char", "text", "html") and row["translate"]:
        arguments["translate"] = True
    if kind == "char" and row["size"]:
        arguments["size"] = row["size"]
    if kind == "many2one" and not row["related"]:
        arguments["ondelete"] = row["on_delete"] or "set null"
    if kind == "one2many":
        arguments["inverse_name"] = row["relation_field"]
    if kind == "many2many" and not row["related"]:
        # A table of the field's own: the one that the two models have by default may be taken.
        own = schema.short_name(f"x_{row['model'].replace('.', '_')}_{row['name']}_rel")
        arguments["relation"] = row["relation_table"] or own
        arguments |= {name: row[name] or f"id{name[-1]}" for name in ("column1", "column2")}
    return _TYPES[kind](**arguments)


def _take_out(registry: Any, model_name: str, definition: Any) -> None:
    model = registry.models.get(model_name)
    if model is None:
        return
    bases = [base for base in model.__bases__ if base is not definition]
    if all(base.__dict__.get("_register") is False for base in bases) or not bases:
        del registry.models[model_name]
        return
    model.__bases__ = tuple(bases)
    model._definitions = [base for base in model._definitions if base is not definition]


def drop_tables(env: Any, model_names: Iterable[str]) -> None:
    """Drop the tables of custom models."""
    for name in model_names:
        schema.drop_table(env.cr, env.registry[name]._table)


def drop_columns(env: Any, names: Iterable[tuple[str, str]]) -> None:
    """Drop the columns of custom fields."""
    for model_name, field_name in names:
        model = env.registry.models.get(model_name)
        field = model._fields.get(field_name) if model else None
        if field is not None and field.is_column and model._auto:
            schema.drop_column(env.cr, model._table, field_name)
        elif field is not None and field.type == "many2many" and field.store:
            schema.drop_table(env.cr, field.relation)


def rename_column(env: Any, model_name: str, old: str, new: str) -> None:
    """Give the column of a custom field, where it has one, the field's new name."""
    model = env.registry.models.get(model_name)
    field = model._fields.get(old) if model else None
    if field is not None and field.is_column and model._auto and new not in model._fields:
        env.flush()
        schema.rename_column(env.cr, model._table, old, new)
