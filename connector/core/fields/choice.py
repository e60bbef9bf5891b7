"""Selection, a value out of a list, and Reference, a record of one of several models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from connector.core.exceptions import ModelDefinitionError
from connector.core.fields.base import Field, Records

__all__ = ["Reference", "Selection"]

Choices = Sequence[tuple[Any, str]]


class Selection(Field):
    """
    One of *selection*: pairs of value and label, a function of the model, or a method's name.

    A model that extends another adds values with ``selection_add``.
    """

    type = "selection"
    column_type = "varchar"
    selection: Choices | Callable[[Any], Choices] | str = ()
    validate: bool = True
    #: the model that a function or method is asked of; a related field has its target's
    selection_model: str = ""

    def __init__(self, selection: Any = None, string: str | None = None, **arguments: Any) -> None:
        if selection is not None:
            arguments["selection"] = selection
        super().__init__(string, **arguments)

    def _merged(self, older: dict[str, Any], newer: dict[str, Any]) -> dict[str, Any]:
        merged = super()._merged(older, newer)
        added = merged.pop("selection_add", None)
        if added:
            if not isinstance(merged.get("selection") or (), (list, tuple)):
                raise ModelDefinitionError(
                    f"selection_add of {added!r} has no list to add to: the selection is "
                    f"{merged['selection']!r}. Extend that method instead."
                )
            known = dict(merged.get("selection") or ())
            merged["selection"] = list({**known, **dict(added)}.items())
        return merged

    def _settle(self) -> None:
        choices = self.selection
        if isinstance(choices, (list, tuple)) and choices and isinstance(choices[0][0], int):
            self.column_type = "int4"
        if isinstance(choices, (list, tuple)):
            self._values = {value: value for value, _ in choices}
        super()._settle()

    def _setup_related(self, model: Any) -> None:
        super()._setup_related(model)
        if "selection" not in self.arguments:
            target: Any = self.related_field(model)
            self.selection_model = target.selection_model or target.model_name

    def choices(self, env: Any) -> Choices:
        """The pairs of value and label as they are in *env*."""
        model = env[self.selection_model or self.model_name]
        if isinstance(self.selection, str):
            return list(getattr(model, self.selection)())
        return list(self.selection(model) if callable(self.selection) else self.selection)

    def values(self, env: Any) -> dict[Any, Any]:
        """The values allowed in *env*, each with itself: True, which equals 1, is stored as 1."""
        if isinstance(self.selection, str) or callable(self.selection):
            return {value: value for value, _ in self.choices(env)}
        return self._values

    def to_cache(self, value: Any, records: Records = None) -> Any:
        if value is None or value is False:
            return None
        if records is None or not self.validate:
            return value
        allowed = self.values(records.env)
        try:
            return allowed[value]
        except (KeyError, TypeError):
            if value in ("", 0):
                return None
            shown = ", ".join(map(repr, sorted(allowed, key=str)))
            raise self.refuse(value, f"Choose one of {shown}.") from None

    def to_cache_column(self, values: list[Any], records: Records = None) -> list[Any]:
        texts = records is not None and set(map(type, values)) == {str}
        if texts and self.values(records.env).keys() >= set(values):
            return values
        return super().to_cache_column(values, records)

    def as_text(self, values: Iterable[Any]) -> list[str | None]:
        return [None if value is None else str(value) for value in values]

    def description(self, env: Any) -> dict[str, Any]:
        return {**super().description(env), "selection": self.choices(env)}


class Reference(Selection):
    """A record of one of the models in *selection*, kept as ``model,id``."""

    type = "reference"
    converts = True
    column_type = "varchar"

    def _settle(self) -> None:
        super()._settle()
        self.column_type = "varchar"
        self.is_column = bool(self.store)

    def to_cache(self, value: Any, records: Records = None) -> Any:
        if not value:
            return None
        if hasattr(value, "_name"):
            value.ensure_one()
            value = f"{value._name},{value.id}"
        model_name, _, number = str(value).partition(",")
        if not number.isdigit():
            raise self.refuse(value, "Give a record, or text as res.partner,7.")
        if records is not None:
            self._check_model(model_name, value, records.env)
        return f"{model_name},{int(number)}"

    def to_cache_column(self, values: list[Any], records: Records = None) -> list[Any]:
        return [self.to_cache(value, records) for value in values]

    def _check_model(self, model_name: str, value: Any, env: Any) -> None:
        allowed = self.values(env)
        if model_name not in env or (allowed and model_name not in allowed):
            names = ", ".join(sorted(allowed)) or "a model of this database"
            raise self.refuse(value, f"The model is one of: {names}.")

    def searched(self, records: Records, operator: str) -> Any:
        if operator in ("in", "not in"):
            return [self.to_cache(record) for record in records]
        return self.to_cache(records) or False

    def to_record(self, cached: Any, record: Records) -> Any:
        if cached is None:
            return False
        model_name, _, number = cached.partition(",")
        return record.env[model_name].browse(int(number))

    def to_read(self, cached: Any, record: Records) -> Any:
        return False if cached is None else cached

    def to_write(self, value: Any) -> Any:
        return f"{value._name},{value.id}" if value else False
