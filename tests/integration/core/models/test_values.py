"""What fields take, keep and refuse, at the edges of their types."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from connector.core import fields, models
from connector.core.exceptions import FieldValueError, MissingError


def declare() -> None:
    class Thing(models.Model):
        _name = "values.thing"

        name = fields.Char()
        number = fields.Integer()
        price = fields.Float(digits=(6, 2))
        size = fields.Selection([("s", "Small"), ("l", "Large")])
        grade = fields.Selection([(1, "One"), (2, "Two")])
        thing_id = fields.Many2one("values.thing")
        part_ids = fields.One2many("values.thing", "thing_id")
        tag_ids = fields.Many2many("values.tag")

    class Tag(models.Model):
        _name = "values.tag"
        _order = "label"

        label = fields.Char(translate=True)
        parent_id = fields.Many2one("values.tag")
        above = fields.Char(related="parent_id.label")
        far_above = fields.Char(related="parent_id.above")
        kept_above = fields.Char(related="parent_id.label", store=True)
        child_ids = fields.One2many("values.tag", "parent_id")


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("grade", True, 1),
        ("grade", 0, False),
        ("size", "", False),
        ("number", "", 0),
        ("number", " 7 ", 7),
        ("price", "", 0.0),
        ("price", Decimal("1.115"), 1.12),
        ("price", 9999.994, 9999.99),
    ],
)
def test_value_is_kept(env: Any, name: str, given: Any, kept: Any) -> None:
    """
    A value reads the same, and has the same type, before and after it was sent.
    """
    thing = env["values.thing"].create({name: given})
    before = thing[name]
    env.invalidate_all()
    for read in (before, thing[name]):
        assert (read, type(read)) == (kept, type(kept))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": []}, "Choose one of 'l', 's'"),
        ({"grade": "1"}, "Choose one of 1, 2"),
        ({"number": []}, "Give a whole number"),
        ({"number": 1.5}, "Give a whole number"),
        ({"price": []}, "Give a number"),
        ({"price": float("nan")}, "at most 4 digits before the point"),
        ({"price": 9999.995}, "at most 4 digits before the point"),
        ({"thing_id": []}, "Give a record of 'values.thing'"),
        ({"thing_id": 2**31}, "Give a record of 'values.thing'"),
        ({"thing_id": {"name": "draft"}}, "It is not stored"),
        ({"tag_ids": [(6, 0, 5)]}, "needs ids of stored records"),
        ({"tag_ids": [(4, "x")]}, "needs ids of stored records"),
        ({"tag_ids": [(4, False)]}, "needs ids of stored records"),
        ({"part_ids": [(1, 2**31, {})]}, "needs ids of stored records"),
        ({"part_ids": [(0, 0, 5)]}, "needs a dictionary"),
    ],
)
@pytest.mark.parametrize("stored", [False, True])
def test_value_is_refused(env: Any, values: dict[str, Any], message: str, stored: bool) -> None:
    """
    What a field cannot hold is told with the field, in create and in write, and nothing is sent.
    """
    things = env["values.thing"]
    thing = things.create({"name": "stays"}) if stored else things
    with pytest.raises(FieldValueError, match=message) as raised:
        thing.write({"name": "goes", **values}) if stored else things.create(values)
    assert f"values.thing.{next(iter(values))}" in str(raised.value)
    assert things.search([]).mapped("name") == (["stays"] if stored else [])


def test_draft_is_no_value_of_a_stored_record(env: Any) -> None:
    """
    A stored record cannot link to one in draft; a draft can.
    """
    draft = env["values.thing"].new({"name": "draft"})
    with pytest.raises(FieldValueError, match=r"values\.thing\.thing_id.*not stored"):
        env["values.thing"].create({}).thing_id = draft
    assert env["values.thing"].new({"thing_id": draft}).thing_id == draft


@pytest.mark.parametrize("command", [(4, 999_999), (6, 0, [999_999])])
def test_link_to_no_record(env: Any, command: tuple[Any, ...]) -> None:
    """
    A link to a record that does not exist is told with field, record and the missing one.
    """
    thing = env["values.thing"].create({"tag_ids": [command]})
    message = rf"values\.thing\.tag_ids values\.thing\({thing.id},\) to values\.tag\(999999,\)"
    with pytest.raises(MissingError, match=message), env.cr.savepoint():
        env.flush()


def test_order_by_a_translated_text(env: Any) -> None:
    """
    Records of an x2many come in the order of their texts in the language asked for.
    """
    root = env["values.tag"].create({"label": "root"})
    one, two = env["values.tag"].create([{"label": "a", "parent_id": root.id},
                                         {"label": "b", "parent_id": root.id}])  # fmt: skip
    one.with_context(lang="fr_FR").label = "z"
    env.invalidate_all()
    assert root.child_ids.ids == [one.id, two.id]
    env.invalidate_all()
    assert root.with_context(lang="fr_FR").child_ids.ids == [two.id, one.id]


def test_related_translated_text(env: Any) -> None:
    """
    A field related to a translated one reads, searches and writes it in the user's language.
    """
    top = env["values.tag"].create({"label": "top"})
    low = env["values.tag"].create({"parent_id": top.id})
    lower = env["values.tag"].create({"parent_id": low.id})
    top.with_context(lang="de_DE").label = "oben"
    env.invalidate_all()
    german = low.with_context(lang="de_DE")

    assert (low.above, german.above, lower.far_above) == ("top", "oben", "top")
    assert (low.kept_above, low.read(["above"])[0]["above"]) == ("top", "top")
    assert german.search([("above", "=", "oben")]) == low

    german.above = "ganz oben"
    assert (top.label, top.with_context(lang="de_DE").label) == ("top", "ganz oben")
