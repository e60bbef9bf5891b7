"""Names of 8.0 that still work and say what to use instead."""

from __future__ import annotations

import warnings
from typing import Any

__all__ = ["DeprecatedClass", "log_deprecate"]


def log_deprecate(message: str) -> None:
    """Warn whoever called the function that calls this."""
    warnings.warn(message, DeprecationWarning, stacklevel=3)


class DeprecatedClass:
    """Stands for a class under its old name: warns and makes an instance of the new one."""

    def __init__(self, oldname: str, replacement: type) -> None:
        self.oldname = oldname
        self.replacement = replacement

    def _warn(self) -> None:
        new = f"{self.replacement.__module__}.{self.replacement.__qualname__}"
        warnings.warn(f"{self.oldname} is deprecated: use {new}", DeprecationWarning, stacklevel=3)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._warn()
        return self.replacement(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        self._warn()
        return getattr(self.replacement, name)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        """Let a class still derive from the old name."""
        self._warn()
        return (self.replacement,)
