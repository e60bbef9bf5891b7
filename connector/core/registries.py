"""The registries of this process: database -> registry, the least recently used go first."""

import importlib
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import suppress
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

Key = TypeVar("Key")
Value = TypeVar("Value")

#: one registry, and what its sessions need beside it
MEMORY_PER_REGISTRY = 15 * 1024 * 1024

#: the 8.0 default of limit_memory_soft
DEFAULT_MEMORY_LIMIT = 2048 * 1024 * 1024

#: where there is no limit on virtual memory to divide
SIZE_WITHOUT_LIMIT = 42


class LRU(MutableMapping[Key, Value]):
    """A mapping of at most *size* items, which forgets the least recently used."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._items: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.RLock()

    def __getitem__(self, key: Key) -> Value:
        with self._lock:
            value = self._items[key]
            self._items.move_to_end(key)
            return value

    def __setitem__(self, key: Key, value: Value) -> None:
        with self._lock:
            self._items[key] = value
            self._items.move_to_end(key)
            self.shrink()

    def __delitem__(self, key: Key) -> None:
        with self._lock:
            del self._items[key]

    def __iter__(self) -> Iterator[Key]:
        with self._lock:
            return iter(list(self._items))

    def __len__(self) -> int:
        return len(self._items)

    def clear(self) -> None:
        with self._lock:
            self._items.clear()

    def shrink(self) -> None:
        """Forget the oldest items until *size* are left."""
        with self._lock:
            while len(self._items) > self.size:
                self._items.popitem(last=False)


class Registries(LRU[str, Any]):
    """
    The map from database to registry.

    A registry in use is never dropped: the map goes over its size, and shrinks when the last
    cursor on that database is closed.
    """

    def __init__(self) -> None:
        super().__init__(size_for(None, None))
        #: held while a registry is built, by the thread that builds it
        self.lock = threading.RLock()
        self._shrinking = threading.Lock()
        self._must_shrink = False

    def find(self, db_name: str) -> Any:
        """The registry of a database, built by `build` when there is none yet."""
        registry = self._items.get(db_name)
        if registry is not None and registry.ready:
            self._touch(db_name)
            return registry
        with self.lock:
            # Found but not ready: this very thread is building it.
            registry = self._items.get(db_name)
            return registry if registry is not None else builder()(db_name)

    def shrink(self) -> None:
        """Drop the oldest registries that nobody uses until *size* are left."""
        if len(self._items) <= self.size:
            return
        # Called where a connection comes back, so it waits for nobody: whoever shrinks
        # meanwhile goes round once more.
        self._must_shrink = True
        while self._must_shrink and self._shrinking.acquire(blocking=False):
            try:
                self._must_shrink = False
                self._drop_unused()
            finally:
                self._shrinking.release()

    def _drop_unused(self) -> None:
        # All but the newest. Without the lock: each call into the C type is atomic.
        for db_name in list(self._items)[:-1]:
            if len(self._items) <= self.size:
                return
            registry = self._items.get(db_name)
            if registry is not None and registry.ready and not registry.in_use():
                logger.info("Registry dropped", extra={"database": db_name})
                self._items.pop(db_name, None)
                registry.clear_caches()

    def _touch(self, db_name: str) -> None:
        # Without the lock, which a thread may hold for as long as it builds a registry: one
        # call into a C type is atomic.
        with suppress(KeyError):
            self._items.move_to_end(db_name)


def size_for(registry_lru_size: int | None, limit_memory_soft: int | None) -> int:
    """How many registries to keep: as configured, else as many as the memory limit carries."""
    if registry_lru_size:
        return registry_lru_size
    if os.name != "posix":
        return SIZE_WITHOUT_LIMIT
    return max(1, (limit_memory_soft or DEFAULT_MEMORY_LIMIT) // MEMORY_PER_REGISTRY)


def configure(registry_lru_size: int | None = None, limit_memory_soft: int | None = None) -> None:
    """Set the size of the map from the configuration's two values."""
    registries.size = size_for(registry_lru_size, limit_memory_soft)
    registries.shrink()


#: builds and registers the registry of a database; `connector.core.registry` fills it
build: Callable[..., Any] | None = None


def builder() -> Callable[..., Any]:
    """The function that builds a registry; its module is imported when nobody did so yet."""
    if build is None:
        importlib.import_module("connector.core.registry")
    assert build is not None
    return build


registries = Registries()
