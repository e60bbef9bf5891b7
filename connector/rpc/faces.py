"""Dresses a function of a face as what it is: one service, called over an HTTP client."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def dressed(function: F, service: Callable[..., Any]) -> F:
    """*function* with the name, the docstring and the keywords of *service* after its own two."""
    own = list(inspect.signature(function).parameters.values())[:2]
    keywords = inspect.signature(service).parameters.values()
    function.__name__ = function.__qualname__ = service.__name__
    function.__doc__ = service.__doc__
    vars(function)["__signature__"] = inspect.Signature([*own, *keywords])
    return function
