"""What every command does around its work: have the two servers, and leave cleanly at SIGTERM."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from connector.cli.asleep import tell_of_copies
from connector.config import Config
from connector.embedded import Services
from connector.runtime import servers
from connector.runtime.servers import check_servers

__all__ = ["check_servers", "open_servers"]

TERMINATED = 143


@contextmanager
def open_servers(config: Config) -> Iterator[Services]:
    """
    Have PostgreSQL and Redis answer meanwhile: those of *config*, or the embedded ones.

    Where the command's database is a copy and asleep, that is said before anything else.

    A SIGTERM leaves the context, so that embedded servers stop cleanly behind their last user.

    Raises:
        ServerUnreachableError, DatabaseUnreachableError: a server cannot be reached or started.
    """
    with _sigterm_as_exit(), servers.open_servers(config) as services:
        tell_of_copies()
        yield services


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
