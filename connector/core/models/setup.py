"""The four passes that make the fields of all models ready."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

from connector.core import fields
from connector.core.exceptions import (
    ModelDefinitionError,
    UnknownFieldError,
    UnknownModelError,
    UserError,
)
from connector.core.fields import Field
from connector.core.models.recordset import Recordset
from connector.core.models.signals import Triggers

__all__ = ["Setup"]

#: how long PostgreSQL lets a name be
NAME_MAX = 63
LOG_FIELDS = ("create_uid", "create_date", "write_uid", "write_date")


class Setup(Recordset):
    """What the registry calls on each model after loading, before anything else."""

    _register = False
    _auto: ClassVar[bool] = False
    _abstract: ClassVar[bool] = True
    _transient: ClassVar[bool] = False
    _log_access: ClassVar[bool] = False
    _inherits: ClassVar[dict[str, str]] = {}
    _parent_name: ClassVar[str] = "parent_id"
    #: the names of a natural key -> the same in order, and the types of their cached values
    _key_shapes: ClassVar[dict[frozenset[str], tuple[tuple[str, ...], tuple[Any, ...]]]] = {}
    #: statements that are sent again and again: what they are about -> types and text
    _statements: ClassVar[dict[Any, tuple[str, str]]] = {}

    def _prepare_setup(self) -> None:
        """Take back what an earlier set-up made."""
        cls: Any = type(self)
        for name in cls._generated:
            if name in cls.__dict__:
                delattr(cls, name)
        cls._generated = set()
        cls._fields = {}
        cls._setup_done = False
        cls._inherits_children = set()
        cls._plan = None
        cls._statements = {}
        cls._key_readings = {}
        self.env.registry.__dict__.pop("_triggers", None)

    def _setup_base(self) -> None:
        """Make the model's own fields, then those that it has from its ``_inherits`` parents."""
        cls: Any = type(self)
        if cls._setup_done:
            return
        cls._setup_done = True
        for name, definitions in _definitions(cls).items():
            self._add_field(name, definitions[-1].bound_to(cls._name, name, definitions))
        for name in (
            ("id", "display_name")
            if cls._abstract
            else ("id", "display_name", *(LOG_FIELDS if cls._log_access else ()))
        ):
            if name not in cls._fields:
                self._add_field(
                    name, _magic_field(name).bound_to(cls._name, name, [_magic_field(name)])
                )
        self._add_inherited_fields()
        if cls._rec_name is None or cls._rec_name not in cls._fields:
            cls._rec_name = next((n for n in ("name", "x_name") if n in cls._fields), None)
            cls._generated.add("_rec_name")
        if "active" in cls._fields and not cls._fields["active"].inherited:
            cls._has_active = True
        else:
            cls._has_active = False

    def _add_field(self, name: str, field: Field) -> None:
        cls: Any = type(self)
        if not name.isidentifier() or name in _reserved(cls):
            raise ModelDefinitionError(
                f"{name!r} cannot name a field of {cls._name!r}: the name has another meaning on "
                f"every record. Choose another."
            )
        if len(name) > NAME_MAX:
            raise ModelDefinitionError(
                f"{name!r} cannot name a field of {cls._name!r}: PostgreSQL cuts names off at "
                f"{NAME_MAX} characters. Choose a shorter one."
            )
        setattr(cls, name, field)
        cls._generated.add(name)
        cls._fields[name] = field

    def _add_inherited_fields(self) -> None:
        cls: Any = type(self)
        for field in list(cls._fields.values()):
            if isinstance(field, fields.Many2one) and field.delegate:
                cls._inherits = {**cls._inherits, field.comodel_name: field.name}
        for parent_name, link in cls._inherits.items():
            parent = self._inherits_parent(parent_name)
            if link not in cls._fields:
                made = fields.Many2one(parent_name, required=True, ondelete="cascade")
                self._add_field(link, made.bound_to(cls._name, link, [made]))
            type(parent)._inherits_children.add(cls._name)
            for name, field in parent._fields.items():
                if name not in cls._fields:
                    self._add_field(name, _inherited(cls._name, field, link))

    def _inherits_parent(self, parent_name: str) -> Any:
        if parent_name not in self.env.registry.models:
            raise ModelDefinitionError(
                f"The model {self._name!r} has {parent_name!r} in _inherits, which does not "
                f"exist. Correct the name, or add its addon to the depends."
            )
        parent = self.env[parent_name]
        parent._setup_base()
        return parent

    def _setup_fields(self) -> None:
        """
        Complete each field; those of other models can be looked at now.

        While addons are loaded, a custom field is left out that has no model or path to link to:
        it comes later, or is gone with its addon, and must not keep the database shut.
        """
        registry = self.env.registry
        for step in (self._check_link, self._complete):
            for field in list(self._fields.values()):
                try:
                    step(field)
                except (ModelDefinitionError, UnknownFieldError, UnknownModelError) as error:
                    known = registry.left_out.get(repr(field))
                    if not field.manual or (registry.ready and not known):
                        raise
                    registry.left_out[repr(field)] = str(error)
                    self._remove_field(field)

    def _check_link(self, field: Field) -> None:
        if field.comodel_name and field.comodel_name not in self.env.registry.models:
            raise ModelDefinitionError(
                f"The field {field!r} links to the model {field.comodel_name!r}, which does "
                f"not exist. Correct the name, or add its addon to the depends."
            )

    def _complete(self, field: Field) -> None:
        field.setup(self)
        if field.relational and not field.comodel_name:
            raise ModelDefinitionError(
                f"The field {field!r} links to no model. Name one as its first argument, or "
                f"as relation in ir.model.fields."
            )

    def _remove_field(self, field: Field) -> None:
        cls: Any = type(self)
        delattr(cls, field.name)
        cls._generated.discard(field.name)
        del cls._fields[field.name]

    def _setup_complete(self) -> None:
        """Note the methods that fields call and that calls have to be made for."""
        cls: Any = type(self)
        members = [(name, getattr(cls, name, None)) for name in dir(cls)]
        for kind in ("_constrains", "_onchange"):
            marks = [(name, getattr(member, kind, None)) for name, member in members]
            found = [(name, frozenset(mark)) for name, mark in marks if isinstance(mark, tuple)]
            setattr(cls, f"{kind}_methods", [each for each in found if each[1]])
        cls._natural_keys = natural_keys(cls)
        cls._key_shapes = {
            frozenset(names): (names, tuple(cls._fields[name].key_type for name in names))
            for names in cls._natural_keys
            # A field that is for some users is searched with care.
            if not any(cls._fields[name].groups for name in names)
        }
        for field in cls._fields.values():
            if field.compute:
                field.depends = self._paths_of(field)

    def _paths_of(self, field: Field) -> tuple[str, ...]:
        cls: Any = type(self)
        paths: list[str] = list(field.arguments.get("depends") or ())
        if isinstance(field.compute, str):
            # A method that extends another keeps on depending on what that one reads.
            members = [base.__dict__.get(field.compute) for base in reversed(cls.__mro__)]
            methods = [member for member in members if member is not None]
        else:
            methods = [field.compute]
        if not methods:
            raise ModelDefinitionError(
                f"The field {field!r} is computed by {field.compute!r}, which is no method of "
                f"{cls._name!r}. Define it, or correct compute=."
            )
        for method in methods:
            for path in getattr(method, "_depends", ()):
                paths.extend(path(self) if callable(path) else [path])
        return tuple(dict.fromkeys(paths))

    def _triggers(self) -> Triggers:
        known = self.env.registry.__dict__
        triggers: Triggers | None = known.get("_triggers")
        if triggers is None:
            triggers = known["_triggers"] = Triggers(self.env.registry)
        return triggers

    @classmethod
    def _is_extended(cls, method: str) -> bool:
        """Does an addon do more in this method than the framework?"""
        return getattr(cls, method) is not getattr(_framework_of(cls), method)

    def _require_table(self) -> None:
        """
        Raises:
            UserError: the model is abstract.
        """
        if self._abstract:
            heirs = sorted(type(self)._inherit_children)  # type: ignore[attr-defined]
            raise UserError(
                f"{self._name!r} is an abstract model: it has no records to make or find. "
                f"Use a model that inherits it: {', '.join(heirs) or 'there is none yet'}."
            )

    def init(self) -> None:
        """Hook: complete the table with SQL, after each install and update."""

    def _register_hook(self) -> None:
        """Hook: called once when the registry is complete."""


def natural_keys(cls: Any) -> list[tuple[str, ...]]:
    """
    The sets of columns that name one record: UNIQUE constraints and ``_natural_keys``.

    A translated text, JSON or a reference is no part of one: its column is not what is asked for.
    """
    keys = dict.fromkeys(cls._declared_keys)
    for _, definition, _ in cls._sql_constraints:
        text = definition.strip().lower()
        if text.startswith("unique") and text.endswith(")") and text.count("(") == 1:
            names = [name.strip() for name in text[text.index("(") + 1 : -1].split(",")]
            if all(name in cls._fields and cls._fields[name].is_column for name in names):
                keys[tuple(sorted(names))] = None
    return [
        tuple(sorted(key))
        for key in keys
        if not any(cls._fields[name].converts for name in key if name in cls._fields)
    ]


@cache
def _names_of(framework_class: Any) -> frozenset[str]:
    return frozenset(dir(framework_class))


def _reserved(cls: Any) -> frozenset[str]:
    """The names that every model has from the framework."""
    return _names_of(_framework_of(cls))


def _framework_of(cls: Any) -> Any:
    return next(c for c in cls.__mro__ if c.__dict__.get("_is_framework"))


def _definitions(cls: Any) -> dict[str, list[Field]]:
    found: dict[str, list[Field]] = {}
    for definition in reversed(cls.__mro__):
        if definition.__dict__.get("_is_registry_class"):
            continue
        for name, field in definition.__dict__.get("_own_fields", {}).items():
            found.setdefault(name, []).append(field)
    return found


def _inherited(model_name: str, field: Field, link: str) -> Field:
    """A field that reads and writes *field* of the record behind *link*."""
    arguments = {
        name: value
        for name, value in field.__dict__.items()
        if name in ("string", "help", "comodel_name", "groups", "manual")
    }
    made = type(field)(
        **arguments,
        related=(link, field.name),
        inherited=True,
        copy=field.copy,
        readonly=field.readonly,
        required=field.required,
        translate=field.translate,
    )
    return made.bound_to(model_name, field.name, [made])


def _magic_field(name: str) -> Field:
    match name:
        case "id":
            return fields.Id("ID")
        case "display_name":
            return fields.Char(
                "Display Name",
                compute="_compute_display_name",
                search="_search_display_name",
                automatic=True,
            )
        case "create_date" | "write_date":
            label = "Created on" if name == "create_date" else "Last Updated on"
            return fields.Datetime(label, automatic=True, readonly=True, prefetch=False, copy=False)
        case _:
            label = "Created by" if name == "create_uid" else "Last Updated by"
            return fields.Many2one(
                "res.users", label, automatic=True, readonly=True, prefetch=False, copy=False
            )
