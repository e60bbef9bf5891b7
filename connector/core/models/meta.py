"""MetaModel: notes which model classes an addon declares, and which fields each declares itself."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, ClassVar

from connector.core.addon import addon_of_object
from connector.core.exceptions import ModelDefinitionError
from connector.core.fields import Field

__all__ = ["MetaModel"]


#: attributes of the first API, which would do nothing here -> what does
FORMER = {
    "_columns": "Declare each field as an attribute: name = fields.Char().",
    "_defaults": "Give each field its default: fields.Char(default=...).",
    "_constraints": "Mark a method with @api.constrains, and have it raise ValidationError.",
}


class MetaModel(type):
    """
    The class of model classes.

    A class with ``_register = False`` is part of the framework, not of an addon.
    """

    #: addon -> classes, in the order of their definition
    module_to_models: ClassVar[defaultdict[str, list[Any]]] = defaultdict(list)

    _own_fields: dict[str, Field]

    def __new__(mcs, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> MetaModel:
        # Records are many and small: without a dictionary they take a third of the memory.
        attributes.setdefault("__slots__", ())
        return super().__new__(mcs, name, bases, attributes)

    def __init__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> None:
        super().__init__(name, bases, attributes)
        cls._own_fields = {}
        for key, value in attributes.items():
            if isinstance(value, Field):
                cls._own_fields[key] = value
            elif isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], Field):
                raise ModelDefinitionError(
                    f"{name}.{key} is a tuple that holds a field. Remove the comma after it."
                )
        if attributes.get("_register", True) and not attributes.get("_custom"):
            for former in FORMER.keys() & attributes.keys():
                raise ModelDefinitionError(f"{name}.{former} has no effect. {FORMER[former]}")
            cls._module = addon_of_object(cls)
            if not attributes.get("_name") and not attributes.get("_inherit"):
                cls._name = name
            MetaModel.module_to_models[cls._module].append(cls)
        cls._register = True

    _module: str
    _name: str
    _register: bool
