"""Expressions of data files."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core.exceptions import DataFileError
from connector.core.modules.values import evaluate

LITERALS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(LITERALS)
def test_literals(value):
    """
    A literal is what it says.
    """
    assert evaluate(repr(value), {}) == value


def test_names_and_calls():
    """
    Names that are given can be called, beside arithmetic and dates.
    """
    ids = {"a.b": 7}
    assert evaluate("[(6, 0, [ref('a.b'), -ref('a.b') + 1])]", {"ref": ids.get}) == [
        (6, 0, [7, -6])
    ]
    assert evaluate("datetime(2020, 1, 31) + timedelta(days=1)", {}) == datetime(
        2020, 1, 31
    ) + timedelta(days=1)
    assert evaluate("'%s of %s' % ('a', 1)", {}) == "a of 1"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 if uid == 7 else 2", 1),
        ("uid > 7 or 'small'", "small"),
        ("uid and 0 and 1 / 0", 0),
        ("'' or 'x' or 1 / 0", "x"),
        ("uid in (7, 8) and uid not in [9]", True),
        ("None is None and uid is not None", True),
        ("uid != 7", False),
    ],
)
def test_choices(text, value):
    """
    Comparisons and conditions are those of Python, and look no further than they have to.
    """
    assert evaluate(text, {"uid": 7}) == value


@pytest.mark.parametrize(
    "text",
    [
        "1 < 2 < 3",
        "__import__('os')",
        "().__class__",
        "ref.__globals__",
        "open('/etc/passwd')",
        "lambda: 1",
        "[x for x in (1, 2)]",
        "f'{ref}'",
        "a := 1",
        "1 +",
        "1 / 0",
        "2 ** 100000000",
        "{**{}}",
    ],
)
def test_what_is_refused(text):
    """
    Everything else is refused, with the expression in the message.
    """
    with pytest.raises(DataFileError) as caught:
        evaluate(text, {"ref": str})
    assert repr(text) in str(caught.value)
