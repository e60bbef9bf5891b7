"""
The command `connector metrics`: the state of the queue for Prometheus.

Everything is read from PostgreSQL and Redis when it is asked for, so that one such process tells
of the workers of all machines, and none of them keeps a count.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import click
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from connector import config
from connector.cli.entry import open_servers
from connector.core import sql
from connector.core.exceptions import CoreError
from connector.core.modules import identity
from connector.queue import broker, channel_store, health
from connector.queue.broker import Broker, BrokerDownError
from connector.queue.channels import ChannelSettings
from connector.queue.configured_channels import ConfiguredChannels
from queue_worker.discovery import Databases, served

logger = logging.getLogger(__name__)

PORT = 9187

_OLDEST = """
SELECT channel, extract(epoch FROM clock_timestamp() AT TIME ZONE 'UTC'
                                   - min(greatest(date_created, eta)))::float
  FROM queue_job
 WHERE state = 'pending' AND (eta IS NULL OR eta <= clock_timestamp() AT TIME ZONE 'UTC')
 GROUP BY channel
"""

#: name -> what it tells, labels
FAMILIES = {
    "connector_up": ("Whether the database answers", ["database"]),
    "connector_asleep": ("Whether the database is a copy and asleep", ["database"]),
    "connector_dispatchers": ("Elected dispatchers, 0 or 1", ["database"]),
    "connector_jobs": ("Jobs that are kept", ["database", "channel", "state"]),
    "connector_oldest_wait_seconds": (
        "Time that the oldest job waits that could start",
        ["database", "channel"],
    ),
    "connector_channel_capacity": (
        "Seats of a channel; absent where it has any number",
        ["database", "channel"],
    ),
    "connector_channel_paused": ("Whether a channel is paused", ["database", "channel"]),
    "connector_workers": ("Live workers", []),
    "connector_redis_up": ("Whether Redis answers", []),
}


class QueueCollector(Collector):
    """Reads the state of the queue whenever Prometheus asks."""

    def __init__(
        self, databases: Databases, redis: Broker, configured: Iterable[ChannelSettings]
    ) -> None:
        self._databases = databases
        self._redis = redis
        self._configured = configured
        self._lock = threading.Lock()

    def describe(self) -> list[Metric]:
        """Nothing is read at the registration."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give all families with their values now."""
        with self._lock:  # a cursor at a time
            families = {
                name: GaugeMetricFamily(name, told, labels=labels)
                for name, (told, labels) in FAMILIES.items()
            }
            for database in self._databases.current():
                self._collect_database(families, database)
            self._collect_redis(families)
        yield from families.values()

    def _collect_database(self, families: dict[str, Any], database: str) -> None:
        try:
            with sql.connect(database).cursor(sql.READ_COMMITTED) as cr:
                values = list(self._values(cr))
        except (CoreError, sql.errors.Error) as error:
            logger.warning("No figures of %r: %s", database, str(error).strip())
            families["connector_up"].add_metric([database], 0)
            return
        families["connector_up"].add_metric([database], 1)
        for name, labels, value in values:
            families[name].add_metric([database, *labels], value)

    def _values(self, cr: sql.Cursor) -> Iterator[tuple[str, Sequence[str], float]]:
        yield "connector_asleep", (), identity.is_asleep(cr)
        yield "connector_dispatchers", (), health.dispatcher_of(cr) is not None
        for channel, states in channel_store.counts(cr).items():
            for state, number in states.items():
                yield "connector_jobs", (channel, state), number
        cr.execute(_OLDEST)
        for channel, seconds in cr.fetchall():
            yield "connector_oldest_wait_seconds", (channel,), seconds
        for settings in channel_store.read_tree(cr, self._configured):
            if settings.seats is not None:
                yield "connector_channel_capacity", (settings.name,), max(0, settings.seats)
            yield "connector_channel_paused", (settings.name,), bool(settings.paused)

    def _collect_redis(self, families: dict[str, Any]) -> None:
        try:
            families["connector_workers"].add_metric([], self._redis.live_workers())
            families["connector_redis_up"].add_metric([], 1)
        except BrokerDownError as error:
            logger.warning("%s", error)
            families["connector_redis_up"].add_metric([], 0)


@click.command()
@click.option(
    "-d", "--database", "databases", multiple=True, help="Database to tell of; repeatable."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(0, 65535))
def metrics(databases: Sequence[str], host: str, port: int) -> None:
    """Serve the state of the queue to Prometheus, until SIGTERM or Ctrl-C."""
    settings = config.current()
    with open_servers(settings):
        collector = QueueCollector(
            served(databases, settings), broker.current(), ConfiguredChannels(settings)
        )
        registry = CollectorRegistry()
        registry.register(collector)
        server, thread = start_http_server(port, addr=host, registry=registry)
        click.echo(f"Metrics at http://{host}:{server.server_port}/metrics")
        thread.join()
