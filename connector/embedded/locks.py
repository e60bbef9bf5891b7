"""File locks: the kernel drops them with their process, however that ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHARED = fcntl.LOCK_SH
EXCLUSIVE = fcntl.LOCK_EX
AT_ONCE = fcntl.LOCK_NB
RELEASE = fcntl.LOCK_UN


_open: set[int] = set()


def open_lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    _open.add(descriptor)
    return descriptor


def close_lock(descriptor: int) -> None:
    """Drop the lock of a descriptor, unless a forked process has it open too."""
    _open.discard(descriptor)
    os.close(descriptor)


def forget_parents() -> None:
    """
    In a forked child: have no part in the locks of the parent, which end with it alone.

    A child that does this outlives its parent without keeping servers alive.
    """
    while _open:
        os.close(_open.pop())


@contextmanager
def held(path: Path, how: int) -> Iterator[int]:
    """
    Hold the lock of *path* meanwhile; gives its descriptor.

    Raises:
        BlockingIOError: *how* has AT_ONCE and another process holds the lock.
    """
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, how)
        yield descriptor
    finally:
        close_lock(descriptor)


def change(descriptor: int, how: int) -> None:
    fcntl.flock(descriptor, how)
