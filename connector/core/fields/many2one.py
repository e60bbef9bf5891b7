"""Many2one, a link to one record, and Id, the record's own number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from connector.core.exceptions import ModelDefinitionError
from connector.core.fields.base import Field, Records
from connector.core.fields.new_id import NewId

__all__ = ["Id", "LinkedIds", "Many2one"]

#: links followed back to find what is read together
DEPTH_MAX = 16
#: the largest number that the column of an id holds
ID_MAX = 2**31 - 1
ON_DELETE = {"cascade": "CASCADE", "restrict": "RESTRICT", "set null": "SET NULL"}


class LinkedIds:
    """The ids that a relational field of some records is known to hold: prefetched together."""

    __slots__ = ("depth", "field", "record")

    def __init__(self, field: Field, record: Records) -> None:
        self.field = field
        self.record = record
        before: Any = record._prefetch
        self.depth: int = before.depth + 1 if isinstance(before, LinkedIds) else 0

    @classmethod
    def beside(cls, field: Field, record: Records, ids: tuple[Any, ...]) -> Any:
        """What to read together with the records *ids* that *field* of *record* holds."""
        found = cls(field, record)
        # A walk up a long hierarchy would nest without end.
        return found if found.depth < DEPTH_MAX else ids

    def __iter__(self) -> Iterator[Any]:
        ids: Iterable[Any] = self.record._prefetch
        for step in self._steps():
            ids = self._linked(step, ids)
        return iter(ids)

    def _steps(self) -> list[Field]:
        """The fields that lead to the ids: a related field's own path, else the field itself."""
        if not self.field.related or self.field.store:
            return [self.field]
        models, model = self.record.env.registry.models, type(self.record)
        steps: list[Field] = []
        for name in self.field.related:
            steps.append(model._fields[name])
            model = models.get(steps[-1].comodel_name)
        return steps

    def _linked(self, field: Field, ids: Iterable[Any]) -> Iterator[Any]:
        known = self.record.env.known[field]
        seen = set()
        for id_ in ids:
            linked = known.get(id_)
            if linked is None:
                continue
            for number in linked if field.x2many else (linked,):
                if number not in seen:
                    seen.add(number)
                    yield number


class Id(Field):
    """The number of a record; False for one that is not stored."""

    type = "integer"
    column_type = "int4"
    plain_text = True
    automatic = True

    def _settle(self) -> None:
        super()._settle()
        self.readonly, self.copy, self.prefetch = True, False, False
        self.is_column = False  # every statement names the id by itself

    def to_search(self, value: Any) -> Any:
        if isinstance(value, (int, float)) or not isinstance(value, str):
            return value
        try:
            return int(value)
        except ValueError:
            raise self.refuse(value, "Give a number.") from None

    def _getter(self) -> Callable[[Any], Any]:
        def get(record: Any) -> Any:
            ids = record._ids
            if len(ids) == 1:
                return ids[0] or False
            return record.ensure_one().id if ids else False

        return get

    def __set__(self, records: Any, value: Any) -> None:
        raise TypeError(f"The field {self!r} is given by the database; it cannot be assigned.")


class Many2one(Field):
    """A link to one record of *comodel_name*; *ondelete* says what happens when that goes."""

    type = "many2one"
    column_type = "int4"
    key_type = int
    relational = True
    plain_text = True
    ondelete: str | None = None
    domain: Any = ()
    context: Any = None
    delegate: bool = False
    auto_join: bool = False

    def __init__(
        self, comodel_name: str | None = None, string: str | None = None, **arguments: Any
    ) -> None:
        if comodel_name is not None:
            arguments["comodel_name"] = comodel_name
        super().__init__(string, **arguments)

    def _settle(self) -> None:
        super()._settle()
        if self.ondelete is None:
            self.ondelete = "restrict" if self.required else "set null"
        if self.ondelete not in ON_DELETE:
            raise ModelDefinitionError(
                f"Wrong ondelete of {self!r}: {self.ondelete!r}. "
                f"Choose one of {', '.join(ON_DELETE)}."
            )

    def _getter(self) -> Callable[[Any], Any]:
        return self._converting_getter()

    def to_record(self, cached: Any, record: Records) -> Any:
        env = record.env
        linked = object.__new__(env.registry.models[self.comodel_name])
        linked.env = env
        linked._ids = () if cached is None else (cached,)
        linked._prefetch = LinkedIds.beside(self, record, linked._ids)
        return linked

    def to_cache(self, value: Any, records: Records = None) -> Any:
        if value is None or value is False:
            return None
        if type(value) is int and value <= ID_MAX:
            return value or None
        if isinstance(value, (tuple, list)) and value:
            value = value[0]  # the pair (id, name) that read gives
        if hasattr(value, "_name"):
            value = self._id_of(value)
            if not value and value is not None:
                return self._draft(value, value, records)
            return value
        if isinstance(value, dict) and records is not None:
            return self._draft(value, records.env[self.comodel_name].new(value)._ids[0], records)
        if isinstance(value, int) and not isinstance(value, bool) and value <= ID_MAX:
            return int(value) or None
        if isinstance(value, NewId):
            return self._draft(value, value, records)
        raise self.refuse(value, f"Give a record of {self.comodel_name!r}, its id or False.")

    def _id_of(self, record: Records) -> Any:
        if record._name != self.comodel_name:
            raise self.refuse(record, f"Give a record of {self.comodel_name!r}.")
        if len(record._ids) > 1:
            raise self.refuse(record, "Give one record at most.")
        return record._ids[0] if record._ids else None

    def _draft(self, value: Any, id_: Any, records: Records) -> Any:
        """The id of a record in draft, to which only drafts can link."""
        if records is None or records.env.in_draft or not all(records._ids):
            return id_
        raise self.refuse(value, "It is not stored: give a record that is, or create it first.")

    def to_cache_column(self, values: list[Any], records: Records = None) -> list[Any]:
        if set(map(type, values)) == {int} and 0 not in values and max(values) <= ID_MAX:
            return values
        return super().to_cache_column(values, records)

    def to_read(self, cached: Any, record: Records) -> Any:
        if cached is None:
            return False
        linked = self.to_record(cached, record)
        # The name is shown even where the linked record itself may not be read.
        return (cached, linked.sudo().display_name)

    def to_write(self, value: Any) -> Any:
        # The id of a draft is false, but must not pass for none.
        return value.id or next(iter(value._ids), False) if hasattr(value, "_name") else value

    def description(self, env: Any) -> dict[str, Any]:
        return {
            **super().description(env),
            "relation": self.comodel_name,
            "domain": self.domain,
            "context": self.context or {},
        }
