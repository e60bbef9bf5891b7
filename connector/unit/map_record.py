"""A record on its way through a mapper, and the options that go with it."""

from __future__ import annotations

from typing import Any, Protocol


class MapOptions(dict[str, Any]):
    """Options as attributes; one that is not set is None."""

    def __missing__(self, key: str) -> None:
        return None

    def __getattribute__(self, name: str) -> Any:
        # An option named like a method of dict, `items` or `keys`, is the option here too.
        if not name.startswith("_") and name in self:
            return dict.__getitem__(self, name)
        return super().__getattribute__(name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


class AppliesMapping(Protocol):
    """What a MapRecord needs of its mapper."""

    def _apply(self, map_record: MapRecord, options: MapOptions | None = None) -> dict[str, Any]:
        """Map the record."""


class MapRecord:
    """One source record with its mapper; the values are made when they are asked for."""

    def __init__(
        self, mapper: AppliesMapping, source: Any, parent: MapRecord | None = None
    ) -> None:
        self._mapper = mapper
        self._source = source
        self._parent = parent
        self._forced: dict[str, Any] = {}

    @property
    def mapper(self) -> Any:
        """The mapper that makes the values."""
        return self._mapper

    @property
    def source(self) -> Any:
        """The record to map."""
        return self._source

    @property
    def parent(self) -> MapRecord | None:
        """The MapRecord this one is a line of."""
        return self._parent

    def values(
        self, for_create: bool | None = None, fields: Any = None, **options: Any
    ) -> dict[str, Any]:
        """
        Map the record.

        *for_create* adds the mappings marked `@only_create`; *fields* limits the direct ones and
        those marked `@changed_by` to these source fields, and empty means all; further options
        reach the mapping methods as `self.options`.
        """
        given = MapOptions(options, for_create=for_create, fields=fields)
        values = self._mapper._apply(self, options=given)
        values.update(self._forced)
        return values

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Force values, as `dict.update` does; they win over everything mapped."""
        self._forced.update(*args, **kwargs)
