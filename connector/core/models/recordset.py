"""Recordset: an ordered set of records of one model, bound to an environment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import attrgetter
from typing import Any, ClassVar, Self

from connector.core.exceptions import FieldValueError, SingletonError, UnknownFieldError
from connector.core.fields import Field
from connector.core.fields.new_id import NewId
from connector.core.models.meta import MetaModel

__all__ = ["PREFETCH_LONG", "PREFETCH_MAX", "LaterIds", "Recordset"]

#: records that are read together
PREFETCH_MAX = 1000
#: and when a loop has gone on for long enough to expect its end
PREFETCH_LONG = 4000
ID_TYPES = frozenset({int, NewId})
SUPERUSER_ID = 1


class LaterIds(tuple[Any, ...]):
    """A slice of a loop that was over others before: what it will read is known from them."""

    __slots__ = ()


class Recordset(metaclass=MetaModel):
    """
    Records of one model; a single record is a recordset of one.

    Two sets are equal when they hold the same records, whatever the order.
    """

    __slots__ = ("_ids", "_prefetch", "env")

    _register = False
    env: Any
    #: a tuple, or what holds very many like one
    _ids: Sequence[Any]
    _prefetch: Iterable[Any]

    _name: ClassVar[str] = ""
    _table: ClassVar[str] = ""
    _order: ClassVar[str] = "id"
    _fields: ClassVar[dict[str, Field]] = {}
    _rec_name: ClassVar[str | None] = None

    def __getattr__(self, name: str) -> Any:
        # Models get their fields and methods from the addons of a database. What comes here is
        # a field that was not read before, or was not found, or raised an AttributeError.
        if name in self._fields:
            return self._fields[name].read(self)
        if hasattr(type(self), name):
            return object.__getattribute__(self, name)
        raise AttributeError(
            f"{self._name!r} has no field or method {name!r}. Correct the name, or install the "
            f"addon that adds it. It has {', '.join(sorted(self._fields))}.",
            name=name,
            obj=self,
        )

    # -- making ---------------------------------------------------------------------------

    @classmethod
    def _browse(cls, env: Any, ids: Sequence[Any], prefetch: Iterable[Any] | None = None) -> Any:
        records = object.__new__(cls)
        records.env = env
        records._ids = ids
        records._prefetch = ids if prefetch is None else prefetch
        return records

    def browse(self, arg: Any = None) -> Self:
        """
        The records of an id, or of several; nothing is looked up.

        Raises:
            FieldValueError: what is given are no ids.
        """
        if not arg:
            ids: tuple[Any, ...] = (arg,) if isinstance(arg, NewId) else ()
        elif isinstance(arg, int):
            ids = (arg,)
            self.env.transaction.browsed[self._name].add(arg)
        else:
            ids = () if isinstance(arg, str) else tuple(arg)
            if len(ids) <= PREFETCH_MAX:
                if isinstance(arg, str) or not ID_TYPES.issuperset(map(type, ids)):
                    raise FieldValueError(
                        f"Wrong ids for {self._name!r}: {arg!r}. Give a number, or several."
                    )
                self.env.transaction.browsed[self._name].update(ids)
        return self._browse(self.env, ids)  # type: ignore[no-any-return]

    def with_env(self, env: Any) -> Self:
        """The same records in another environment."""
        return self._browse(env, self._ids, self._prefetch)  # type: ignore[no-any-return]

    def sudo(self, user: Any = SUPERUSER_ID) -> Self:
        """The same records for another user, by default the one who may do everything."""
        return self if user == self.env.uid else self.with_env(self.env(user=user))

    def with_context(self, *args: Mapping[str, Any], **overrides: Any) -> Self:
        """The same records with keys added to the context, or with the context given."""
        context = dict(args[0] if args else self.env.context, **overrides)
        return self.with_env(self.env(context=context))

    def with_prefetch(self, prefetch: Iterable[Any] | None = None) -> Self:
        """The same records, read together with those of the ids in *prefetch*."""
        return self._browse(self.env, self._ids, prefetch)  # type: ignore[no-any-return]

    # -- ids ------------------------------------------------------------------------------

    @property
    def ids(self) -> list[int]:
        """The ids of the records that are stored."""
        return [id_ for id_ in self._ids if id_]

    @property
    def _cr(self) -> Any:
        return self.env.cr

    @property
    def _uid(self) -> int:
        return self.env.uid  # type: ignore[no-any-return]

    @property
    def _context(self) -> Any:
        return self.env.context

    @property
    def pool(self) -> Any:
        """The registry, by its name of old."""
        return self.env.registry

    def ensure_one(self) -> Self:
        """
        The same set, of exactly one record.

        Raises:
            SingletonError: it holds none or several.
        """
        if len(self._ids) == 1:
            return self
        raise SingletonError(
            f"Expected singleton: {self!r}. One record of {self._name!r} is needed here: "
            f"loop over the records, or check that there is one."
        )

    # -- collection -----------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._ids)

    def __bool__(self) -> bool:
        return bool(self._ids)

    def __iter__(self) -> Iterator[Self]:
        ids, env, cls = self._ids, self.env, type(self)
        start, size = 0, PREFETCH_MAX
        prefetch = self._prefetch
        # Slices share their reading, and a slice that is done leaves nothing to search.
        while part := ids[start : start + size]:
            if len(ids) > PREFETCH_MAX:
                prefetch = LaterIds(part) if start else part
            start, size = start + size, min(2 * size, PREFETCH_LONG)
            for one in zip(part):  # the quickest way to a tuple for each
                record = cls()
                record.env = env
                record._ids = one
                record._prefetch = prefetch
                yield record

    def __contains__(self, item: Any) -> bool:
        if isinstance(item, str):
            return item in self._fields
        self._check_same_model(item, "in")
        return len(item._ids) == 1 and item._ids[0] in self._ids

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return self._field(key).read(self)
        if isinstance(key, slice):
            return self._browse(self.env, self._ids[key], self._prefetch)
        return self._browse(self.env, (self._ids[key],), self._prefetch)

    def __setitem__(self, name: str, value: Any) -> None:
        self._field(name).__set__(self, value)

    @classmethod
    def _field(cls, name: str) -> Field:
        """
        The field of that name.

        Raises:
            UnknownFieldError: the model has none.
        """
        try:
            return cls._fields[name]
        except KeyError:
            raise UnknownFieldError(
                f"Invalid field {name!r} on model {cls._name!r}. "
                f"It has {', '.join(sorted(cls._fields))}."
            ) from None

    # -- algebra --------------------------------------------------------------------------

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Recordset):
            return NotImplemented
        return self._name == other._name and set(self._ids) == set(other._ids)

    def __hash__(self) -> int:
        return hash((self._name, frozenset(self._ids)))

    def __lt__(self, other: Self) -> bool:
        self._check_same_model(other, "<")
        return set(self._ids) < set(other._ids)

    def __le__(self, other: Self) -> bool:
        self._check_same_model(other, "<=")
        return set(self._ids) <= set(other._ids)

    def __gt__(self, other: Self) -> bool:
        self._check_same_model(other, ">")
        return set(self._ids) > set(other._ids)

    def __ge__(self, other: Self) -> bool:
        self._check_same_model(other, ">=")
        return set(self._ids) >= set(other._ids)

    def __add__(self, other: Self) -> Self:
        return self.concat(other)

    def concat(self, *others: Self) -> Self:
        """All records in turn; those met twice are there twice."""
        ids = list(self._ids)
        for other in others:
            self._check_same_model(other, "+")
            ids.extend(other._ids)
        return self.browse(ids)

    def __or__(self, other: Self) -> Self:
        return self.union(other)

    def union(self, *others: Self) -> Self:
        """All records once, in the order they are first met."""
        ids = dict.fromkeys(self._ids)
        for other in others:
            self._check_same_model(other, "|")
            ids.update(dict.fromkeys(other._ids))
        return self.browse(ids)

    def __and__(self, other: Self) -> Self:
        self._check_same_model(other, "&")
        kept = set(other._ids)
        return self.browse(dict.fromkeys(id_ for id_ in self._ids if id_ in kept))

    def __sub__(self, other: Self) -> Self:
        self._check_same_model(other, "-")
        dropped = set(other._ids)
        return self.browse([id_ for id_ in self._ids if id_ not in dropped])

    def _check_same_model(self, other: Any, operator: str) -> None:
        if not isinstance(other, Recordset) or other._name != self._name:
            raise TypeError(
                f"Mixing apples and oranges: {self!r} {operator} {other!r}. "
                f"Both sides have to be records of {self._name!r}."
            )

    # -- functions over records -----------------------------------------------------------

    def mapped(self, func: str | Callable[[Any], Any]) -> Any:
        """
        What *func* gives for each record: a recordset if it gives records, else a list.

        A dotted path of field names stands for a function.
        """
        if not func:
            return self
        if isinstance(func, str):
            records: Any = self
            for name in func.split("."):
                records = records._mapped_field(name)
            return records
        return self._joined([func(record) for record in self]) if self else func(self)

    def _mapped_field(self, name: str) -> Any:
        field = self._field(name)
        if not field.relational:
            return [field.read(record) for record in self]
        ids: dict[Any, None] = {}
        for record in self:
            ids.update(dict.fromkeys(field.read(record)._ids))
        return self.env[field.comodel_name].browse(ids)

    @staticmethod
    def _joined(values: list[Any]) -> Any:
        if isinstance(values[0], Recordset):
            return values[0].union(*values[1:])
        return values

    def filtered(self, func: str | Callable[[Any], Any]) -> Self:
        """The records for which *func*, or the field at the end of a path, is true."""
        if isinstance(func, str):
            path = func
            func = (
                attrgetter(path) if "." not in path else lambda record: any(_values(record, path))
            )
        return self._browse(  # type: ignore[no-any-return]
            self.env, tuple(record._ids[0] for record in self if func(record)), self._prefetch
        )

    def sorted(self, key: str | Callable[[Any], Any] | None = None, reverse: bool = False) -> Self:
        """
        The records ordered by a field, by a function, or as the model orders them.

        A field without value comes first, a link counts by its ids.
        The model's order puts records in draft last.
        """
        if key is None:
            found = self.with_context(active_test=False).search([("id", "in", self.ids)])
            ids = [*found._ids, *(id_ for id_ in self._ids if not id_)]
            return self.browse(reversed(ids) if reverse else ids)
        if isinstance(key, str):
            key = _ordering(attrgetter(key))
        ordered = sorted(self, key=key, reverse=reverse)
        return self.browse([record._ids[0] for record in ordered])

    # -- showing --------------------------------------------------------------------------

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, islice(self._ids, 20)))
        more = ", ..." if len(self._ids) > 20 else "," if len(self._ids) == 1 else ""
        return f"{self._name}({shown}{more})"

    def __int__(self) -> int:
        return self.id or 0


def _ordering(value_of: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Values in an order that is one of all: no value first, records by their ids."""

    def key(record: Any) -> tuple[bool, Any]:
        value = value_of(record)
        if isinstance(value, Recordset):
            return bool(value), value.ids
        return value is not False, value

    return key


def _values(record: Any, path: str) -> Any:
    values = record.mapped(path)
    return values if isinstance(values, (list, Recordset)) else [values]
