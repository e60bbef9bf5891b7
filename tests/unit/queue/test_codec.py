"""What a job keeps of its arguments, and what it refuses."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.exception import JobArgumentError, NotReadableJobError
from connector.queue import codec

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.decimals(allow_nan=False),
    st.binary(),
)
keys = st.one_of(texts, st.integers(), st.dates(), st.binary(), st.tuples(texts, st.integers()))
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(keys, inner, max_size=3),
    ),
    max_leaves=6,
)


def shape(value):
    """The value with the type of each part."""
    if isinstance(value, list | tuple):
        return (type(value), [shape(item) for item in value])
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return (type(value), value)


@given(values)
def test_what_is_kept_comes_back_equal_and_of_its_type(value):
    """
    Any nesting of the kinds that are kept comes back equal, each part of its own type.
    """
    assert shape(codec.loads(codec.dumps(value), None)) == shape(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_survives_a_database_that_writes_no_exponents(value):
    """
    A float comes back as a float although PostgreSQL writes all digits and no exponent.
    """
    kept = codec.encode(value)
    as_postgres = format(Decimal(repr(kept)), "f") if isinstance(kept, float) else json.dumps(kept)

    loaded = codec.loads(as_postgres, None)

    assert (type(loaded), loaded) == (float, value)


def test_a_moment_with_a_zone_comes_back_as_the_same_moment():
    """
    An aware datetime keeps its moment and its offset.
    """
    moment = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Zurich"))

    loaded = codec.loads(codec.dumps(moment), None)

    assert loaded == moment
    assert loaded.tzinfo == timezone(timedelta(hours=2))


class Colour(Enum):
    RED = 1


class Finer(datetime):
    """A moment that is finer than microseconds, as some libraries have it."""

    def isoformat(self, *_args, **_kwargs):
        return "2026-11-21T09:00:00.123456"


itself: list[object] = []
itself.append(itself)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (object(), "object is none of"),
        ({1, 2}, "set is none of"),
        (frozenset(), "frozenset is none of"),
        (bytearray(b"x"), "bytearray is none of"),
        (uuid4(), "UUID is none of"),
        (Colour.RED, "Colour is none of"),
        (timedelta(1), "timedelta is none of"),
        (lambda: None, "function is none of"),
        (1j, "complex is none of"),
        (float("inf"), "inf has no JSON form"),
        (10**5000, "too long"),
        ("\ud800", "half a character"),
        ("a\0b", "NUL"),
        ({"a\0": 1}, "NUL"),
        ({frozenset(): 1}, "frozenset is none of"),
        (Finer(2026, 11, 21), "would not come back"),
        (itself, "holds itself"),
    ],
    ids=lambda each: each if isinstance(each, str) and each.isprintable() else type(each).__name__,
)
def test_anything_else_is_refused(value, told):
    """
    What would not come back equal is refused with the reason.
    """
    with pytest.raises(JobArgumentError, match=told):
        codec.encode(value)


def test_the_place_is_told():
    """
    The message leads to the value that cannot be kept, however deep it is.
    """
    with pytest.raises(JobArgumentError, match=r"the lines, at \[1\]\['a'\]\[0\], because set"):
        codec.encode([1, {"a": [{2}]}], "the lines")


@pytest.mark.parametrize(
    "text", ["{", '{"_type": "set"}', '{"_type": "bytes", "value": "?"}', '{"_type": "dict"}']
)
def test_a_text_that_nobody_wrote_is_an_error(text):
    """
    Broken JSON, unknown tags and broken values are told.
    """
    with pytest.raises(NotReadableJobError):
        codec.loads(text, None)


def test_equal_values_have_one_text():
    """
    The order of a dict makes no difference to its text, and so none to an identity.
    """
    assert codec.dumps({"a": 1, "b": 2}) == codec.dumps({"b": 2, "a": 1})
