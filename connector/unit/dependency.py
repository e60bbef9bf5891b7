"""Which other records of the backend a record needs, read from its fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from connector.connector import external_key

__all__ = ["Dependency", "dependencies_in"]


class Dependency(NamedTuple):
    """A record that must be bound before the one that needs it is mapped."""

    model: str
    external_id: Any


def dependencies_in(
    record: Mapping[str, Any], declared: Iterable[tuple[str, str]]
) -> Iterator[Dependency]:
    """
    Give the dependencies of a record, each once.

    *declared* holds pairs of a path and a binding model; a path like `lines.track_id` goes
    through dicts and lists.  Missing and empty values need nothing; zero is an id.
    """
    seen: set[tuple[str, str]] = set()
    for path, model in declared:
        for external_id in _values(record, path.split(".")):
            if external_id is None or external_id is False or external_id == "":
                continue
            key = (model, external_key(external_id))
            if key not in seen:
                seen.add(key)
                yield Dependency(model, external_id)


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _values(item, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping):
        yield from _values(value.get(path[0]), path[1:])
