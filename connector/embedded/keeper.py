"""
The keeper: one small process that waits until the last user is gone, then stops the servers.

It blocks in an exclusive lock on the users' lock, which the kernel grants when every user has
ended, kill -9 included: there are no lists of pids to go stale.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from connector.embedded import locks, postgres, redis
from connector.embedded.layout import Layout
from connector.embedded.processes import spawn

_PROGRAM = "import sys; sys.path.append(sys.argv[1]); from connector.embedded.keeper import keep; "
_PROGRAM += "keep(sys.argv[2])"


def ensure(layout: Layout) -> None:
    """
    Have a keeper wait. The caller holds the users' lock.

    A keeper that holds its own lock at this moment cannot be past its wait: it will see the
    caller leave.
    """
    try:
        with locks.held(layout.keeper_lock, locks.EXCLUSIVE | locks.AT_ONCE):
            pass
    except BlockingIOError:
        return
    packages = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM, packages, str(layout.root)]
    spawn(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def keep(root: str) -> None:
    """The keeper's life; ends at once where another keeper lives."""
    layout = Layout(Path(root))
    try:
        with (
            locks.held(layout.keeper_lock, locks.EXCLUSIVE | locks.AT_ONCE) as mine,
            locks.held(layout.users_lock, locks.EXCLUSIVE),
        ):
            stop_servers(layout)
            # Before the users' lock, so that the next user starts a keeper of its own.
            locks.change(mine, locks.RELEASE)
    except BlockingIOError:
        return


def stop_servers(layout: Layout) -> None:
    redis.stop(layout)
    postgres.stop(layout)
