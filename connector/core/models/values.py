"""The dictionaries in which cached values are kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["LocalValues", "Values"]

#: parts of a column that wait to be asked for
COLUMNS_MAX = 200

#: ids, and the value of one field for each
Column = tuple[Sequence[Any], Sequence[Any]]


class LocalValues(dict[Any, Any]):
    """Values of a computed field in one environment; weakly known to the transaction."""

    __slots__ = ("__weakref__",)
    __hash__ = object.__hash__  # type: ignore[assignment]  # a WeakSet holds it by identity


class Values(dict[Any, dict[Any, Any]]):
    """
    field -> {id: cached value}; a field asked for first has an empty dictionary.

    Columns that were read along with another stay as they came until their field is asked
    for: often that is never.
    """

    def __init__(self) -> None:
        super().__init__()
        self._columns: defaultdict[Any, list[Column]] = defaultdict(list)

    def add(self, field: Any, ids: Sequence[Any], column: Sequence[Any]) -> None:
        """Take in what was read of *field* for *ids*; what is known of them is replaced."""
        if field in self:
            self[field].update(zip(ids, column, strict=True))
        else:
            waiting = self._columns[field]
            waiting.append((ids, column))
            if len(waiting) > COLUMNS_MAX:
                self[field]  # the same rows may come again and again

    def __missing__(self, field: Any) -> dict[Any, Any]:
        values = self[field] = {}
        for ids, column in self._columns.pop(field, ()):
            values.update(zip(ids, column, strict=True))
        return values

    def drop_unasked(self, fields: Iterable[Any] | None = None) -> None:
        """Forget the columns of *fields*, by default all, that nobody asked for."""
        for field in list(self._columns) if fields is None else fields:
            self._columns.pop(field, None)

    def get(self, field: Any, default: Any = None) -> Any:
        return self[field] if field in self or field in self._columns else default

    def items(self) -> Any:
        for field in list(self._columns):
            self[field]
        return super().items()

    def clear(self) -> None:
        super().clear()
        self.drop_unasked()
