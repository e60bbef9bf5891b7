"""What lies where in the servers' directory."""

from __future__ import annotations

import hashlib
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from connector.embedded.identity import Identity
from connector.exception import ServerUnreachableError

#: A socket's path holds 107 bytes (macOS 103), the socket's own name included.
SOCKET_DIRECTORY_BYTES = 85


@dataclass(frozen=True)
class Layout:
    """Paths below *root*, a directory of the servers' own."""

    root: Path

    @property
    def users_lock(self) -> Path:
        """Held shared by every process that uses the servers."""
        return self.root / "users.lock"

    @property
    def start_lock(self) -> Path:
        """Held by the one process that starts servers."""
        return self.root / "start.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held by the keeper."""
        return self.root / "keeper.lock"

    @property
    def postgres_data(self) -> Path:
        return self.root / "pg"

    @property
    def postgres_log(self) -> Path:
        return self.root / "pg.log"

    @property
    def redis_data(self) -> Path:
        return self.root / "redis"

    @property
    def redis_configuration(self) -> Path:
        return self.root / "redis.conf"

    @property
    def redis_pid(self) -> Path:
        return self.root / "redis.pid"

    @property
    def redis_engine(self) -> Path:
        """Which server wrote the data: others cannot read it, and one starts empty instead."""
        return self.root / "redis.engine"

    @property
    def redis_log(self) -> Path:
        return self.root / "redis.log"

    def sockets(self, who: Identity) -> Path:
        """The sockets' directory, made if need be; a short one elsewhere where *root* is long."""
        beside = self.root / "run"
        if len(str(beside).encode()) <= SOCKET_DIRECTORY_BYTES:
            return who.make_directory(beside)
        return self._short_sockets(who)

    def _short_sockets(self, who: Identity) -> Path:
        temporary = tempfile.gettempdir()
        top = temporary if len(temporary) < SOCKET_DIRECTORY_BYTES - 35 else "/tmp"  # noqa: S108 - checked below
        digest = hashlib.sha256(str(self.root).encode()).hexdigest()[:10]
        short = Path(top, f"connector-{who.uid}-{digest}")
        try:
            short.mkdir(mode=0o700)
            who.own(short)
        except FileExistsError:
            state = short.lstat()  # anyone may have made it there
            if not stat.S_ISDIR(state.st_mode) or state.st_uid != who.uid:
                raise ServerUnreachableError(
                    f"{short} is needed for sockets and belongs to another user. "
                    f"Choose a data_dir with a shorter path than {self.root}."
                ) from None
        return short
