"""What every entry point does before its work: have the two servers, and tell the parts of them."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from connector.config import Config
from connector.core import addon, registries, sql
from connector.embedded import Services
from connector.queue import broker
from connector.server_url import with_parameters

TERMINATED = 143


@contextmanager
def open_servers(config: Config) -> Iterator[Services]:
    """
    Have PostgreSQL and Redis answer meanwhile: those of *config*, or the embedded ones.

    A SIGTERM leaves the context, so that embedded servers stop cleanly behind their last user.

    Raises:
        ServerUnreachableError, DatabaseUnreachableError: a server cannot be reached or started.
    """
    with (
        _sigterm_as_exit(),
        Services(config.home, database_url=config.dsn(), redis_url=config.redis_url) as services,
    ):
        sql.use_server(dsn_of(services, config), config.db_maxconn)
        broker.use_redis(services.redis_url)
        registries.configure(config.registry_lru_size, config.limit_memory_soft)
        addon.use_addons_path(config.addons_path)
        try:
            yield services
        finally:
            sql.close_all()


def dsn_of(services: Services, config: Config) -> str:
    """The server's URL with the default database of *config*."""
    return with_parameters(services.database_url, config.db_name, {})


def check_servers() -> None:
    """
    Ask both servers for an answer, before work begins that needs them.

    Raises:
        DatabaseUnreachableError, BrokerDownError: with what to do.
    """
    sql.database_exists(sql.default_database())
    broker.current().ping()


@contextmanager
def _sigterm_as_exit() -> Iterator[None]:
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield  # the command has its own way to stop
        return
    signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(TERMINATED)
