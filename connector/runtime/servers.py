"""The two servers of a process: opened for a while, or held until it ends."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from connector.config import Config
from connector.core import addon, registries, sql
from connector.core.exceptions import NoServerError
from connector.core.registry import Registry
from connector.embedded import Services
from connector.queue import broker
from connector.server_url import with_parameters

#: What `hold` opened for this process.
_held = ExitStack()
atexit.register(_held.close)


@contextmanager
def open_servers(config: Config) -> Iterator[Services]:
    """
    Have PostgreSQL and Redis answer meanwhile: those of *config*, or the embedded ones.

    Raises:
        ServerUnreachableError, DatabaseUnreachableError: a server cannot be reached or started.
    """
    with Services(config.home, database_url=config.dsn(), redis_url=config.redis_url) as services:
        sql.use_server(dsn_of(services, config), config.db_maxconn)
        broker.use_redis(services.redis_url)
        registries.configure(config.registry_lru_size, config.limit_memory_soft)
        addon.use_addons_path(config.addons_path)
        try:
            yield services
        finally:
            sql.close_all()


def hold(config: Config) -> None:
    """
    Have the servers of *config* answer until this process ends.

    Where *config* names no PostgreSQL server, the one in use serves: a command or a test has
    opened it. A process works with one server; another one takes its place.
    """
    if _is_served(config):
        if config.addons_path:
            addon.use_addons_path(config.addons_path)
        return
    Registry.delete_all()
    _held.close()
    _held.enter_context(open_servers(config))


def is_embedded(config: Config) -> bool:
    """Whether *config* names no PostgreSQL server, so that the embedded one serves."""
    return config.dsn() is None


def check_servers() -> None:
    """
    Ask both servers for an answer, before work begins that needs them.

    Raises:
        DatabaseUnreachableError, BrokerDownError: with what to do.
    """
    sql.database_exists(sql.default_database())
    broker.current().ping()


def dsn_of(services: Services, config: Config) -> str:
    """The server's URL with the default database of *config*."""
    return with_parameters(services.database_url, config.db_name, {})


def _is_served(config: Config) -> bool:
    try:
        server = sql.current_server()
    except NoServerError:
        return False
    dsn = config.dsn()
    return dsn is None or server.is_at(dsn)
