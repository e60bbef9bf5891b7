"""
Field, the parent of all field types.

A field is a descriptor of the registry's class. What the cache holds of it is close to the
column: ``None`` for NULL, an id for a many2one, a tuple of ids for the x2many, JSON as text.
Reading an attribute turns that into the value a caller works with.

    caller's value --to_cache--> cached value --to_record--> caller's value
                                     ^   |
                            from_column  as_text
                                     |   v
                                    column
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar

from connector.core.exceptions import (
    FieldValueError,
    ModelDefinitionError,
    SingletonError,
    UnknownFieldError,
)

__all__ = ["MAGIC_FIELDS", "Field"]

#: ids and caller's values come from model code, so they carry no static type
Value = Any
Records = Any

MAGIC_FIELDS = ("id", "create_uid", "create_date", "write_uid", "write_date", "display_name")


class Field(property):
    """
    What a model's attribute is: its column, its conversions, its defaults and how it is computed.

    It is a property, whose getter is made when a record is first asked for the attribute: there
    are many fields in a registry, and few of them are read.

    The keyword arguments of all definitions of a field along the inheritance of its model are
    merged, the last word wins.
    """

    type: ClassVar[str] = ""
    #: what :class:`Field` gives for NULL
    null: ClassVar[Any] = False
    #: the cached value of a field that ``create`` was given no value for
    missing: ClassVar[Any] = None
    #: the column's text needs no escaping in COPY or array literals
    plain_text: ClassVar[bool] = False
    #: values of this very type need no conversion to be part of a natural key
    key_type: ClassVar[Any] = None
    #: what is read from the column is not yet the cached value
    decodes: bool = False
    #: a cached value is not yet the caller's
    converts: bool = False
    relational: ClassVar[bool] = False
    x2many: ClassVar[bool] = False

    name: str = ""
    model_name: str = ""
    comodel_name: str = ""
    string: str | None = None
    help: str | None = None
    column_type: str | None = None
    store: bool = True
    readonly: bool = False
    required: bool = False
    index: bool = False
    copy: bool = True
    prefetch: bool = True
    translate: bool = False
    groups: str | None = None
    states: Any = None
    default: Any = None
    compute: str | Callable[..., Any] | None = None
    inverse: str | Callable[..., Any] | None = None
    search: str | Callable[..., Any] | None = None
    depends: Sequence[str] = ()
    compute_sudo: bool = False
    related: Sequence[str] | str | None = None
    related_sudo: bool = True
    #: made by the framework: id, log columns, display_name
    automatic: bool = False
    #: a field of an ``_inherits`` parent, reached through the link
    inherited: bool = False
    manual: bool = False
    #: values kept per environment: computed, not stored
    local: bool = False
    #: store and column_type: the field is a column of the model's table
    is_column: bool = False
    #: depends on itself, on other records: computed one record at a time
    recursive: bool = False
    #: required of the column too; what is computed may be sent later than its row
    not_null: bool = False
    #: position among the fields of the registry, dependencies first
    sequence: int = 0

    def __init__(self, string: str | None = None, **arguments: Any) -> None:
        if string is not None:
            arguments["string"] = string
        self.arguments = arguments

    def __set_name__(self, owner: Any, name: str) -> None:
        if not self.name:
            self.name = name

    def __repr__(self) -> str:
        return f"{self.model_name or '?'}.{self.name or '?'}"

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(f"The field {self!r} is no collection; read it from a record.")

    # -- set-up ---------------------------------------------------------------------------

    def bound_to(self, model_name: str, name: str, definitions: Sequence[Field]) -> Field:
        """A new field of *model_name*, made of *definitions* from the oldest to the newest."""
        last = definitions[-1]
        merged: dict[str, Any] = {}
        if len(definitions) == 1 and "selection_add" not in last.arguments:
            merged, definitions = last.arguments, ()  # shared, for there are many fields
        for definition in definitions:
            # A change of type starts afresh: the arguments of one type mean nothing to another.
            merged = (
                self._merged(merged, definition.arguments)
                if isinstance(definition, type(last)) or isinstance(last, type(definition))
                else dict(definition.arguments)
            )
        field = type(last)()
        field.arguments = merged
        field.name, field.model_name = name, model_name
        field._take(merged)
        return field

    def _merged(self, older: dict[str, Any], newer: dict[str, Any]) -> dict[str, Any]:
        return {**older, **newer}

    def _take(self, arguments: dict[str, Any]) -> None:
        """Set the attributes that follow from the merged arguments."""
        given = dict(arguments)
        if given.get("compute") or given.get("related"):
            given.setdefault("store", False)
            given.setdefault("copy", bool(given["store"] and not given.get("compute")))
            given.setdefault("readonly", not given.get("inverse") and not given.get("related"))
        if isinstance(given.get("related"), str):
            given["related"] = tuple(given["related"].split("."))
        if isinstance(given.get("depends"), str):
            given["depends"] = (given["depends"],)
        given.setdefault("string", self.name.replace("_", " ").strip().capitalize())
        for name, value in given.items():
            setattr(self, name, value)
        self._settle()

    def _settle(self) -> None:
        self.is_column = bool(self.store and self.column_type)
        self.local = bool(self.compute and not self.store)
        self.not_null = bool(self.required and not (self.compute or self.related))
        if not self.is_column:
            self.prefetch = False

    def setup(self, model: Any) -> None:
        """Complete the field once all fields of all models are known."""
        if self.related:
            self._setup_related(model)

    def _setup_related(self, model: Any) -> None:
        target = self.related_field(model)
        if target.related:
            target.setup(model.env[target.model_name])  # its model may come later
        if type(target) is not type(self) and self.type != target.type:
            raise ModelDefinitionError(
                f"The field {self!r} is related to {target!r}, which is of type {target.type!r}, "
                f"not {self.type!r}. Declare both with the same type."
            )
        for name in ("help", "comodel_name", "selection", "digits", "size", "groups", "context"):
            if name in target.__dict__ and name not in self.arguments:
                setattr(self, name, target.__dict__[name])
        if "string" not in self.arguments:
            self.string = target.string
        if not self.store:
            self.translate = target.translate  # what is cached is the target's
        elif not self.column_type:
            self.column_type = target.column_type
        self._settle()

    def related_field(self, model: Any) -> Field:
        """The field that ends the path of a related one."""
        related_model = model
        assert self.related
        for step in self.related[:-1]:
            related_model = related_model.env[self._step(related_model, step).comodel_name]
        return self._step(related_model, self.related[-1])

    def _step(self, model: Any, name: str) -> Field:
        field: Field | None = model._fields.get(name)
        if field is None:
            raise UnknownFieldError(
                f"The field {self!r} is related to {'.'.join(self.related or ())!r}, but "
                f"{model._name!r} has no field {name!r}."
            )
        return field

    # -- attribute access -----------------------------------------------------------------

    def read(self, record: Records) -> Any:
        """The caller's value of one record; of none, the value that stands for NULL."""
        if self.fget is None:
            super().__init__(self._getter())
        return self.fget(record)  # type: ignore[misc]

    def _getter(self) -> Callable[[Any], Any]:
        """What reads the field of a record: a function that finds all it needs around it."""
        return self._converting_getter() if self.converts else self._plain_getter()

    def _plain_getter(self) -> Callable[[Any], Any]:
        field, null = self, self.null

        def get(record: Any) -> Any:
            try:
                (id_,) = record._ids
                value = record.env.known[field][id_]
            except (KeyError, ValueError):
                value = field.missed(record) if record._ids else None
            return null if value is None else value

        return get

    def _converting_getter(self) -> Callable[[Any], Any]:
        field = self

        def get(record: Any) -> Any:
            try:
                (id_,) = record._ids
                value = record.env.known[field][id_]
            except (KeyError, ValueError):
                value = field.missed(record) if record._ids else None
            return field.to_record(value, record)

        return get

    def __set__(self, records: Any, value: Any) -> None:
        records._assign(self, value)

    def missed(self, record: Any) -> Any:
        """The cached value of *record* after reading or computing it."""
        if len(record._ids) != 1:
            raise SingletonError(
                f"Expected singleton: {record!r}. {self!r} is the value of one record: "
                f"loop over the records, or use mapped({self.name!r})."
            )
        return record._value_of(self)

    # -- conversions ----------------------------------------------------------------------

    def to_cache(self, value: Value, records: Records = None) -> Any:
        """
        Check a caller's value and turn it into the cached one.

        Raises:
            FieldValueError: the field cannot hold it.
        """
        return None if value is False else value

    def to_cache_column(self, values: list[Any], records: Records = None) -> list[Any]:
        """Do the same for many values at once."""
        to_cache = self.to_cache
        return [None if value is None else to_cache(value, records) for value in values]

    def from_column(self, values: Sequence[Any]) -> Sequence[Any]:
        """Turn values read from the column into cached ones, where the field *decodes*."""
        return values

    def to_record(self, cached: Any, record: Records) -> Any:
        """The caller's value of a cached one."""
        return self.null if cached is None else cached

    def to_read(self, cached: Any, record: Records) -> Any:
        """The value that ``read`` gives."""
        return self.to_record(cached, record)

    def to_write(self, value: Any) -> Any:
        """The value for ``write`` of one that was read from a record."""
        return value

    def to_search(self, value: Any) -> Any:
        """The cached value that stands for *value* in a search condition."""
        return self.to_cache(value)

    def searched(self, records: Records, operator: str) -> Any:
        """What a condition compares with where its value is a recordset."""
        return list(records._ids) if operator in ("in", "not in") else records.id

    def to_param(self, cached: Any) -> Any:
        """The parameter that stands for a cached value in a statement."""
        return cached

    def as_text(self, values: Iterable[Any]) -> list[str | None]:
        """Cached values as the text that PostgreSQL reads for the column's type."""
        return [None if value is None else str(value) for value in values]

    def refuse(self, value: Value, reason: str) -> FieldValueError:
        """The error that says why *value* is no value of this field."""
        return FieldValueError(f"Wrong value for {self!r}: {value!r}. {reason}")

    # -- defaults -------------------------------------------------------------------------

    def default_value(self, model: Any) -> Any:
        """The default as ``create`` takes it; ``None`` where there is none."""
        return self.default(model) if callable(self.default) else self.default

    def description(self, env: Any) -> dict[str, Any]:
        """What ``fields_get`` says of the field."""
        result: dict[str, Any] = {
            "type": self.type,
            "string": self.string,
            "help": self.help,
            "required": self.required,
            "readonly": self.readonly,
            "store": self.store,
            "searchable": bool(self.store or self.search or self.related),
            "sortable": self.is_column,
            "translate": self.translate,
            "manual": self.manual,
            "depends": tuple(self.depends),
            "states": self.states or {},
        }
        if self.related:
            result["related"] = ".".join(self.related)
        if self.groups:
            result["groups"] = self.groups
        return result
