"""The tree of errors is the one drawn at the top of its module."""

import re

import pytest

from connector import exception

DRAWING, _, PARENTS = (exception.__doc__ or "").partition("Double parents.")


def drawn_tree():
    """Give (class name, parent name) as the drawing says."""
    path = []
    for match in re.finditer(r"^    ((?:\|   |    )*)(?:[|`]-- )?([A-Z]\w+)\b", DRAWING, re.M):
        depth = len(match[1]) // 4 + ("-- " in match[0])
        path[depth:] = [match[2]]
        yield match[2], path[depth - 1] if depth else "RuntimeError"


@pytest.mark.parametrize(("name", "parent"), list(drawn_tree()))
def test_class_stands_where_it_is_drawn(name, parent):
    """
    Each class has the parent it is drawn under.
    """
    assert getattr(exception, name).__mro__[1].__name__ == parent


def test_every_class_is_drawn():
    """
    No class is missing in the drawing.
    """
    classes = {name for name, value in vars(exception).items() if isinstance(value, type)}

    assert classes == {name for name, _ in drawn_tree()}


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        (match[1], builtin)
        for match in re.finditer(r"^    ([A-Z]\w+) +((?:[A-Z]\w+(?:, )?)+)", PARENTS, re.M)
        for builtin in match[2].strip().split(", ")
    ],
)
def test_double_parents_are_as_listed(name, builtin):
    """
    What old code catches still catches.
    """
    assert builtin in {parent.__name__ for parent in getattr(exception, name).__mro__}


def test_retry_carries_its_wait():
    """
    A retryable error says how long to wait and whether the try counts.
    """
    error = exception.NetworkRetryableError("later", seconds=5, ignore_retry=True)

    assert (str(error), error.seconds, error.ignore_retry) == ("later", 5, True)


def test_missing_source_field_reads_as_text():
    """
    The error is a KeyError, and its text is not quoted.
    """
    error = exception.MissingSourceFieldError("no field 'x'")

    assert isinstance(error, KeyError)
    assert str(error) == "no field 'x'"
