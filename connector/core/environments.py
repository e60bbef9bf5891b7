"""
Environments: those that one thread or task has made, and what they are made of.

They own nothing: what is cached and what waits belongs to the transactions of cursors.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

from connector.core.models.views import Todo

__all__ = ["Environments", "FrozenDict", "here"]


class FrozenDict(dict[str, Any]):
    """A dictionary that cannot be changed: an environment's context."""

    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            "A context cannot be changed. Use with_context(key=value) to get records "
            "in a context that differs."
        )

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset((key, _hashable(value)) for key, value in self.items()))


def _hashable(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


class Environments:
    """The environments that one thread or task has made; it keeps none of them alive."""

    def __init__(self) -> None:
        self.envs: WeakSet[Any] = WeakSet()
        self.by_arguments: WeakValueDictionary[Any, Any] = WeakValueDictionary()
        #: False, True in draft, or "onchange"
        self.mode: bool | str = False
        #: whether ``recompute()`` does anything
        self.recompute = True

    def add(self, env: Any) -> None:
        """Know an environment."""
        self.envs.add(env)
        self.by_arguments[env.args] = env

    def __iter__(self) -> Iterator[Any]:
        return iter(self.envs)

    @property
    def todo(self) -> Todo:
        """What is to be recomputed: field -> recordsets, of all cursors in use here."""
        return Todo(self)


class _Here(threading.local):
    """The environments of the running thread, and of each of its tasks."""

    def __init__(self) -> None:
        self.of_thread: Environments | None = None
        self.of_tasks: WeakKeyDictionary[Any, Environments] = WeakKeyDictionary()

    def get(self) -> Environments | None:
        task = _current_task()
        return self.of_thread if task is None else self.of_tasks.get(task)

    def set(self, environments: Environments | None) -> None:
        task = _current_task()
        if task is None:
            self.of_thread = environments
        elif environments is None:
            self.of_tasks.pop(task, None)
        else:
            self.of_tasks[task] = environments


def _current_task() -> Any:
    # Asks without raising where no loop runs.
    return asyncio.current_task() if asyncio._get_running_loop() is not None else None


#: whose thread and task this is
here = _Here()
