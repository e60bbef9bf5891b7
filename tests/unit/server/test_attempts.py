"""Guessing of passwords is slowed down, and nobody else is."""

from __future__ import annotations

import pytest

from connector.core.exceptions import AccessDenied
from connector.server.attempts import FREE_ATTEMPTS, LONGEST_WAIT_SECONDS, MOST_KEYS, Attempts
from connector.server.errors import TooManyAttemptsError


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def fail(attempts: Attempts, key: str) -> None:
    with pytest.raises(AccessDenied), attempts.attempt(key):
        raise AccessDenied()


def test_the_first_wrong_passwords_cost_nothing():
    """A person may mistype some times."""
    attempts = Attempts(clock=Clock())
    for _ in range(FREE_ATTEMPTS):
        fail(attempts, "me")
    with pytest.raises(TooManyAttemptsError), attempts.attempt("me"):
        pytest.fail("the password was looked at")


def test_each_next_one_waits_longer_up_to_a_limit():
    """The wait doubles, and ends at a minute."""
    clock = Clock()
    attempts = Attempts(clock=clock)
    for _ in range(FREE_ATTEMPTS):
        fail(attempts, "me")
    waits = []
    for _ in range(9):
        waits.append(seconds_until_looked_at(attempts, clock))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert waits[-1] == LONGEST_WAIT_SECONDS


def seconds_until_looked_at(attempts: Attempts, clock: Clock) -> int:
    for waited in range(100):
        with pytest.raises(AccessDenied) as caught, attempts.attempt("me"):
            raise AccessDenied()
        if not isinstance(caught.value, TooManyAttemptsError):
            return waited
        clock.now += 1
    raise AssertionError("it was never looked at")


def test_others_are_not_slowed_down():
    """One key's failures are no other's."""
    attempts = Attempts(clock=Clock())
    for _ in range(FREE_ATTEMPTS):
        fail(attempts, "guesser")
    with attempts.attempt("me"):
        pass


def test_a_right_password_forgets_the_wrong_ones():
    """After a success the count begins anew."""
    attempts = Attempts(clock=Clock())
    for _ in range(3):
        for _ in range(FREE_ATTEMPTS - 1):
            fail(attempts, "me")
        with attempts.attempt("me"):
            pass


def test_an_error_of_another_kind_counts_for_nothing():
    """A database that is down says nothing of the password."""
    attempts = Attempts(clock=Clock())
    for _ in range(FREE_ATTEMPTS * 3):
        with pytest.raises(OSError, match="down"), attempts.attempt("me"):
            raise OSError("down")


def test_wrong_passwords_are_forgotten_after_a_while():
    """Who tries again much later begins anew."""
    clock = Clock()
    attempts = Attempts(clock=clock)
    for _ in range(FREE_ATTEMPTS):
        fail(attempts, "me")
    clock.now += 3600
    fail(attempts, "me")


def test_many_names_fill_no_memory():
    """The oldest keys go when there are too many."""
    attempts = Attempts(clock=Clock())
    for number in range(MOST_KEYS + 50):
        fail(attempts, str(number))
    assert len(attempts._tries) == MOST_KEYS
