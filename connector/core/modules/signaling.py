"""
Signals between processes: two sequences of the database, read before each job or request.

A sequence is not transactional, so it is advanced after the commit of what changed.  A process
that dies in between leaves a change that nobody was told of; `told` finds it.
"""

import hashlib
import logging
from abc import ABC, abstractmethod
from typing import Any

from connector.core.registries import LRU
from connector.core.sql import READ_COMMITTED, Cursor, Database, schema

logger = logging.getLogger(__name__)

REGISTRY_SEQUENCE = "base_registry_signaling"
CACHE_SEQUENCE = "base_cache_signaling"


def create(cr: Cursor) -> None:
    """Make the sequences, unless they are there."""
    for name in (REGISTRY_SEQUENCE, CACHE_SEQUENCE):
        schema.create_sequence(cr, name)
        # The first nextval leaves `last_value` as it was, so that it would tell nobody.
        _next(cr, name)


def exist(cr: Cursor) -> bool:
    """Whether the sequences are there: not in a database that is not initialised."""
    cr.execute_unflushed("SELECT to_regclass(%s) IS NOT NULL", (REGISTRY_SEQUENCE,))
    return bool(cr.fetchone()[0])


def read(cr: Cursor) -> tuple[int, int]:
    """The numbers of registry and caches, by one statement."""
    cr.execute_unflushed(
        "SELECT r.last_value, c.last_value FROM base_registry_signaling r, base_cache_signaling c"
    )
    registry, caches = cr.fetchone()
    return registry, caches


def module_states(cr: Cursor) -> str:
    """A digest of the addons that are installed and of their versions."""
    cr.execute_unflushed(
        "SELECT name, COALESCE(latest_version, '') FROM ir_module_module"
        " WHERE state IN ('installed', 'to upgrade', 'to remove') ORDER BY name"
    )
    text = "\n".join(f"{name} {version}" for name, version in cr.fetchall())
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def told(cr: Cursor, states: str) -> bool:
    """Whether the other processes were told of these module states."""
    cr.execute_unflushed("SELECT signalled_modules FROM base_database")
    row = cr.fetchone()
    return row is not None and row[0] == states


def advance_registry(cr: Cursor) -> int:
    """Tell of a changed registry, and note of which modules; returns the new number."""
    number = _next(cr, REGISTRY_SEQUENCE)
    # After the sequence: whoever dies in between has told, and will be told once more.
    cr.execute_unflushed("UPDATE base_database SET signalled_modules = %s", (module_states(cr),))
    return number


def advance_caches(cr: Cursor) -> int:
    """Tell of changed caches; returns the new number."""
    return _next(cr, CACHE_SEQUENCE)


def _next(cr: Cursor, sequence: str) -> int:
    cr.execute_unflushed("SELECT nextval(%s)", (sequence,))
    number: int = cr.fetchone()[0]
    return number


class Signalled(ABC):
    """The half of a registry that tells other processes of changes, and follows theirs."""

    db_name: str
    #: the models may be used by anybody
    ready: bool
    cache: LRU[Any, Any]
    #: the models changed since the last signal to other processes
    registry_invalidated = False
    #: what was computed from the database changed since the last signal
    cache_invalidated = False
    registry_sequence: int | None = None
    cache_sequence: int | None = None
    #: a digest of the addons, and their versions, that this registry was built from
    module_states: str | None = None

    @classmethod
    @abstractmethod
    def new(cls, db_name: str) -> Any:
        """Build the registry anew."""

    @property
    @abstractmethod
    def _db(self) -> Database:
        """The database whose models these are."""

    @abstractmethod
    def in_test_mode(self) -> bool:
        """Whether there is one transaction only, of which nobody else may know."""

    def clear_caches(self) -> None:
        """Forget what was computed from the database, here and, at the next signal, elsewhere."""
        self.cache.clear()
        self.cache_invalidated = True

    def invalidate_caches(self, cr: Cursor) -> None:
        """Forget what was computed from the data that *cr* changes; tell all after its commit."""
        self.cache.clear()
        # Others may fill the cache with what they still see; so it is emptied once more.
        cr.postcommit.add_once(self._caches_changed)
        cr.postrollback.add_once(self.cache.clear)

    def _caches_changed(self) -> None:
        self.clear_caches()
        self.signal_changes()

    def setup_signaling(self) -> None:
        """Remember the numbers of the signals; what is loaded from now on is at least as new."""
        with self._db.cursor(READ_COMMITTED) as cr:
            if exist(cr):
                self.registry_sequence, self.cache_sequence = read(cr)

    def check_signaling(
        self, cr: Cursor | None = None, numbers: tuple[int, int] | None = None
    ) -> Any:
        """
        Follow the signals of other processes; to be called before each job or request.

        Returns the registry to use from now on: this one, or its successor. With *cr* the
        numbers are read there, by one statement, unless *numbers* gives them.
        """
        if self.in_test_mode():
            return self
        if cr is None:
            with self._db.cursor(READ_COMMITTED) as own:
                return self.check_signaling(own)
        registry_sequence, cache_sequence = numbers or read(cr)
        if (registry_sequence, cache_sequence) == (self.registry_sequence, self.cache_sequence):
            return self
        # Modules may be newer without a registry signal: who installed them died before it.
        if registry_sequence != self.registry_sequence or module_states(cr) != self.module_states:
            logger.info("Reloading the registry after a signal", extra={"database": self.db_name})
            return type(self).new(self.db_name)
        self.cache.clear()
        self.cache_sequence = cache_sequence
        return self

    def signal_registry_change(self) -> None:
        """Tell other processes to reload; to be called after the commit of what changed."""
        self.registry_invalidated = False
        if not self.in_test_mode():
            with self._db.cursor(READ_COMMITTED) as cr:
                number = advance_registry(cr)
            # A gap is the signal of somebody else: it stays to be followed.
            if self.registry_sequence is not None and number == self.registry_sequence + 1:
                self.registry_sequence = number

    def signal_caches_change(self) -> None:
        """Tell other processes to forget their caches if these changed; after the commit."""
        if not self.cache_invalidated:
            return
        self.cache_invalidated = False
        if not self.in_test_mode():
            with self._db.cursor(READ_COMMITTED) as cr:
                number = advance_caches(cr)
            if self.cache_sequence is not None and number == self.cache_sequence + 1:
                self.cache_sequence = number

    def signal_changes(self) -> None:
        """Tell other processes what changed here, if anything did."""
        if not self.ready:
            return  # told when loading is complete
        if self.registry_invalidated:
            self.signal_registry_change()
            self.cache_invalidated = False
        else:
            self.signal_caches_change()
