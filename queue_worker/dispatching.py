"""The dispatcher's process: dispatches and sweeps every database, as far as it is elected."""

from __future__ import annotations

import logging
import select
import time
from collections.abc import Callable, Iterable

from connector.core import sql
from connector.core.exceptions import CoreError
from connector.core.modules import identity
from connector.queue.broker import Broker, BrokerDownError, Wakes
from connector.queue.channels import ChannelSettings
from connector.queue.dispatcher import POLL_SECONDS, Dispatcher
from queue_worker.discovery import Databases
from queue_worker.sweep import SWEEP_SECONDS, sweep

logger = logging.getLogger(__name__)

#: Wait before a database is tried again that did not answer.
RETRY_SECONDS = 1.0


class Desk:
    """One database at the dispatcher: connected when possible, dispatched and swept when due."""

    def __init__(
        self, database: str, broker: Broker, configured: Iterable[ChannelSettings]
    ) -> None:
        self.database = database
        self._broker = broker
        self._configured = configured
        self._dispatcher: Dispatcher | None = None
        self._swept = 0.0
        self._not_before = 0.0
        self._complaint = ""
        self._is_redis_away = False

    @property
    def readers(self) -> list[Dispatcher]:
        return [self._dispatcher] if self._dispatcher else []

    def work(self) -> float:
        """Do what is due; answer the seconds until there may be more."""
        if time.monotonic() < self._not_before:
            return self._not_before - time.monotonic()
        try:
            seconds = self._work()
            self._complaint, self._is_redis_away = "", False
            return seconds
        except (BrokerDownError, CoreError, sql.errors.Error) as error:
            self._complain(error)
            self._is_redis_away = isinstance(error, BrokerDownError)
            # Another dispatcher may reach what this one cannot.
            self.close()
        self._not_before = time.monotonic() + RETRY_SECONDS
        return RETRY_SECONDS

    def close(self) -> None:
        """Step down and disconnect."""
        dispatcher, self._dispatcher = self._dispatcher, None
        if dispatcher is None:
            return
        try:
            dispatcher.close()
        except sql.errors.Error:
            logger.debug("A dispatcher could not step down in order", exc_info=True)

    def _work(self) -> float:
        if self._dispatcher is None:
            if self._is_asleep():
                return RETRY_SECONDS
            self._dispatcher = Dispatcher(self.database, self._broker, self._configured)
        if not self._is_elected(self._dispatcher):
            self._dispatcher.hear()
            return POLL_SECONDS
        if time.monotonic() - self._swept >= SWEEP_SECONDS:
            self._swept = time.monotonic()
            sweep(self._dispatcher.cr, self.database, self._broker)
        return self._dispatcher.step()

    def _is_elected(self, dispatcher: Dispatcher) -> bool:
        was_elected = dispatcher.elected
        # While Redis is away it steps down and stands again all the time.
        if dispatcher.stand() and not was_elected and not self._is_redis_away:
            logger.info("Dispatcher elected", extra={"database": self.database})
        return dispatcher.elected

    def _is_asleep(self) -> bool:
        with sql.connect(self.database).cursor(sql.READ_COMMITTED) as cr:
            asleep = identity.is_asleep(cr)
        if asleep:
            self._complain(identity.asleep_message(self.database))
            sql.close_all(self.database)
            self._not_before = time.monotonic() + RETRY_SECONDS
        return asleep

    def _complain(self, error: object) -> None:
        """Say it once, not every second."""
        if str(error) != self._complaint:
            self._complaint = str(error)
            logger.warning("%s", str(error).strip(), extra={"database": self.database})


class Desks:
    """A desk for each database that is served; they come and go with it."""

    def __init__(
        self, databases: Databases, broker: Broker, configured: Iterable[ChannelSettings]
    ) -> None:
        self._databases = databases
        self._broker = broker
        self._configured = configured
        self._desks: dict[str, Desk] = {}

    def work(self) -> float:
        """Do what is due at every desk; answer the seconds until there may be more."""
        names = self._databases.current()
        for name in set(self._desks) - set(names):
            self._desks.pop(name).close()
            sql.close_all(name)
        for name in names:
            if name not in self._desks:
                self._desks[name] = Desk(name, self._broker, self._configured)
        return min((desk.work() for desk in self._desks.values()), default=POLL_SECONDS)

    def readers(self) -> list[Dispatcher]:
        return [reader for desk in self._desks.values() for reader in desk.readers]

    def close(self) -> None:
        """Step down from all."""
        for desk in self._desks.values():
            desk.close()


def dispatch(
    databases: Databases,
    broker: Broker,
    configured: Iterable[ChannelSettings],
    wakes: Wakes,
    must_stop: Callable[[], bool],
) -> None:
    """Serve the databases until *must_stop*; return after stepping down from all."""
    desks = Desks(databases, broker, configured)
    try:
        while not must_stop():
            wakes.clear()
            wait = min(desks.work(), POLL_SECONDS)
            sockets = [reader.fileno() for reader in desks.readers()]
            select.select([wakes.fileno(), *sockets], [], [], wait)
    finally:
        desks.close()
