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


def open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


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
        os.close(descriptor)


def change(descriptor: int, how: int) -> None:
    fcntl.flock(descriptor, how)
