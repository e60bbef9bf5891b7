"""Which methods of models may be called from outside, and how their arguments are meant."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.core.exceptions import AccessError
from connector.core.models import recordset
from connector.server.errors import BadArgumentsError, UnknownMethodError

#: Public by their names, but about the inside of the server.
_INNER = frozenset({"init", "modified", "invalidate_cache", "new", "filtered_domain", "recompute"})

#: Methods of every model that concern no records, whatever decorator an override lacks.
_OF_MODEL = frozenset(
    {
        "check_access_rights",
        "create",
        "default_get",
        "fields_get",
        "name_create",
        "name_search",
        "onchange",
        "search",
        "search_count",
        "search_read",
        "user_has_groups",
    }
)

#: What the arguments were called in one series or another -> what they are called here.
_OTHER_NAMES: Mapping[str, Mapping[str, str]] = {
    "search": {"args": "domain"},
    "search_count": {"args": "domain"},
    "create": {"vals_list": "vals", "values": "vals"},
    "write": {"values": "vals"},
    "default_get": {"fields": "fields_list"},
    "fields_get": {"fields": "allfields"},
    "name_search": {"domain": "args"},
}


def remote_method(model: Any, name: Any) -> Callable[..., Any]:
    """
    The function behind a public method of the model's class.

    Raises:
        AccessError: it is private.
        UnknownMethodError: there is none.
    """
    if not isinstance(name, str) or name.startswith("_") or name in _INNER:
        raise _private(name)
    for cls in model.__mro__:
        found = vars(cls).get(name)
        if found is None:
            continue
        if isinstance(found, classmethod | staticmethod):
            found = found.__func__
        if not inspect.isfunction(found):
            break
        if found.__module__ == recordset.__name__ or _mark(model, name, "_private"):
            raise _private(name)
        return found
    raise UnknownMethodError(f"The method '{model._name}.{name}' does not exist.")


def is_of_model(model: Any, name: str) -> bool:
    """Whether the method concerns no records, so that its first argument is no list of ids."""
    return name in _OF_MODEL or _mark(model, name, "_api") == "model"


@dataclass(frozen=True)
class _Method:
    """What there is to know of a method before it is called; kept with the registry."""

    signature: inspect.Signature
    is_of_model: bool
    downgrade: Callable[[Any], Any] | None


def _known_method(model: Any, name: Any) -> _Method:
    cache = model.env.registry.cache
    key = ("remote method", model._name, name)
    known: _Method | None = cache.get(key) if isinstance(name, str) else None
    if known is None:
        cls = type(model)
        function = remote_method(cls, name)
        returns = _mark(cls, name, "_returns")
        known = cache[key] = _Method(
            inspect.signature(function), is_of_model(cls, name), returns[1] if returns else None
        )
    return known


def call(
    model: Any, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], context: Any = None
) -> Any:
    """
    Call a method as the user of *model*, with plain values in and out.

    *kwargs* may hold the context. The records that the method is for are its first argument,
    one id or a list.

    Raises:
        AccessError, UnknownMethodError: there is no such method for callers.
        BadArgumentsError: the arguments do not fit.
    """
    method = _known_method(model, name)
    named = dict(kwargs)
    given = named.pop("context", context)
    records = model.with_context(_checked_context(given)) if given else model
    positional = list(args)
    if not method.is_of_model:
        if "ids" in named and not positional:
            positional = [named.pop("ids")]
        if not positional:
            raise BadArgumentsError(f"{model._name}.{name} needs ids as its first argument.")
        records = records.browse(_ids(positional.pop(0)))
    named = _renamed(name, named)
    try:
        method.signature.bind(model, *positional, **named)
    except TypeError as error:  # told apart from a TypeError inside the method
        raise BadArgumentsError(f"{model._name}.{name}: {error}.") from None
    result = getattr(records, name)(*positional, **named)
    return _plain(method, name, positional, named, result) if hasattr(result, "_ids") else result


def _ids(given: Any) -> list[int]:
    if isinstance(given, bool) or given is None:
        return []
    each = [given] if isinstance(given, int) else given
    if not isinstance(each, list | tuple) or not all(type(id_) is int for id_ in each):
        raise BadArgumentsError(f"Ids are whole numbers, not {given!r}.")
    return list(each)


def _checked_context(given: Any) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise BadArgumentsError("The context is a dictionary.")
    return given


def _renamed(name: str, named: dict[str, Any]) -> dict[str, Any]:
    others = _OTHER_NAMES.get(name)
    return {others.get(key, key): value for key, value in named.items()} if others else named


def _plain(
    method: _Method, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], records: Any
) -> Any:
    """Records become ids; the record of one dictionary, or a copy, becomes its id."""
    if method.downgrade is not None:
        return method.downgrade(records)
    if name == "copy" and len(records) == 1:
        return records.id
    if name == "create" and isinstance(args[0] if args else kwargs.get("vals"), Mapping):
        return records.id
    return records.ids


def _mark(model: Any, name: str, mark: str) -> Any:
    """The mark that a decorator left, on the method or on one that it overrides."""
    for cls in model.__mro__:
        found = vars(cls).get(name)
        value = getattr(getattr(found, "__func__", found), mark, None)
        if value is not None:
            return value
    return None


def _private(name: Any) -> AccessError:
    return AccessError(
        f"Private methods (such as {name!r}) cannot be called remotely. Call a public one."
    )
