"""
What a test declares ends with the test: backends, units, consumers, job functions and models.

The declarations of a module that is imported meanwhile stay, because it is imported only once.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

from connector.backend import BACKENDS, Backend, UnitEntry
from connector.core.models import MetaModel
from connector.event import EVENTS, Consumers, Event
from connector.queue.function import JOB_REGISTRY

Replacements = dict[type, list[UnitEntry]]


@dataclass
class Declared:
    """What is declared at one moment."""

    backends: set[Backend] = field(default_factory=set)
    #: The units of every backend that can be reached, each with what replaces it.
    units: dict[Backend, Replacements] = field(default_factory=dict)
    consumers: dict[Event, dict[str | None, Consumers]] = field(default_factory=dict)
    jobs: set[Any] = field(default_factory=set)
    models: dict[str, list[Any]] = field(default_factory=dict)

    @classmethod
    def now(cls) -> Declared:
        return cls(
            set(BACKENDS.backends),
            {backend: _units_of(backend) for backend in _reachable(BACKENDS.backends)},
            {event: _consumers_of(event) for event in EVENTS},
            set(JOB_REGISTRY),
            {addon: list(classes) for addon, classes in MetaModel.module_to_models.items()},
        )

    def restore(self, imported: set[str]) -> None:
        """Forget what was declared since, but for the declarations of the modules *imported*."""
        if self == (now := Declared.now()):
            return
        self._restore_backends(imported)
        for event in now.consumers:
            self._restore_consumers(event, imported)
        JOB_REGISTRY.intersection_update(
            self.jobs | {func for func in JOB_REGISTRY if func.__module__ in imported}
        )
        JOB_REGISTRY.update(self.jobs)
        for addon, classes in MetaModel.module_to_models.items():
            before = self.models.get(addon, [])
            classes[:] = before + [
                each for each in classes if each.__module__ in imported and each not in before
            ]

    def _restore_backends(self, imported: set[str]) -> None:
        known = self.units.keys() | {
            backend
            for backend in _reachable(BACKENDS.backends)
            if any(_is_named_in(sys.modules[name], backend) for name in imported)
        }
        BACKENDS.backends = self.backends | (known & set(BACKENDS.backends))
        for backend in known:
            before = self.units.get(backend, {})
            for unit_class, entry in list(backend._entries.items()):
                if unit_class not in before and unit_class.__module__ not in imported:
                    del backend._entries[unit_class]
                    continue
                kept = before.get(unit_class, [])
                entry.replaced_by[:] = kept + [
                    each
                    for each in entry.replaced_by
                    if each not in kept and each.unit_class.__module__ in imported
                ]
            backend._children[:] = [child for child in backend._children if child in known]
        for backend in known:
            if backend.parent is None:
                backend._forget_look_ups()  # and those of its children

    def _restore_consumers(self, event: Event, imported: set[str]) -> None:
        before = self.consumers.get(event, {})
        for name, now in event._consumers.items():
            kept = before.get(name, Consumers())
            # Whose function it is does not matter: an addon subscribes those of the framework.
            new = [each for each in now if each not in kept and now._subscribers[each] in imported]
            event._consumers[name] = _copied(kept)
            for consumer in new:
                _copy(now, event._consumers[name], consumer)


def _reachable(backends: Any) -> set[Backend]:
    """Give the backends with their parents and children, registered here or not."""
    found: set[Backend] = set()
    waiting = list(backends)
    while waiting:
        backend = waiting.pop()
        if backend not in found:
            found.add(backend)
            waiting += [*backend._children, *([backend.parent] if backend.parent else [])]
    return found


def _is_named_in(module: Any, backend: Backend) -> bool:
    return any(value is backend for value in getattr(module, "__dict__", {}).values())


def _units_of(backend: Backend) -> Replacements:
    return {cls: list(entry.replaced_by) for cls, entry in backend._entries.items()}


def _consumers_of(event: Event) -> dict[str | None, Consumers]:
    return {name: _copied(consumers) for name, consumers in event._consumers.items()}


def _copied(consumers: Consumers) -> Consumers:
    copied = Consumers()
    for consumer in consumers:
        _copy(consumers, copied, consumer)
    return copied


def _copy(source: Consumers, target: Consumers, consumer: Any) -> None:
    target._addons[consumer] = source._addons[consumer]
    target._subscribers[consumer] = source._subscribers[consumer]
