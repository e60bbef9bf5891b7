"""Which methods of models may be called from outside, and how their arguments are meant."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
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
    function = remote_method(type(model), name)
    named = dict(kwargs)
    given = named.pop("context", context)
    records = model.with_context(_checked_context(given)) if given else model
    positional = list(args)
    if not is_of_model(type(model), name):
        if "ids" in named and not positional:
            positional = [named.pop("ids")]
        if not positional:
            raise BadArgumentsError(f"{model._name}.{name} needs ids as its first argument.")
        records = records.browse(_ids(positional.pop(0)))
    named = _renamed(name, named)
    _check_signature(function, model, name, positional, named)
    return _plain(
        type(model), name, positional, named, getattr(records, name)(*positional, **named)
    )


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


def _check_signature(
    function: Any, model: Any, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    """Tell bad arguments from a TypeError inside the method."""
    try:
        inspect.signature(function).bind(model, *args, **kwargs)
    except TypeError as error:
        raise BadArgumentsError(f"{model._name}.{name}: {error}.") from None


def _plain(cls: Any, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], result: Any) -> Any:
    """Records become ids; the record of one dictionary, or a copy, becomes its id."""
    returns = _mark(cls, name, "_returns")
    if returns and returns[1] is not None and hasattr(result, "_ids"):
        return returns[1](result)
    if not hasattr(result, "_ids"):
        return result
    if name == "copy" and len(result) == 1:
        return result.id
    if name == "create" and isinstance(args[0] if args else kwargs.get("vals"), Mapping):
        return result.id
    return result.ids


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
