"""Fields: what they accept, what the cache holds, and the text that the table gets."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.core import fields, models
from connector.core.exceptions import FieldValueError, ModelDefinitionError


def bound(field: fields.Field) -> Any:
    return field.bound_to("some.model", "field", [field])


@pytest.mark.parametrize(
    ("field", "value", "cached"),
    [
        (fields.Char(), False, None),
        (fields.Char(), "", ""),
        (fields.Char(), b"bytes", "bytes"),
        (fields.Char(), 7, "7"),
        (fields.Char(size=3), "abcd", "abc"),
        (fields.Boolean(), None, False),
        (fields.Boolean(), 1, True),
        (fields.Integer(), None, None),
        (fields.Integer(), False, 0),
        (fields.Integer(), "12", 12),
        (fields.Integer(), 3.0, 3),
        (fields.Integer(), True, 1),
        (fields.Float(), "1.5", 1.5),
        (fields.Float(digits=(6, 2)), 2.675, 2.68),
        (fields.Float(digits=(6, 2)), Decimal("-2.675"), -2.68),
        (fields.Date(), "2026-01-31", date(2026, 1, 31)),
        (fields.Date(), datetime(2026, 1, 31, 23), date(2026, 1, 31)),
        (fields.Datetime(), "2026-01-31 12:00:00", datetime(2026, 1, 31, 12)),
        (fields.Datetime(), date(2026, 1, 31), datetime(2026, 1, 31)),
        (
            fields.Datetime(),
            datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=2))),
            datetime(2026, 1, 31, 10),
        ),
        (fields.Binary(), "text", b"text"),
        (fields.Json(), {"b": 1, "a": [True]}, '{"a": [true], "b": 1}'),
        (fields.Json(), "\\u0000 spelled out", json.dumps("\\u0000 spelled out")),
        (fields.Many2one("x"), 0, None),
        (fields.Many2one("x"), (5, "name"), 5),
        (fields.Reference([]), "some.model,3", "some.model,3"),
    ],
)
def test_values_become_cached_ones(field: Any, value: Any, cached: Any) -> None:
    """
    Each accepted form becomes the one that the cache holds, of the same type.
    """
    result = bound(field).to_cache(value)
    assert result == cached
    assert type(result) is type(cached)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (fields.Char(), "a\0"),
        (fields.Integer(), "x"),
        (fields.Integer(), 2**31),
        (fields.Integer(), float("inf")),
        (fields.Float(digits=(4, 2)), 100.0),
        (fields.Float(), "1,5"),
        (fields.Date(), "yesterday"),
        (fields.Json(), float("nan")),
        (fields.Json(), "\0"),
        (fields.Binary(), 7),
        (fields.Many2one("x"), "name"),
        (fields.Reference([]), "some.model"),
    ],
)
def test_other_values_are_refused_by_name(field: Any, value: Any) -> None:
    """
    The error names model, field and value.
    """
    with pytest.raises(FieldValueError, match=r"some\.model\.field"):
        bound(field).to_cache(value)


@given(
    st.lists(st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\0"))))
)
def test_column_at_once_is_the_same_as_one_by_one(values: list[Any]) -> None:
    """
    Converting a column gives what converting each value gives.
    """
    field = bound(fields.Char())
    assert list(field.to_cache_column(list(values))) == [field.to_cache(v) for v in values]


@given(st.lists(st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1), st.booleans())))
def test_column_of_numbers(values: list[Any]) -> None:
    """
    The same for numbers, where booleans are numbers too.
    """
    field = bound(fields.Integer())
    column = list(field.to_cache_column(list(values)))
    assert column == [field.to_cache(value) for value in values]
    assert all(type(value) in (int, type(None)) for value in column)


def test_definitions_are_merged() -> None:
    """
    The last definition wins, argument by argument; a selection is added to.
    """
    first = fields.Selection([("a", "A")], string="Kind", required=True)
    second = fields.Selection(selection_add=[("b", "B"), ("a", "Alpha")], required=False)
    merged: Any = first.bound_to("some.model", "kind", [first, second])
    assert merged.selection == [("a", "Alpha"), ("b", "B")]
    assert (merged.string, merged.required) == ("Kind", False)


def test_computed_fields_are_not_stored_unless_told() -> None:
    """
    compute means no column, no copy and no writing; store and inverse say otherwise.
    """
    plain = bound(fields.Char(compute="_compute"))
    assert (plain.store, plain.copy, plain.readonly, plain.is_column) == (False, False, True, False)
    stored = bound(fields.Char(compute="_compute", store=True, inverse="_inverse"))
    assert (stored.store, stored.copy, stored.readonly, stored.is_column) == (
        True, False, False, True,
    )  # fmt: skip


def test_label_is_made_of_the_name() -> None:
    """
    A field without label is called after its name.
    """
    field = fields.Char()
    assert field.bound_to("some.model", "postal_code", [field]).string == "Postal code"


def test_wrong_ondelete_is_refused() -> None:
    """
    A many2one knows three answers to a deletion.
    """
    with pytest.raises(ModelDefinitionError, match=r"some\.model\.field"):
        bound(fields.Many2one("x", ondelete="explode"))


def test_dates_have_helpers() -> None:
    """
    now and today are UTC, to the second; strings go both ways.
    """
    now = fields.Datetime.now()
    assert (now.microsecond, now.tzinfo) == (0, None)
    assert abs(datetime.now(UTC).replace(tzinfo=None) - now) < timedelta(seconds=5)
    assert fields.Date.to_string(date(2026, 1, 31)) == "2026-01-31"
    assert fields.Datetime.to_string(datetime(2026, 1, 31, 1, 2, 3)) == "2026-01-31 01:02:03"
    assert fields.Date.from_string(False) is None
    assert fields.Date.to_string(None) is False


def test_commands_are_made_of_what_is_given() -> None:
    """
    Ids, dictionaries and nothing are commands too.
    """
    field = bound(fields.One2many("x", "y"))
    assert field.commands([1, 2]) == [(6, 0, [1, 2])]
    assert field.commands([{"a": 1}, 5]) == [(0, 0, {"a": 1}), (4, 5)]
    assert field.commands(False) == [(6, 0, [])]
    assert field.commands([[3, 7]]) == [(3, 7)]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("_columns", {}, r"Shop\._columns has no effect. Declare each field"),
        ("_defaults", {}, r"Shop\._defaults has no effect. Give each field its default"),
        ("_constraints", [], r"Shop\._constraints has no effect. Mark a method"),
        ("name", (fields.Char(),), r"Shop\.name is a tuple .* Remove the comma"),
    ],
)
def test_declarations_without_effect_are_refused(name: str, value: Any, message: str) -> None:
    """
    What would be ignored is told when the class is made, with what to write instead.
    """
    with pytest.raises(ModelDefinitionError, match=message):
        type(models.Model)("Shop", (models.Model,), {"_name": "shop", name: value})
