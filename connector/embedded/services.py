"""
The two servers, for as long as any process uses them.

    users.lock   each user holds it shared; the kernel drops it when the user ends
    start.lock   held while starting: one starter at a time
    keeper.lock  held by the keeper, which stops the servers after the last user
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from connector.embedded import keeper, locks, postgres, redis
from connector.embedded.identity import Identity
from connector.embedded.layout import Layout
from connector.embedded.postgres import Postgres
from connector.embedded.redis import Redis
from connector.exception import ServerUnreachableError

SERVERS_DIRECTORY = "servers"

Server = TypeVar("Server", Postgres, Redis)


class Services:
    """
    A context in which PostgreSQL and Redis answer at `database_url` and `redis_url`.

    A server whose URL is given is left alone; the others run from *data_dir* and are shared by
    every process that opens them there. A forked child does not let go of them.
    With *is_durable* false PostgreSQL does not wait for the disk: faster, and a power cut may
    destroy the data. That is for tests; the first user decides.

    Raises:
        ServerUnreachableError: on entry, when a server cannot be found or started.
    """

    def __init__(
        self,
        data_dir: str | os.PathLike[str],
        *,
        database_url: str | None = None,
        redis_url: str | None = None,
        is_durable: bool = True,
    ) -> None:
        self.home = Path(data_dir).absolute()
        self.layout = Layout(self.home / SERVERS_DIRECTORY)
        self._given = (database_url, redis_url)
        self._is_durable = is_durable
        self._descriptor: int | None = None
        self._owner = 0
        self._postgres: Postgres | None = None
        self._redis: Redis | None = None

    @property
    def database_url(self) -> str:
        return self._given[0] or self._embedded(self._postgres).url

    @property
    def redis_url(self) -> str:
        return self._given[1] or self._embedded(self._redis).url

    @property
    def postgres_log(self) -> Path:
        """The embedded PostgreSQL's log."""
        return self.layout.postgres_log

    def pids(self) -> dict[str, int]:
        """Process ids of the embedded servers that run now: `postgres`, `redis`."""
        found = {
            "postgres": postgres.running_pid(self.layout) if self._postgres else None,
            "redis": redis.running_pid(self.layout) if self._redis else None,
        }
        return {name: pid for name, pid in found.items() if pid is not None}

    def ensure_postgres(self) -> None:
        """Start the embedded PostgreSQL again if it died; one given by URL is left alone."""
        if self._postgres:
            with locks.held(self.layout.start_lock, locks.EXCLUSIVE):
                self._postgres.ensure()

    def ensure_redis(self) -> None:
        """Start the embedded Redis again if it died; one given by URL is left alone."""
        if self._redis:
            with locks.held(self.layout.start_lock, locks.EXCLUSIVE):
                self._redis.ensure()

    def __enter__(self) -> Services:
        needs_postgres, needs_redis = (url is None for url in self._given)
        if not needs_postgres and not needs_redis:
            return self
        who = self._prepare_directory()
        with locks.held(self.layout.start_lock, locks.EXCLUSIVE):
            self._descriptor, self._owner = locks.open_lock(self.layout.users_lock), os.getpid()
            locks.change(self._descriptor, locks.SHARED)  # waits while a keeper stops the servers
            try:
                if needs_postgres:
                    self._postgres = Postgres(self.layout, who, is_durable=self._is_durable)
                    self._postgres.ensure()
                if needs_redis:
                    self._redis = Redis(self.layout, who)
                    self._redis.ensure()
            except BaseException:
                keeper.ensure(self.layout)  # stops what did start
                self._let_go()
                raise
            keeper.ensure(self.layout)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._descriptor is None or os.getpid() != self._owner:
            return
        self._let_go()
        try:
            with locks.held(self.layout.users_lock, locks.EXCLUSIVE | locks.AT_ONCE):
                keeper.stop_servers(self.layout)  # this was the last user
        except BlockingIOError:
            # Others use them: granted at once. A keeper stops them: granted when it is done.
            with locks.held(self.layout.users_lock, locks.SHARED):
                pass

    def _let_go(self) -> None:
        if self._descriptor is not None:
            locks.close_lock(self._descriptor)
            self._descriptor = None

    def _prepare_directory(self) -> Identity:
        root = self.layout.root
        try:
            is_new = not self.home.exists()
            root.mkdir(parents=True, exist_ok=True)
            who = Identity(root)
            if is_new and who.is_dropped:
                self.home.chmod(0o711)
            root.chmod(0o711 if who.is_dropped else 0o700)
        except OSError as error:
            raise ServerUnreachableError(
                f"The embedded servers need the directory {root}: {error.strerror}. "
                "Choose another data_dir, or set DATABASE_URL and REDIS_URL."
            ) from error
        if who.is_dropped and not who.can_enter(root):
            raise ServerUnreachableError(
                f"As root the servers run as uid {who.uid}, which cannot enter {root}. Choose a "
                "data_dir outside private directories, such as /var/lib/connector."
            )
        return who

    @staticmethod
    def _embedded(server: Server | None) -> Server:
        if server is None:
            raise ServerUnreachableError("The embedded servers are not started: enter `Services`.")
        return server
