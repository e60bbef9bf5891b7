"""What a model offers to callers: its fields, and its methods with their arguments."""

from __future__ import annotations

import inspect
from typing import Any

from connector.core.exceptions import AccessError
from connector.server.callable_methods import is_of_model, remote_method
from connector.server.errors import UnknownMethodError

_READERS = frozenset(
    {"search", "search_count", "search_read", "read", "fields_get", "default_get", "name_search"}
)


def described(model: Any) -> dict[str, Any]:
    """The description that `/doc-bearer/<model>.json` gives; only what the user may read."""
    model.check_access_rights("read")
    cls = type(model)
    return {
        "model": model._name,
        "name": model._description or model._name,
        "doc": inspect.getdoc(cls),
        "fields": model.fields_get(),
        "methods": {name: _method(cls, name) for name in _method_names(cls)},
    }


def _method_names(cls: Any) -> list[str]:
    names = {name for parent in cls.__mro__ for name in vars(parent) if not name.startswith("_")}
    return sorted(name for name in names if _is_remote(cls, name))


def _is_remote(cls: Any, name: str) -> bool:
    try:
        remote_method(cls, name)
    except (AccessError, UnknownMethodError):
        return False
    return True


def _method(cls: Any, name: str) -> dict[str, Any]:
    function = remote_method(cls, name)
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())[1:]
    found: dict[str, Any] = {
        "signature": str(signature.replace(parameters=parameters)),
        "parameters": {parameter.name: _parameter(parameter) for parameter in parameters},
        "doc": inspect.getdoc(function),
        "model": cls._name,
        "module": cls._module,
    }
    api = ["model"] * is_of_model(cls, name) + ["readonly"] * (name in _READERS)
    return {**found, "api": api} if api else found


def _parameter(parameter: inspect.Parameter) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if parameter.default is not parameter.empty:
        found["default"] = parameter.default
    if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD:
        found["kind"] = parameter.kind.name
    if parameter.annotation is not parameter.empty:
        found["annotation"] = str(parameter.annotation)
    return found
