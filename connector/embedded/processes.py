"""Server processes seen from outside: are they alive, are they gone, what did they say last."""

from __future__ import annotations

import atexit
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

STOP_SECONDS = 60
POLL_SECONDS = 0.02

# Background processes outlive the objects that started them; kept here until they are reaped.
_started: list[subprocess.Popen[bytes]] = []


def spawn(command: list[str], **arguments: Any) -> subprocess.Popen[bytes]:
    """Start a process of the background: its own session, no input, no directory held."""
    _reap()
    process = subprocess.Popen(  # noqa: S603 - programs found by `binaries`, or this interpreter
        command, stdin=subprocess.DEVNULL, cwd="/", start_new_session=True, **arguments
    )
    _started.append(process)
    return process


def is_alive(pid: int, needle: str) -> bool:
    """
    Does *pid* live (a zombie does not), with *needle* in its command line?

    A pid read from a file proves nothing: after a restart it may be anyone's.
    """
    if not Path("/proc/self/cmdline").exists():
        return _is_alive_by_ps(pid, needle)
    try:
        if re.search(rb"\) Z", Path(f"/proc/{pid}/stat").read_bytes()):
            return False
        return os.fsencode(needle) in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _is_alive_by_ps(pid: int, needle: str) -> bool:
    command = ["ps", "-ww", "-o", "stat=,args=", "-p", str(pid)]
    out = subprocess.run(  # noqa: S603 - a pid is the only variable part
        command, capture_output=True, text=True, errors="surrogateescape"
    ).stdout.strip()
    return bool(out) and not out.startswith("Z") and needle in out


def pid_in(path: Path, needle: str) -> int | None:
    """The living process that the first line of *path* names, if it is the server sought."""
    try:
        pid = int(path.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return pid if is_alive(pid, needle) else None


def end(pid: int, needle: str, how: signal.Signals) -> None:
    """Send *how* and wait; after STOP_SECONDS, SIGKILL."""
    os.kill(pid, how)
    deadline = time.monotonic() + STOP_SECONDS
    while is_alive(pid, needle):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(POLL_SECONDS)
        _reap()


def _reap() -> None:
    _started[:] = [process for process in _started if process.poll() is None]


@atexit.register
def _let_live() -> None:
    """Servers that others use, and keepers, outlive this process: Python need not warn of them."""
    _reap()
    for process in _started:
        process.returncode = 0


def last_lines(path: Path, count: int = 15) -> str:
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-count:])
    except OSError:
        return ""
