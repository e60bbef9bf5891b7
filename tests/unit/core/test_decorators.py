"""Decorators: the marks that they leave."""

from __future__ import annotations

from typing import Any

import pytest

from connector.core import api


def test_marks_add_up() -> None:
    """
    depends, constrains and onchange keep all names, also when used twice.
    """

    @api.depends("a.b", "c")
    @api.depends("d")
    @api.constrains("e")
    @api.onchange("f", "g")
    def method(self: Any) -> None: ...

    assert method._depends == ("d", "a.b", "c")  # type: ignore[attr-defined]
    assert method._constrains == ("e",)  # type: ignore[attr-defined]
    assert method._onchange == ("f", "g")  # type: ignore[attr-defined]


def test_one_collects_the_results() -> None:
    """
    A method of one record is called for each, and the results are a list.
    """

    @api.one
    def double(record: int) -> int:
        return 2 * record

    assert double([1, 2, 3]) == [2, 4, 6]
    assert double([]) == []


@pytest.mark.parametrize("decorator", [api.constrains, api.onchange])
def test_paths_are_refused(decorator: Any) -> None:
    """
    Constraints and onchange name fields of the model itself.
    """
    with pytest.raises(ValueError, match=r"plain field names.*partner_id\.name"):
        decorator("partner_id.name")


def test_create_is_given_what_it_is_marked_for() -> None:
    """
    A method marked as of 8.0 gets a dictionary at a time, one of the later mark a list.
    """

    class Records(list[Any]):
        def browse(self) -> Records:
            return Records()

        def concat(self, *others: Records) -> Records:
            return Records([*self, *(one for other in others for one in other)])

        @api.model
        def create(self, vals: dict[str, Any]) -> Records:
            return Records([vals["name"]])

    class Many(Records):
        @api.model_create_multi
        def create(self, vals: Any) -> Records:
            return Records([each["name"] for each in vals])

    for records in (Records(), Many()):
        assert records.create({"name": "a"}) == ["a"]
        assert records.create([{"name": "a"}, {"name": "b"}]) == ["a", "b"]
        assert records.create([]) == []
