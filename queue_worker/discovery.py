"""Which databases are served: those that were named, or all of the server that keep jobs."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Protocol

from connector.config import Config
from connector.core import sql
from connector.core.exceptions import CoreError

logger = logging.getLogger(__name__)

#: Seconds between two looks at the databases of the server.
DISCOVERY_SECONDS = 3.0

_KEEPS_JOBS = "SELECT to_regclass('queue_job') IS NOT NULL"


class Databases(Protocol):
    """Says which databases are to be served now."""

    def current(self) -> list[str]:
        """Their names."""


class Named:
    """Databases that were named, whether they are there or not."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)

    def current(self) -> list[str]:
        """The names."""
        return self._names


class Discovered:
    """
    The databases that keep jobs, as they come and go: the default one, and the server user's own.

    A database is told by its number: one that is dropped and made again under its name is new.
    """

    def __init__(self) -> None:
        self._keepers: dict[str, int] = {}
        self._looked = -DISCOVERY_SECONDS
        self._complaint = ""

    def current(self) -> list[str]:
        """
        The names, as they were at most `DISCOVERY_SECONDS` ago.

        While the server does not answer, those that were known before.
        """
        if time.monotonic() - self._looked >= DISCOVERY_SECONDS:
            self._looked = time.monotonic()
            try:
                self._look()
                self._complaint = ""
            except (CoreError, sql.errors.Error) as error:
                self._complain(str(error))
        return sorted(self._keepers)

    def _look(self) -> None:
        there = {sql.default_database(): 0, **sql.administration.own_databases()}
        for name in set(self._keepers) - set(there):
            logger.info("Database %r is gone", name)
        self._keepers = {name: oid for name, oid in self._keepers.items() if there.get(name) == oid}
        for name in set(there) - set(self._keepers):
            if _keeps_jobs(name):
                logger.info("Database %r keeps jobs", name)
                self._keepers[name] = there[name]

    def _complain(self, text: str) -> None:
        if text != self._complaint:
            self._complaint = text
            logger.warning("Cannot look for databases: %s", text.strip())


def served(names: Sequence[str], config: Config) -> Databases:
    """The databases named, else the configured one, else all that keep jobs."""
    found = list(names) or ([config.db_name] if config.db_name else [])
    return Named(found) if found else Discovered()


def _keeps_jobs(database: str) -> bool:
    """Whether jobs can be kept there; nothing stays open that would be in a copy's way."""
    try:
        with sql.connect(database).cursor(sql.READ_COMMITTED) as cr:
            cr.execute(_KEEPS_JOBS)
            return bool(cr.fetchone()[0])
    except (CoreError, sql.errors.Error):
        return False  # it goes, or is being made; the next look says more
    finally:
        sql.close_all(database)
