"""Columns that nobody asked for yet are as good as values in the cache."""

from __future__ import annotations

from connector.core.models.values import COLUMNS_MAX, Values


def test_columns_are_there_in_the_order_they_came() -> None:
    """
    The first look at a field finds all columns that came, the newest value of each id.
    """
    values = Values()
    values.add("name", (1, 2), ("a", "b"))
    values.add("name", (2, 3), ("c", "d"))

    assert values["name"] == {1: "a", 2: "c", 3: "d"}
    values.add("name", (3,), ("e",))
    assert values["name"] == {1: "a", 2: "c", 3: "e"}


def test_every_way_to_look_finds_them() -> None:
    """
    ``get`` and ``items`` know the columns too; dropped ones are gone.
    """
    values = Values()
    values.add("name", (1,), ("a",))
    values.add("email", (1,), ("b",))
    values.add("phone", (1,), ("c",))

    assert values.get("name") == {1: "a"}
    assert values.get("none") is None
    values.drop_unasked(["phone"])
    assert dict(values.items()) == {"name": {1: "a"}, "email": {1: "b"}}
    values.add("phone", (1,), ("d",))
    values.clear()
    assert dict(values.items()) == {}


def test_columns_do_not_pile_up() -> None:
    """
    The same rows read again and again take the memory of one reading.
    """
    values = Values()
    for turn in range(COLUMNS_MAX + 2):
        values.add("name", (1,), (turn,))

    assert dict.__contains__(values, "name")
    assert values["name"] == {1: COLUMNS_MAX + 1}
