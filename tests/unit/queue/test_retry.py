"""The waits between the tries of a job."""

import random
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.exception import JobDefinitionError
from connector.queue.retry import (
    JITTER,
    RETRY_INTERVAL_SECONDS,
    check_pattern,
    conflict_wait,
    retry_seconds,
)

PATTERN = {1: 10, 5: (30, 60), 10: 3600}


@pytest.fixture
def chance():
    return random.Random(7)


@pytest.mark.parametrize(("tries", "seconds"), [(1, 10), (4, 10), (10, 3600), (99, 3600)])
def test_the_largest_key_that_is_reached_counts(chance, tries, seconds):
    """
    The pattern's entry of the largest key not above the number of tries is the wait.
    """
    assert retry_seconds(None, PATTERN, tries, chance=chance) == seconds


@pytest.mark.parametrize("asked", [float("nan"), "soon", [1]])
def test_a_wait_that_is_no_number_is_not_asked_for(chance, asked):
    """
    What an error asks for in vain leaves the wait to the pattern.
    """
    assert retry_seconds(asked, PATTERN, 1, chance=chance) == 10


@pytest.mark.parametrize("asked", [float("inf"), 1e20])
def test_no_wait_is_beyond_the_calendar(chance, asked):
    """
    However long the wait that is asked for, it ends at a date.
    """
    wait = retry_seconds(asked, None, 1, chance=chance)

    assert datetime(2026, 11, 21) + timedelta(seconds=wait) > datetime(2026, 11, 21)


def test_two_bounds_are_a_random_wait(chance):
    """
    An entry of two bounds gives waits between them, not always the same one.
    """
    waits = {retry_seconds(None, PATTERN, 7, chance=chance) for _ in range(50)}

    assert len(waits) > 1
    assert all(30 <= wait <= 60 for wait in waits)


@pytest.mark.parametrize("pattern", [None, {}, {3: 10}])
def test_without_an_entry_the_wait_is_the_default(chance, pattern):
    """
    Without a pattern, and below its smallest key, a job waits the default time.
    """
    assert retry_seconds(None, pattern, 2, chance=chance) == RETRY_INTERVAL_SECONDS


def test_zero_seconds_are_not_asked_for(chance):
    """
    An error that asks for zero seconds leaves the wait to the pattern.
    """
    assert retry_seconds(0, PATTERN, 1, chance=chance) == 10


@given(asked=st.floats(min_value=0.001, max_value=1e6), seed=st.integers())
def test_what_the_error_asks_for_is_never_shortened(asked, seed):
    """
    A wait that the error names is lengthened by at most a quarter, and never shortened.
    """
    wait = retry_seconds(asked, PATTERN, 1, chance=random.Random(seed))

    assert asked <= wait <= asked * (1 + JITTER) * 1.0000001


@given(run=st.integers(min_value=0, max_value=5), seed=st.integers())
def test_conflicts_wait_longer_with_each_run(run, seed):
    """
    The wait after a conflict is below 50 ms, doubled with each run.
    """
    assert 0 <= conflict_wait(run, random.Random(seed)) <= 0.05 * 2**run


@pytest.mark.parametrize("wait", [-1, (5, 1), (1, 2, 3), "10", None, float("inf"), 1e20, {1, 2}])
def test_a_wait_that_is_none_is_refused(wait):
    """
    A value of a pattern is seconds or two bounds, numbers that end at a date.
    """
    with pytest.raises(JobDefinitionError, match="is neither"):
        check_pattern({1: wait})


@pytest.mark.parametrize("pattern", [{0: 10}, {"1": 10}])
def test_a_pattern_that_cannot_be_followed_is_refused(pattern):
    """
    A pattern with keys that count no tries is an error at once.
    """
    with pytest.raises(JobDefinitionError):
        check_pattern(pattern)
