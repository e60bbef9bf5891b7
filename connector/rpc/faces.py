"""Dresses a function of a face as what it is: something written once, done in the face's way."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def dressed(function: F, original: Callable[..., Any], own: int = 0) -> F:
    """
    *function* with the name, the docstring and the parameters of *original*.

    The first *own* parameters of *function* stay in front of them.
    """
    parameters = list(inspect.signature(function).parameters.values())[:own]
    parameters += inspect.signature(original).parameters.values()
    function.__name__ = function.__qualname__ = original.__name__
    function.__doc__ = original.__doc__
    vars(function)["__signature__"] = inspect.Signature(parameters)
    return function
