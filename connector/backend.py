"""
Backends: a service, its versions, and the units each of them registers.

    Backend("shop")                     what all versions share
    |-- Backend(parent=.., version="1") asks its parent for what it does not register
    `-- Backend(parent=.., version="2")

A look-up answers with one class, or says what it sought and what it found.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar, cast, overload

from connector.connector import ConnectorUnit
from connector.exception import (
    BackendError,
    ManyConnectorUnitsError,
    NoBackendError,
    NoConnectorUnitError,
    UnknownUnitError,
)
from connector.session import ConnectorSession

__all__ = ["BACKENDS", "Backend", "BackendRegistry", "get_backend"]

U = TypeVar("U", bound=type[ConnectorUnit])
B = TypeVar("B", bound=ConnectorUnit)
#: What can stand after `replacing=`: one class or several.
Replaced = type[ConnectorUnit] | Iterable[type[ConnectorUnit]] | None


class BackendRegistry:
    """The backends of a process."""

    def __init__(self) -> None:
        #: A test puts a fresh set in its place.
        self.backends: set[Backend] = set()

    def register_backend(self, backend: Backend) -> None:
        self.backends.add(backend)

    def get_backend(self, service: str, version: str | None = None) -> Backend:
        """
        Give the backend of exactly this service and version.

        Raises:
            NoBackendError: there is none; the message lists those there are.
            BackendError: there are several.
        """
        found = [backend for backend in self.backends if backend.match(service, version)]
        if len(found) == 1:
            return found[0]
        if found:
            raise BackendError(
                f"{len(found)} backends are {found[0]!r}, so none can be chosen. "
                "Give each a service or a version of its own."
            )
        known = ", ".join(sorted(map(repr, self.backends))) or "none at all"
        raise NoBackendError(
            f"No backend of service {service!r} and version {version!r} is registered "
            f"(registered: {known}). Create it with Backend({service!r}, version={version!r}), "
            "or import the module that does."
        )


#: The backends every `Backend()` joins unless it is given a registry.
BACKENDS = BackendRegistry()


def get_backend(service: str, version: str | None = None) -> Backend:
    """Give the backend of this service and version among `BACKENDS`; see `BackendRegistry`."""
    return BACKENDS.get_backend(service, version)


@dataclass(eq=False)
class UnitEntry:
    """A class registered on a backend, the addon it belongs to, and what replaces it there."""

    unit_class: type[ConnectorUnit]
    addon: str
    replaced_by: list[UnitEntry] = field(default_factory=list)


#: (base class, model name) -> the class that answers
Found = dict[tuple[type, str], type[ConnectorUnit]]


class View(NamedTuple):
    """A backend as a database sees it, in which some addons are installed and others not."""

    modules: Collection[str]
    size: int
    installed: frozenset[str]
    found: Found


class Backend:
    """
    One version of a service, with the units registered for it.

    A unit registered here hides every unit of the parents that answers the same question.
    `version` is not inherited, `service` is.
    """

    def __init__(
        self,
        service: str | None = None,
        version: str | None = None,
        parent: Backend | None = None,
        registry: BackendRegistry | None = None,
    ) -> None:
        if service is None and parent is None:
            raise BackendError("A Backend needs a service, or a parent that has one.")
        self._service = service
        self.version = version
        self.parent = parent
        self._entries: dict[type[ConnectorUnit], UnitEntry] = {}
        self._children: list[Backend] = []
        #: What was found, by which of the addons with units here are installed.
        self._found: dict[frozenset[str], Found] = {}
        self._last_view: View | None = None
        self._addons: tuple[str, ...] = ()
        (BACKENDS if registry is None else registry).register_backend(self)
        if parent is not None:
            parent._children.append(self)
        self._forget_look_ups()

    @property
    def service(self) -> str:
        if self._service is not None:
            return self._service
        assert self.parent is not None  # the constructor asks for one of the two
        return self.parent.service

    def match(self, service: str, version: str | None) -> bool:
        """Say whether this is the backend of exactly that service and version."""
        return self.service == service and self.version == version

    def __str__(self) -> str:
        if self.version:
            return f"Backend({self.service!r}, {self.version!r})"
        return f"Backend({self.service!r})"

    def __repr__(self) -> str:
        if self.version:
            return f"<Backend {self.service!r}, {self.version!r}>"
        return f"<Backend {self.service!r}>"

    # -- registration ------------------------------------------------------------------------

    @overload
    def __call__(self, cls: U) -> U: ...

    @overload
    def __call__(self, cls: None = None, replacing: Replaced = None) -> Callable[[U], U]: ...

    def __call__(self, cls: type[ConnectorUnit] | None = None, replacing: Replaced = None) -> Any:
        """Register the decorated class; use it bare or with *replacing*."""
        if cls is not None:
            self.register_class(cls, replacing=replacing)
            return cls

        def register(unit_class: U) -> U:
            self.register_class(unit_class, replacing=replacing)
            return unit_class

        return register

    def register_class(self, cls: type[ConnectorUnit], replacing: Replaced = None) -> None:
        """
        Register a unit here, in place of those it replaces while its addon is installed.

        Raises:
            BackendError: *cls* replaces itself, or is no connector unit.
            UnknownUnitError: a replaced class is not registered on this very backend.
        """
        if not (isinstance(cls, type) and issubclass(cls, ConnectorUnit)):
            raise BackendError(f"{cls!r} cannot be registered on {self}: it is no ConnectorUnit.")
        replaced = [self._entry_to_replace(cls, each) for each in _classes(replacing)]
        entry = self._entries.setdefault(cls, UnitEntry(cls, cls._module))
        for each in replaced:
            each.replaced_by.append(entry)
        self._forget_look_ups()

    def _entry_to_replace(
        self, cls: type[ConnectorUnit], replaced: type[ConnectorUnit]
    ) -> UnitEntry:
        if replaced is cls:
            raise BackendError(f"{_place(cls)} cannot replace itself on {self}.")
        entry = self._entries.get(replaced)
        if entry is None:
            known = ", ".join(map(_place, self._entries)) or "none"
            raise UnknownUnitError(
                f"{_place(cls)} replaces {_shown(replaced)}, which is not registered on {self} "
                f"(registered there: {known}). "
                "Register it there first; a class of a parent is hidden without `replacing`."
            )
        if cls in self._entries and entry in _all_replacing(self._entries[cls]):
            raise BackendError(f"{_place(cls)} and {_place(replaced)} cannot replace each other.")
        return entry

    def _forget_look_ups(self) -> None:
        addons = {entry.addon for entry in self._entries.values()}
        if self.parent is not None:
            addons.update(self.parent._addons)
        self._addons = tuple(sorted(addons))
        self._found.clear()
        self._last_view = None
        for child in self._children:
            child._forget_look_ups()

    # -- look-up -----------------------------------------------------------------------------

    def get_class(self, base_class: type[B], session: ConnectorSession, model_name: str) -> type[B]:
        """
        Give the one class that is *base_class* or a subclass and works on this model.

        A replaced class gives way to those of its replacements that answer; where none does, it
        stays.  Only without any answer here is the parent asked.

        Raises:
            NoConnectorUnitError: no class answers, here or in the parents.
            ManyConnectorUnitsError: several do, and none replaces the others.
        """
        view = self._view_of(session.env.registry._init_modules)
        found = view.found.get((base_class, model_name))
        if found is None:
            found = self._look_up(base_class, session, model_name, view.installed)
            if not self._asks_the_session(base_class):
                view.found[base_class, model_name] = found
        return cast(type[B], found)

    def _view_of(self, modules: Collection[str]) -> View:
        """Give what is known for a database with these addons installed."""
        view = self._last_view
        # A registry's set of loaded addons only grows, so its length tells whether it changed.
        if view is None or view.modules is not modules or view.size != len(modules):
            installed = frozenset(addon for addon in self._addons if addon in modules)
            found = self._found.setdefault(installed, {})
            view = self._last_view = View(modules, len(modules), installed, found)
        return view

    def _look_up(
        self,
        base_class: type[B],
        session: ConnectorSession,
        model_name: str,
        installed: frozenset[str],
    ) -> type[B]:
        def answers(entry: UnitEntry) -> bool:
            return (
                entry.addon in installed
                and issubclass(entry.unit_class, base_class)
                and entry.unit_class.match(session, model_name)
            )

        candidates = self.candidates(answers)
        if not candidates:
            raise NoConnectorUnitError(self._nothing_found(base_class, model_name, installed))
        if len(candidates) > 1:
            names = ", ".join(sorted(_place(each) for each in candidates))
            raise ManyConnectorUnitsError(
                f"Several {base_class.__name__} for {model_name!r} on {self}: {names}. Let one "
                "replace the others with @backend(replacing=...), or ask for the precise class."
            )
        found: type[B] = candidates[0]
        return found

    def candidates(self, answers: Callable[[UnitEntry], bool]) -> list[Any]:
        """Give the classes that *answers* accepts, of the first backend upwards that has any."""
        backend: Backend | None = self
        while backend is not None:
            found: dict[type, None] = {}
            for entry in backend._entries.values():
                found.update(dict.fromkeys(_answering(entry, answers)))
            if found:
                return list(found)
            backend = backend.parent
        return []

    def entries(self) -> Iterator[tuple[Backend, UnitEntry]]:
        """Give every entry of this backend and its parents, with the backend it stands on."""
        backend: Backend | None = self
        while backend is not None:
            for entry in backend._entries.values():
                yield backend, entry
            backend = backend.parent

    def _asks_the_session(self, base_class: type) -> bool:
        """Say whether a unit overrides `match`: its answer may change, so it is not kept."""
        plain = ConnectorUnit.match.__func__  # type: ignore[attr-defined]
        return any(
            issubclass(entry.unit_class, base_class)
            and getattr(entry.unit_class.match, "__func__", None) is not plain
            for _, entry in self.entries()
        )

    def _nothing_found(self, base_class: type, model_name: str, installed: frozenset[str]) -> str:
        near = [
            f"{_place(entry.unit_class)} ({why})"
            for backend, entry in self.entries()
            if issubclass(entry.unit_class, base_class)
            for why in [
                f"on {backend}, addon {entry.addon!r} is not installed"
                if entry.addon not in installed
                else f"on {backend}, for other models"
            ]
        ]
        registered = "; registered: " + ", ".join(near) if near else ""
        return (
            f"No {base_class.__name__} for {model_name!r} on {self}{registered}. "
            f"Register one with @{self.service}, or import its module."
        )


def _classes(replacing: Replaced) -> tuple[type[ConnectorUnit], ...]:
    if replacing is None:
        return ()
    if isinstance(replacing, type | str):
        return (replacing,)
    return tuple(replacing)


def _all_replacing(entry: UnitEntry) -> Iterator[UnitEntry]:
    for replacement in entry.replaced_by:
        yield replacement
        yield from _all_replacing(replacement)


def _answering(
    entry: UnitEntry, answers: Callable[[UnitEntry], bool]
) -> Iterator[type[ConnectorUnit]]:
    """Give the replacements that answer, however deep; without any, the entry itself if it does."""
    found = False
    for replacement in entry.replaced_by:
        for unit_class in _answering(replacement, answers):
            found = True
            yield unit_class
    if not found and answers(entry):
        yield entry.unit_class


def _shown(replaced: object) -> str:
    return _place(replaced) if isinstance(replaced, type) else repr(replaced)


def _place(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
