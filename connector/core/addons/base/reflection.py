"""Writes the models and fields of the code into `ir_model` and `ir_model_fields`."""

from collections.abc import Iterable, Sequence
from typing import Any

_SAVE_MODELS = """
INSERT INTO ir_model (model, name, transient, state)
SELECT m.model, m.name, m.transient, 'base'
FROM unnest(%s::varchar[], %s::varchar[], %s::bool[]) AS m (model, name, transient)
ON CONFLICT (model) DO UPDATE SET name = EXCLUDED.name, transient = EXCLUDED.transient
WHERE (ir_model.name, ir_model.transient) IS DISTINCT FROM (EXCLUDED.name, EXCLUDED.transient)
"""

#: column of ir_model_fields -> its type
_COLUMNS = {
    "model": "varchar",
    "name": "varchar",
    "field_description": "varchar",
    "ttype": "varchar",
    "help": "text",
    "relation": "varchar",
    "relation_field": "varchar",
    "related": "varchar",
    "required": "bool",
    "readonly": "bool",
    "index": "bool",
    "copied": "bool",
    "store": "bool",
    "translate": "bool",
}
_UPDATES = [name for name in _COLUMNS if name not in ("model", "name")]


def _each(pattern: str, names: Iterable[str]) -> str:
    return ", ".join(pattern.format(name) for name in names)


_SAVE_FIELDS = f"""
INSERT INTO ir_model_fields (model_id, state, {_each('"{0}"', _COLUMNS)})
SELECT m.id, 'base', {_each('f."{0}"', _COLUMNS)}
FROM unnest({_each("%s::{0}[]", _COLUMNS.values())}) AS f ({_each('"{0}"', _COLUMNS)})
JOIN ir_model m ON m.model = f.model
ON CONFLICT (model, name) DO UPDATE SET {_each('"{0}" = EXCLUDED."{0}"', _UPDATES)}
WHERE ({_each('ir_model_fields."{0}"', _UPDATES)})
IS DISTINCT FROM ({_each('EXCLUDED."{0}"', _UPDATES)})
"""  # noqa: S608 - constant names
_DELETE_FIELDS = """
WITH gone AS (
    DELETE FROM ir_model_fields f
    WHERE f.state = 'base' AND f.model = ANY(%s)
    AND NOT EXISTS (SELECT 1 FROM unnest(%s::varchar[], %s::varchar[]) AS k (model, name)
                    WHERE k.model = f.model AND k.name = f.name)
    RETURNING f.id
)
DELETE FROM ir_model_data d USING gone WHERE d.model = 'ir.model.fields' AND d.res_id = gone.id
"""
_SAVE_NAMES = """
INSERT INTO ir_model_data (module, name, model, res_id, noupdate, date_init, date_update)
SELECT k.module, k.name, %(kind)s, r.id, false, t.now, t.now
FROM unnest(%(modules)s::varchar[], %(names)s::varchar[], %(models)s::varchar[],
            %(fields)s::varchar[]) AS k (module, name, model, field)
JOIN {table} r ON {condition}
CROSS JOIN (SELECT now() AT TIME ZONE 'UTC' AS now) AS t
ON CONFLICT (module, name) DO UPDATE SET res_id = EXCLUDED.res_id
WHERE ir_model_data.res_id IS DISTINCT FROM EXCLUDED.res_id
"""
_NAME_MODELS = _SAVE_NAMES.format(table="ir_model", condition="r.model = k.model")
_NAME_FIELDS = _SAVE_NAMES.format(
    table="ir_model_fields", condition="r.model = k.model AND r.name = k.field"
)


def reflect(env: Any, model_names: Sequence[str]) -> None:
    """Bring both tables, and the external ids of their rows, to what the registry has."""
    models = [env.registry[name] for name in model_names]
    models = [model for model in models if model._name not in env.registry.manual_models]
    if not models:
        return
    cr = env.cr
    cr.execute(
        _SAVE_MODELS,
        (
            [model._name for model in models],
            [model._description for model in models],
            [model._transient for model in models],
        ),
    )
    fields = [field for model in models for field in model._fields.values() if not field.manual]
    rows = [_row(field) for field in fields]
    cr.execute(_SAVE_FIELDS, [[row[name] for row in rows] for name in _COLUMNS])
    cr.execute(
        _DELETE_FIELDS,
        (
            [model._name for model in models],
            [field.model_name for field in fields],
            [field.name for field in fields],
        ),
    )
    _name(cr, env.registry, models)
    # The tables were written past the cache.
    env.invalidate_all()


def _row(field: Any) -> dict[str, Any]:
    related = field.related or ()
    return {
        "model": field.model_name,
        "name": field.name,
        "field_description": field.string or field.name,
        "ttype": field.type,
        "help": field.help or None,
        "relation": field.comodel_name or None,
        "relation_field": getattr(field, "inverse_name", None) or None,
        "related": related if isinstance(related, str) else ".".join(related) or None,
        "required": bool(field.required),
        "readonly": bool(field.readonly),
        "index": bool(field.index),
        "copied": bool(field.copy),
        "store": bool(field.store),
        "translate": bool(field.translate),
    }


def _name(cr: Any, registry: Any, models: Sequence[Any]) -> None:
    """Each addon that declares a model or field has a name for its row."""
    names: list[tuple[str, str, str, str]] = []
    field_names: list[tuple[str, str, str, str]] = []
    for model in models:
        flat = model._name.replace(".", "_")
        names += [
            (definition._module, f"model_{flat}", model._name, "")
            for definition in model._definitions
            if not definition.__dict__.get("_custom")
        ]
        field_names += [
            (addon, f"field_{flat}__{name}", model._name, name)
            for name, field in model._fields.items()
            if not field.manual
            for addon in _addons_of(registry, model, field)
        ]
    _save_names(cr, _NAME_MODELS, "ir.model", names)
    _save_names(cr, _NAME_FIELDS, "ir.model.fields", field_names)


def _addons_of(registry: Any, model: Any, field: Any) -> list[str]:
    """
    The addons that declare a field.

    One that is inherited goes with the parent's field or with the model, whichever goes
    first: it is named by the addon that was loaded last.
    """
    declaring = [
        definition._module
        for definition in model._definitions
        if field.name in definition.__dict__.get("_own_fields", ())
    ]
    if declaring or not field.inherited:
        return declaring or [model._original_module]
    link, name = field.related
    parent = registry[model._fields[link].comodel_name]
    order = {addon: position for position, addon in enumerate(registry.loaded_addons)}
    candidates = [model._original_module, *_addons_of(registry, parent, parent._fields[name])]
    return [max(candidates, key=lambda addon: order.get(addon, len(order)))]


def _save_names(
    cr: Any, statement: str, kind: str, rows: Sequence[tuple[str, str, str, str]]
) -> None:
    rows = list(dict.fromkeys(rows))
    keys = ("modules", "names", "models", "fields")
    columns = {key: [row[index] for row in rows] for index, key in enumerate(keys)}
    cr.execute(statement, {"kind": kind, **columns})
