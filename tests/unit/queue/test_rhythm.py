"""When something periodic is due."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.exception import JobDefinitionError
from connector.queue.rhythm import MONTHS, UNITS, Rhythm, day_of_month

MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1))
RHYTHMS = st.builds(
    lambda first, number, unit: Rhythm(first, number, unit, first.day),
    MOMENTS,
    st.integers(1, 500),
    st.sampled_from([*UNITS, MONTHS]),
)


@given(rhythm=RHYTHMS, later=st.timedeltas(timedelta(0), timedelta(days=9000)))
def test_the_moments_that_are_due_end_before_the_next_one(rhythm, later):
    """
    Of the moments until now the last one is not after it, and the next one is.
    """
    now = rhythm.first + later

    due = rhythm.count_until(now)

    assert rhythm.moment(0) == rhythm.first
    assert rhythm.moment(due - 1) <= now < rhythm.moment(due)


@pytest.mark.parametrize(
    ("first", "number", "expected"),
    [
        ("2023-12-31", 1, ["2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31"]),
        ("2024-02-29", 12, ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]),
        ("2024-01-30", 3, ["2024-01-30", "2024-04-30", "2024-07-30"]),
        ("2024-08-31", 6, ["2024-08-31", "2025-02-28", "2025-08-31", "2026-02-28"]),
    ],
)
def test_a_month_without_the_day_does_not_shift_those_after_it(first, number, expected):
    """
    Monthly moments keep the day of the first one.
    """
    moment = datetime.fromisoformat(f"{first} 22:30")
    rhythm = Rhythm(moment, number, MONTHS, moment.day)

    found = [rhythm.moment(index) for index in range(len(expected))]

    assert found == [datetime.fromisoformat(f"{day} 22:30") for day in expected]


@pytest.mark.parametrize(
    ("kept", "day"), [(31, 31), (28, 28), (30, 30), (0, 28), (None, 28), (5, 28)]
)
def test_a_day_that_is_kept_is_that_of_a_longer_month(kept, day):
    """
    The 28th of February may stand for any later day; another day is one that somebody chose.
    """
    assert day_of_month(datetime(2026, 2, 28), kept) == day


@pytest.mark.parametrize(
    ("number", "unit"), [(0, "days"), (-1, "days"), (None, "days"), (1, "years"), (1, None)]
)
def test_what_does_not_go_forward_is_refused(number, unit):
    """
    No number, a number below one, and an unknown unit lead to no next time.
    """
    with pytest.raises(JobDefinitionError, match="leads to no next time"):
        Rhythm(datetime(2026, 1, 1), number, unit, 1)


@pytest.mark.parametrize("unit", ["weeks", MONTHS])
def test_no_moment_is_beyond_the_calendar(unit):
    """
    A rhythm that leaves the calendar is an error, not a moment.
    """
    with pytest.raises(JobDefinitionError, match="beyond the calendar"):
        Rhythm(datetime(9999, 12, 31), 1, unit, 31).moment(1)
