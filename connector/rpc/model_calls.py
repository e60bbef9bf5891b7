"""What each model method of the friendly faces sends, as `execute_kw` takes it. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Domain = Sequence[Any]
Ids = int | Iterable[int]
Values = Mapping[str, Any]

#: The methods that the faces have themselves; every other name goes to the model as it is.
METHODS = frozenset(
    {
        "create",
        "execute",
        "fields_get",
        "iter_records",
        "read",
        "search",
        "search_count",
        "search_read",
        "unlink",
        "write",
    }
)


class ModelCall(NamedTuple):
    """A method of a model with its arguments."""

    model: str
    method: str
    args: list[Any]
    kwargs: dict[str, Any]


def search(
    model: str, domain: Domain, *, offset: int, limit: int | None, order: str | None
) -> ModelCall:
    named = _given(offset=offset or None, limit=limit, order=order)
    return ModelCall(model, "search", [_listed(domain)], named)


def search_count(model: str, domain: Domain) -> ModelCall:
    return ModelCall(model, "search_count", [_listed(domain)], {})


def search_read(
    model: str,
    domain: Domain,
    fields: Sequence[str] | None,
    *,
    offset: int,
    limit: int | None,
    order: str | None,
) -> ModelCall:
    named = _given(
        domain=_listed(domain),
        fields=_names(fields),
        offset=offset or None,
        limit=limit,
        order=order,
    )
    return ModelCall(model, "search_read", [], named)


def read(model: str, ids: Ids, fields: Sequence[str] | None) -> ModelCall:
    return ModelCall(model, "read", [_id_list(ids)], _given(fields=_names(fields)))


def create(model: str, values: Values | Sequence[Values]) -> ModelCall:
    sent = dict(values) if isinstance(values, Mapping) else [dict(each) for each in values]
    return ModelCall(model, "create", [sent], {})


def write(model: str, ids: Ids, values: Values) -> ModelCall:
    return ModelCall(model, "write", [_id_list(ids), dict(values)], {})


def unlink(model: str, ids: Ids) -> ModelCall:
    return ModelCall(model, "unlink", [_id_list(ids)], {})


def fields_get(
    model: str, fields: Sequence[str] | None, attributes: Sequence[str] | None
) -> ModelCall:
    # The first parameter changed its name over the series, so it goes by its place.
    places = [] if fields is None else [_names(fields)]
    return ModelCall(model, "fields_get", places, _given(attributes=_names(attributes)))


def _given(**named: Any) -> dict[str, Any]:
    return {name: value for name, value in named.items() if value is not None}


def _listed(domain: Domain) -> list[Any]:
    if isinstance(domain, str | Mapping):
        raise TypeError(f"a domain is a list of terms, not {type(domain).__name__}")
    return list(domain)


def _names(fields: Sequence[str] | None) -> list[str] | None:
    if isinstance(fields, str):
        raise TypeError(f"a list of names is wanted, not the one name {fields!r}")
    return None if fields is None else list(fields)


def _id_list(ids: Ids) -> list[int]:
    return [ids] if isinstance(ids, int) else list(ids)
