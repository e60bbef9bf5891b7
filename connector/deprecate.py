"""Names of 8.0 that still work and say what to use instead."""

from __future__ import annotations

import logging
import sys
import warnings
from typing import Any

__all__ = ["DeprecatedClass", "log_deprecate"]


def log_deprecate(message: str) -> None:
    """
    Warn whoever called the function that calls this.

    The caller's own logger says it with function and line, and Python's warnings say it too.
    """
    caller = sys._getframe(2)
    logger = logging.getLogger(caller.f_globals.get("__name__", __name__))
    logger.warning("%s, line %s: %s", caller.f_code.co_name, caller.f_lineno, message)
    warnings.warn(message, DeprecationWarning, stacklevel=3)


class DeprecatedClass:
    """Stands for a class under its old name: warns, and does what the new one does."""

    def __init__(self, oldname: str, replacement: type) -> None:
        self.oldname = oldname
        self.replacement = replacement

    def _advice(self) -> str:
        new = f"{self.replacement.__module__}.{self.replacement.__qualname__}"
        return f"{self.oldname} is deprecated: use {new}"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        log_deprecate(self._advice())
        return self.replacement(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        log_deprecate(self._advice())
        return getattr(self.replacement, name)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        """Let a class still derive from the old name."""
        log_deprecate(self._advice())
        return (self.replacement,)

    def __subclasscheck__(self, cls: type) -> bool:
        """Let a unit still be asked for by the old name."""
        return issubclass(cls, self.replacement)

    def __instancecheck__(self, thing: object) -> bool:
        return isinstance(thing, self.replacement)
