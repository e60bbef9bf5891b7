"""What a mapper class declares: the decorators of its methods and how classes inherit them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from connector.connector import MetaConnectorUnit
from connector.exception import MappingDefinitionError

F = TypeVar("F", bound=Callable[..., Any])


class MappingDefinition(NamedTuple):
    """What is declared about one mapping method."""

    #: source fields whose change calls for this mapping; none means that it is always done
    changed_by: frozenset[str]
    #: left out unless the record is created
    only_create: bool


def mapping(func: F) -> F:
    """Make the method map: it takes a record and returns values by target field, or nothing."""
    func.is_mapping = True  # type: ignore[attr-defined]
    return func


def changed_by(*fields: str) -> Callable[[F], F]:
    """Do the mapping only when one of these source fields is among those to map."""

    def declare(func: F) -> F:
        func.changed_by = frozenset(fields)  # type: ignore[attr-defined]
        return func

    return declare


def only_create(func: F) -> F:
    """Do the mapping only for records that are created."""
    func.only_create = True  # type: ignore[attr-defined]
    return func


class MetaMapper(MetaConnectorUnit):
    """
    Collects the mapping methods of a class in `_map_methods`.

    Those of the bases come first, from left to right.  A method mapped in several bases is
    changed by what changes any of them; overriding it keeps it a mapping, and `@mapping` on the
    override decides anew whether it is for creation only.
    """

    _map_methods: dict[str, MappingDefinition]
    _changed_by_fields: frozenset[str]

    def __init__(self, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> None:
        super().__init__(name, bases, attrs)
        methods: dict[str, MappingDefinition] = {}
        for base in bases:
            for method, inherited in getattr(base, "_map_methods", {}).items():
                methods[method] = _merged(methods.get(method), inherited)
        for method, func in attrs.items():
            if getattr(func, "is_mapping", False):
                methods[method] = _declared(func, methods.get(method))
        self._map_methods = methods
        self._changed_by_fields = frozenset().union(
            (_source_field_name(self, source) for source, _ in attrs.get("direct", ())),
            *(definition.changed_by for definition in methods.values()),
            *(getattr(base, "_changed_by_fields", ()) for base in bases),
        )


def _merged(known: MappingDefinition | None, other: MappingDefinition) -> MappingDefinition:
    if known is None:
        return other
    return MappingDefinition(known.changed_by | other.changed_by, known.only_create)


def _declared(func: Any, inherited: MappingDefinition | None) -> MappingDefinition:
    fields: Iterable[str] = getattr(func, "changed_by", ())
    known = inherited.changed_by if inherited else frozenset()
    return MappingDefinition(known | frozenset(fields), getattr(func, "only_create", False))


def source_field_name(source: Any) -> str:
    """
    Give the source field of a direct mapping: the name itself, or the one its modifier reads.

    A modifier says it in an attribute `field`, or as 8.0 does in a closure variable `field`.

    Raises:
        MappingDefinitionError: it says it nowhere.
    """
    if isinstance(source, str):
        return source
    field = getattr(source, "field", None)
    if field is None:
        field = _closure_variable(source, "field")
    if field is None:
        raise MappingDefinitionError(
            f"{source!r} does not say which source field it reads. "
            "Name the variable that holds it `field`, or set it as attribute `field`."
        )
    return source_field_name(field)


def _closure_variable(func: Any, name: str) -> Any:
    code, cells = getattr(func, "__code__", None), getattr(func, "__closure__", None)
    if code is None or not cells or name not in code.co_freevars:
        return None
    return cells[code.co_freevars.index(name)].cell_contents


def _source_field_name(cls: type, source: Any) -> str:
    try:
        return source_field_name(source)
    except MappingDefinitionError as error:
        where = f"{cls.__module__}.{cls.__qualname__}.direct"
        raise MappingDefinitionError(f"{where}: {error}") from error
