"""File locks and forked processes."""

import os
from pathlib import Path

import pytest

from connector.embedded import locks


@pytest.mark.parametrize("forgets", [True, False])
def test_a_forked_child_may_leave_the_locks_of_its_parent(tmp_path: Path, forgets: bool) -> None:
    """
    A lock ends with its holder while a child that has left it lives; other children keep it.
    """
    path = tmp_path / "users.lock"
    descriptor = locks.open_lock(path)
    locks.change(descriptor, locks.SHARED)
    ready, end = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        if forgets:
            locks.forget_parents()
        os.write(ready[1], b"!")
        os.close(end[1])
        os.read(end[0], 1)
        os._exit(0)

    os.read(ready[0], 1)
    locks.close_lock(descriptor)
    try:
        if forgets:
            with locks.held(path, locks.EXCLUSIVE | locks.AT_ONCE):
                pass
        else:
            with (
                pytest.raises(BlockingIOError),
                locks.held(path, locks.EXCLUSIVE | locks.AT_ONCE),
            ):
                pass
    finally:
        for number in (*ready, *end):
            os.close(number)
        os.waitpid(child, 0)
