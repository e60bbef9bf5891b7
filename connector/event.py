"""
Events: what happens to records, and who wants to know.

    on_record_create(session, model_name, record_id, vals)   after a record is created
    on_record_write(session, model_name, record_id, vals)    after a record is written
    on_record_unlink(session, model_name, record_id)         before a record is deleted
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, MutableSet
from types import FrameType
from typing import Any, TypeVar, overload
from weakref import WeakSet

from connector.connector import get_openerp_module, is_module_installed
from connector.exception import EventError
from connector.session import ConnectorSession

Consumer = Callable[..., Any]
C = TypeVar("C", bound=Consumer)
ModelNames = str | Iterable[str] | None

__all__ = ["Event", "on_record_create", "on_record_unlink", "on_record_write"]


class Consumers(MutableSet[Consumer]):
    """Functions in the order of their subscription, each with its addon as known at that moment."""

    def __init__(self, consumers: Iterable[Consumer] = ()) -> None:
        self._addons: dict[Consumer, str] = {}
        #: The module whose code has subscribed each of them.
        self._subscribers: dict[Consumer, str] = {}
        for consumer in consumers:
            self.add(consumer)

    def add(self, value: Consumer) -> None:
        self._addons[value] = get_openerp_module(value)
        self._subscribers[value] = _module_outside()

    def discard(self, value: Consumer) -> None:
        self._addons.pop(value, None)

    def installed(self, env: Any) -> Iterator[Consumer]:
        """Give those whose addon is installed in the database of *env*."""
        for consumer, addon in self._addons.items():
            if is_module_installed(env, addon):
                yield consumer

    def __contains__(self, consumer: object) -> bool:
        return consumer in self._addons

    def __iter__(self) -> Iterator[Consumer]:
        return iter(self._addons)

    def __len__(self) -> int:
        return len(self._addons)


#: All events there are, so that a test can forget who has subscribed in it.
EVENTS: WeakSet[Event] = WeakSet()


#: Stands for the consumers of a model that has none.
NOBODY = Consumers()


class Event:
    """
    Something that happens to records of a model; functions subscribe to it.

    Consumers are called in the order of their subscription, those of all models first; one that
    is subscribed both ways is called twice.  A consumer of an addon that is not installed in the
    session's database is passed over.  An exception of a consumer reaches the one who fires.
    """

    def __init__(self) -> None:
        #: By model; those of all models stand under None.
        self._consumers: dict[str | None, Consumers] = {None: Consumers()}
        EVENTS.add(self)

    def subscribe(
        self,
        consumer: Consumer,
        model_names: ModelNames = None,
        replacing: Consumer | None = None,
    ) -> None:
        """Call *consumer* for these models, all by default, in place of *replacing*."""
        if not callable(consumer):
            raise EventError(f"{consumer!r} cannot consume an event: it is not callable.")
        if replacing is not None:
            self.unsubscribe(replacing, model_names)
        for name in _names(model_names):
            self._consumers.setdefault(name, Consumers()).add(consumer)

    def unsubscribe(self, consumer: Consumer, model_names: ModelNames = None) -> None:
        """Stop calling *consumer* for these models; unknown consumers are no error."""
        for name in _names(model_names):
            self._consumers.get(name, NOBODY).discard(consumer)

    def has_consumer_for(self, session: ConnectorSession, model_name: str) -> bool:
        """Say whether firing for this model would call anybody."""
        return any(True for _ in self._installed_consumers(session, model_name))

    def fire(self, session: ConnectorSession, model_name: str, *args: Any, **kwargs: Any) -> None:
        """
        Call the consumers with *session*, *model_name* and the rest.

        Raises:
            EventError: *model_name* is not the name of a model.
        """
        if not isinstance(model_name, str):
            raise EventError(f"An event is fired with the name of a model, not {model_name!r}.")
        for consumer in list(self._installed_consumers(session, model_name)):
            consumer(session, model_name, *args, **kwargs)

    def _installed_consumers(
        self, session: ConnectorSession, model_name: str
    ) -> Iterator[Consumer]:
        yield from self._consumers[None].installed(session.env)
        yield from self._consumers.get(model_name, NOBODY).installed(session.env)

    @overload
    def __call__(self, func: C) -> C: ...

    @overload
    def __call__(
        self, func: None = None, model_names: ModelNames = None, replacing: Consumer | None = None
    ) -> Callable[[C], C]: ...

    def __call__(
        self,
        func: Consumer | None = None,
        model_names: ModelNames = None,
        replacing: Consumer | None = None,
    ) -> Consumer | Callable[[C], C]:
        """Subscribe the decorated function; use it bare or with options, also stacked."""
        if func is not None:
            self.subscribe(func, model_names, replacing)
            return func

        def subscribe(consumer: C) -> C:
            self.subscribe(consumer, model_names, replacing)
            return consumer

        return subscribe


def _module_outside() -> str:
    """Give the name of the module that called into this one."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__") == __name__:
        frame = frame.f_back
    return "" if frame is None else str(frame.f_globals.get("__name__"))


def _names(model_names: ModelNames) -> tuple[str | None, ...]:
    """Give the keys of `_consumers`; a string is one name, not its letters."""
    if model_names is None or isinstance(model_names, str):
        return (model_names,)
    return tuple(model_names)


on_record_create = Event()
on_record_write = Event()
on_record_unlink = Event()
