"""Expiry and commit exclude each other."""

from __future__ import annotations

import pytest

from connector.server.deadline import Deadline
from connector.server.errors import CallTimeoutError


class Cursor:
    cancelled = 0

    def cancel(self) -> None:
        self.cancelled += 1


def test_expiry_cancels_the_statement_in_progress():
    """The cursor that is watched is cancelled, and the commit refused."""
    deadline, cursor = Deadline(60), Cursor()
    with deadline.watching(cursor):
        assert deadline.expire()
    assert cursor.cancelled == 1
    with pytest.raises(CallTimeoutError, match="changed nothing"):
        deadline.begin_commit()


def test_a_commit_is_not_cut_off():
    """Who commits already is waited for."""
    deadline, cursor = Deadline(60), Cursor()
    with deadline.watching(cursor):
        deadline.begin_commit()
        assert not deadline.expire()
    assert cursor.cancelled == 0
    deadline.check()


def test_time_that_is_over_is_noticed_without_a_waiter():
    """The commit looks at the clock itself."""
    with pytest.raises(CallTimeoutError):
        Deadline(-1).begin_commit()


def test_a_cursor_is_forgotten_with_its_block():
    """Expiry after the block touches no cursor that somebody else may use."""
    deadline, cursor = Deadline(60), Cursor()
    with deadline.watching(cursor):
        pass
    assert deadline.expire()
    assert cursor.cancelled == 0
