"""Checksums tell whether mapped values differ."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.unit.checksum import checksum

VALUES = st.dictionaries(
    st.text(),
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.dates()
    | st.datetimes()
    | st.binary(),
)


@given(VALUES)
def test_order_of_keys_does_not_matter(values):
    """
    Equal values have one checksum, whatever the order of their keys.
    """
    assert checksum(values) == checksum(dict(reversed(values.items())))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"a": "1"}),
        ({"a": None}, {}),
        ({"a": Decimal("1.0")}, {"a": Decimal("1.00")}),
        ({"a": date(2026, 1, 1)}, {"a": datetime(2026, 1, 1)}),
        ({"a": b"x"}, {"a": "x"}),
        ({"a": [(0, 0, {"b": 1})]}, {"a": [(0, 0, {"b": 2})]}),
    ],
)
def test_different_values_differ(one, other):
    """
    Values that differ, in type alone too, have different checksums.
    """
    assert checksum(one) != checksum(other)


def test_sets_are_compared_by_content():
    """
    The order inside a set does not matter.
    """
    assert checksum({"a": {3, 1, 2}}) == checksum({"a": frozenset([2, 3, 1])})


def test_what_no_field_takes_is_refused():
    """
    A value of a foreign type is an error.
    """
    with pytest.raises(TypeError, match="which no field takes"):
        checksum({"a": object()})
