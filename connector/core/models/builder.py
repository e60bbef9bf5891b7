"""Builds the registry's class of a model out of the classes that addons declare."""

from __future__ import annotations

import re
from typing import Any

from connector.core.exceptions import ModelDefinitionError

__all__ = ["build_model", "set_bases"]

#: PostgreSQL cuts names off at 63, and the sequence of the ids adds _id_seq
TABLE_NAME_MAX = 56
MODEL_NAME = re.compile(r"[A-Za-z_][\w.]*\Z")


def build_model(definition: Any, registry: Any) -> Any:
    """
    Add a declared class to the registry; returns the registry's class.

    ``_inherit`` of its own name extends the class that is there, also for the models that
    inherit from it. Other names in ``_inherit`` make a new model of the same shape.

    Raises:
        ModelDefinitionError: what it inherits is not there, or is of another kind.
    """
    parents = _parent_names(definition)
    name = definition.__dict__.get("_name") or (parents[0] if len(parents) == 1 else None)
    name = name or definition._name or definition.__name__
    if not MODEL_NAME.match(name):
        raise ModelDefinitionError(f"{name!r} ({definition.__qualname__}) is no name for a model.")
    for parent in parents:
        if parent not in registry.models:
            raise ModelDefinitionError(
                f"The model {name!r} ({definition.__qualname__}) inherits from {parent!r}, which "
                f"does not exist. Correct _inherit, or add its addon to the depends of "
                f"{definition._module!r}."
            )
    present = registry.models.get(name)
    if present is not None and name not in parents and definition not in present.__mro__:
        raise ModelDefinitionError(
            f"The model {name!r} of {definition._module!r} is declared by "
            f"{present._original_module!r} already. Extend it with _inherit = {name!r}, or choose "
            f"another _name."
        )
    if name in parents:
        model_class = _extended(definition, registry.models[name])
        parents.remove(name)
        added = [definition, *(registry.models[parent] for parent in parents)]
    else:
        model_class = _new_class(name, definition, registry)
        added = [definition, *(registry.models[parent] for parent in parents)]
    set_bases(model_class, added)
    for parent in parents:
        registry.models[parent]._inherit_children.add(name)
    _settle(model_class)
    registry.models[name] = model_class
    return model_class


def _parent_names(definition: Any) -> list[str]:
    inherit = definition.__dict__.get("_inherit") or ()
    return [inherit] if isinstance(inherit, str) else list(inherit)


def _new_class(name: str, definition: Any, registry: Any) -> Any:
    return type(definition)(
        name,
        (definition,),
        {
            "_name": name,
            "_register": False,
            "_is_registry_class": True,
            "_module": definition._module,
            "_original_module": definition._module,
            "_definitions": [],
            "_inherit_children": set(),
            "_inherits_children": set(),
            "_fields": {},
            # Records are made by the million: an addon's __init__ would be called for each.
            "__init__": object.__init__,
            "_generated": set(),
            "__doc__": definition.__doc__,
            "pool_class": registry,
        },
    )


def _extended(definition: Any, model_class: Any) -> Any:
    for kind in ("_abstract", "_transient"):
        wanted, present = getattr(definition, kind), getattr(model_class, kind)
        if (present and not wanted) or (kind == "_transient" and wanted != present):
            raise ModelDefinitionError(
                f"{definition.__qualname__} extends {model_class._name!r} as a model of another "
                f"kind ({kind[1:]}). Derive it from the same base: Model, AbstractModel or "
                f"TransientModel."
            )
    return model_class


def set_bases(model_class: Any, added: list[Any]) -> None:
    """Put classes before the bases of *model_class*, each base once."""
    bases = list(dict.fromkeys([*added, *model_class.__bases__]))
    model_class.__bases__ = tuple(bases)
    model_class._definitions = [b for b in bases if not b.__dict__.get("_is_registry_class")]


def _settle(model_class: Any) -> None:
    """Set the attributes that follow from all definitions together."""
    classes = [c for c in reversed(model_class.__mro__) if not c.__dict__.get("_is_registry_class")]
    own = model_class._definitions
    first = own[-1]
    model_class._abstract = first._abstract
    model_class._transient = first._transient
    model_class._auto = first._auto
    inherits: dict[str, str] = {}
    constraints: dict[str, tuple[str, str, str]] = {}
    natural_keys: dict[tuple[str, ...], None] = {}
    for cls in classes:
        inherits.update(cls.__dict__.get("_inherits") or {})
        for constraint in cls.__dict__.get("_sql_constraints") or ():
            constraints[constraint[0]] = constraint
        natural_keys.update(dict.fromkeys(map(tuple, cls.__dict__.get("_natural_keys") or ())))
    model_class._inherits = inherits
    model_class._sql_constraints = list(constraints.values())
    model_class._declared_keys = list(natural_keys)
    table = next((c.__dict__["_table"] for c in own if c.__dict__.get("_table")), None)
    model_class._table = table or model_class._name.replace(".", "_")
    if len(model_class._table.encode()) > TABLE_NAME_MAX and model_class._auto:
        raise ModelDefinitionError(
            f"The table {model_class._table!r} of {model_class._name!r} has a name of more than "
            f"{TABLE_NAME_MAX} characters. Give the model a shorter _table."
        )
    sequence = next((c.__dict__["_sequence"] for c in own if c.__dict__.get("_sequence")), None)
    model_class._sequence = sequence or f"{model_class._table}_id_seq"
    described = next(
        (c.__dict__["_description"] for c in own if c.__dict__.get("_description")), None
    )
    model_class._description = described or model_class._name
    log_access = next((c.__dict__["_log_access"] for c in own if "_log_access" in c.__dict__), None)
    model_class._log_access = (
        (model_class._auto and not model_class._abstract) if log_access is None else log_access
    )
