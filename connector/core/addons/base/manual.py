"""Custom models and fields: kept as rows of `ir_model` and `ir_model_fields`, built from them."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from connector.core import fields
from connector.core.exceptions import ValidationError
from connector.core.models import AbstractModel, Model, TransientModel
from connector.core.modules.values import evaluate
from connector.core.sql import schema

_TYPES = {
    field_class.type: field_class
    for field_class in (
        fields.Binary, fields.Boolean, fields.Char, fields.Date, fields.Datetime, fields.Float,
        fields.Html, fields.Integer, fields.Many2many, fields.Many2one,
        fields.One2many, fields.Reference, fields.Selection, fields.Serialized, fields.Text,
    )
}  # fmt: skip
_TYPES["json"] = fields.Json  # by its other name
#: what names a record of a custom model, unless it has such a field of its own
_NAME = {"x_name": fields.Char("Name")}


def apply(env: Any, model_names: Iterable[str]) -> None:
    """
    Set the registry up anew after a change of custom models or fields, and make their tables.

    Other processes follow after the commit; a rollback sets this registry up once more.
    """
    registry, cr = env.registry, env.cr
    env.flush()  # the registry is built from rows that may still wait
    # First of all: a definition that cannot be set up has to be taken out again.
    cr.postrollback.add(lambda: _take_back(registry, cr))
    registry.setup_models(cr)
    registry.init_models(cr, list(dict.fromkeys(model_names)), {"update_custom_fields": True})
    cr.postcommit.add(registry.signal_registry_change)


def _take_back(registry: Any, cr: Any) -> None:
    """Leave what was rolled back; with the connection lost, the next question builds anew."""
    if cr.connection.closed:
        type(registry).delete(registry.db_name)
    else:
        registry.setup_models(cr)


def add_to_registry(env: Any) -> None:
    """
    Replace the custom definitions in the registry by those of the database.

    A custom model is a class of its own as long as it exists, so that its records outlive a
    change; its fields, like those added to models of addons, come by a class that extends it.
    """
    registry, cr = env.registry, env.cr
    for model_name, extension in registry.manual_extensions.items():
        _take_out(registry.models[model_name], extension)
    registry.manual_extensions.clear()
    descriptions: dict[str, tuple[str, bool]] = {}
    rows: dict[str, list[dict[str, Any]]] = {}
    if schema.table_exists(cr, "ir_model_fields"):  # else the database is being made
        descriptions, rows = _model_rows(cr), _field_rows(cr)
    for model_name in registry.manual_models.keys() - descriptions.keys():
        del registry.models[model_name], registry.manual_models[model_name]
    for model_name, (description, is_transient) in descriptions.items():
        if model_name not in registry.manual_models:
            root = _define(TransientModel if is_transient else Model, {"_name": model_name})
            root._build_model(registry, cr)
            registry.manual_models[model_name] = root
        named = {} if any(r["name"] == "x_name" for r in rows.get(model_name, ())) else _NAME
        _extend(
            env, model_name, {"_description": description, **named, **_fields(rows, model_name)}
        )
    for model_name in rows.keys() - descriptions.keys():
        if model_name in registry.models:
            _extend(env, model_name, _fields(rows, model_name))


def _extend(env: Any, model_name: str, body: dict[str, Any]) -> None:
    model = env.registry.models[model_name]
    kind = TransientModel if model._transient else AbstractModel if model._abstract else Model
    extension = _define(kind, {"_inherit": model_name, **body})
    extension._build_model(env.registry, env.cr)
    env.registry.manual_extensions[model_name] = extension


def _take_out(model: Any, extension: Any) -> None:
    model.__bases__ = tuple(base for base in model.__bases__ if base is not extension)
    model._definitions = [base for base in model._definitions if base is not extension]


def _model_rows(cr: Any) -> dict[str, tuple[str, bool]]:
    cr.execute_unflushed("SELECT model, name, transient FROM ir_model WHERE state = 'manual'")
    return {name: (description, transient) for name, description, transient in cr.fetchall()}


def _field_rows(cr: Any) -> dict[str, list[dict[str, Any]]]:
    cr.execute_unflushed("SELECT * FROM ir_model_fields WHERE state = 'manual' ORDER BY id")
    grouped: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in cr.dictfetchall():
        grouped[row["model"]].append(row)
    return grouped


def _define(base: Any, attributes: dict[str, Any]) -> Any:
    """A class as an addon would declare it, but known to no addon."""
    body = {"_custom": True, "__module__": __name__, "__doc__": None, **attributes}
    definition = type(base)("Custom", (base,), body)
    definition._module = "base"
    return definition


def _fields(rows: dict[str, list[dict[str, Any]]], model_name: str) -> dict[str, Any]:
    return {row["name"]: _field(row) for row in rows.get(model_name, ())}


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
        arguments["selection"] = _selection(row)
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
        arguments["relation"] = row["relation_table"] or relation_table(row["model"], row["name"])
        arguments |= {name: row[name] or f"id{name[-1]}" for name in ("column1", "column2")}
    return _TYPES[kind](**arguments)


def relation_table(model_name: str, name: str) -> str:
    """A table of a many2many's own: the one that the two models have by default may be taken."""
    return schema.short_name(f"x_{model_name.replace('.', '_')}_{name}_rel")


def _selection(row: dict[str, Any]) -> list[tuple[str, str]]:
    """
    The choices of a field.

    Raises:
        ValidationError: they are no list of pairs of texts, or there are none.
    """
    choices = evaluate(row["selection"] or "[]", {})
    if (
        not isinstance(choices, list | tuple)
        or not choices
        or not all(
            isinstance(pair, list | tuple)
            and len(pair) == 2
            and all(isinstance(part, str) for part in pair)
            for pair in choices
        )
    ):
        raise ValidationError(
            f"The selection of the custom field {row['model']}.{row['name']} cannot be "
            f"{row['selection']!r}. It looks like [('value', 'Label'), ...]."
        )
    return [(value, label) for value, label in choices]


def drop_tables(env: Any, model_names: Iterable[str]) -> None:
    """Drop the tables of custom models, and those of their links."""
    for name in model_names:
        model = env.registry[name]
        drop_columns(env, [(name, f.name) for f in model._fields.values() if f.type == "many2many"])
        schema.drop_table(env.cr, model._table)


def drop_columns(env: Any, names: Iterable[tuple[str, str]]) -> None:
    """Drop the columns of custom fields."""
    for model_name, field_name in names:
        model = env.registry.models.get(model_name)
        field = model._fields.get(field_name) if model else None
        left_out = model is not None and field is None
        if model and model._auto and (left_out or (field is not None and field.is_column)):
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
