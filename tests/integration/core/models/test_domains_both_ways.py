"""A domain means the same to PostgreSQL as it does to Python, NULLs included."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.core import fields, models
from connector.core.domain import distribute_not, normalize_domain, parse
from connector.core.models.matching import matches


def declare() -> None:
    class Colour(models.Model):
        _name = "both.colour"

        name = fields.Char()
        shade = fields.Integer()

    class Thing(models.Model):
        _name = "both.thing"
        _parent_name = "whole_id"

        name = fields.Char()
        note = fields.Text(translate=True)
        count = fields.Integer()
        weight = fields.Float()
        price = fields.Float(digits=(8, 2))
        done = fields.Boolean()
        day = fields.Date()
        moment = fields.Datetime()
        kind = fields.Selection([("a", "A"), ("b", "B")])
        colour_id = fields.Many2one("both.colour")
        colour_ids = fields.Many2many("both.colour")
        whole_id = fields.Many2one("both.thing")
        part_ids = fields.One2many("both.thing", "whole_id")
        shade = fields.Integer(related="colour_id.shade")


DAYS = [date(2020, 1, 1), date(2021, 6, 30)]
MOMENTS = [datetime(2020, 1, 1, 12), datetime(2021, 6, 30, 23, 59, 59)]
TEXTS = ["a", "b", "ab", "A_b", "100%", "back\\slash", ""]

COLOURS = [{"name": "red", "shade": 1}, {"name": "", "shade": None}, {"name": None, "shade": 0}]
THINGS: list[dict[str, Any]] = [
    {},
    {"name": "a", "count": 1, "weight": 1.5, "price": 1.5, "done": True, "day": DAYS[0]},
    {"name": "ab", "note": "A_b", "count": 0, "weight": 0.0, "moment": MOMENTS[0], "kind": "a"},
    {"name": "", "note": "", "count": -1, "price": 0.1, "done": False, "kind": "b"},
    {"name": "100%", "note": "back\\slash", "weight": 0.1, "day": DAYS[1], "moment": MOMENTS[1]},
]


@pytest.fixture
def things(env: Any) -> Any:
    colours = env["both.colour"].create(COLOURS)
    things = env["both.thing"].create(THINGS)
    things[1].write({"colour_id": colours[0].id, "colour_ids": [(6, 0, colours[:2].ids)]})
    things[2].write({"colour_id": colours[1].id, "whole_id": things[1].id})
    things[3].write({"colour_id": colours[2].id, "whole_id": things[1].id})
    things[4].write({"colour_ids": [(4, colours[2].id)], "whole_id": things[3].id})
    return things


def comparisons(values: st.SearchStrategy[Any], *, ordered: bool) -> st.SearchStrategy[Any]:
    single = ["=", "!=", "=?"] + (["<", ">", "<=", ">="] if ordered else [])
    return st.one_of(
        st.tuples(st.sampled_from(single), values),
        st.tuples(st.sampled_from(["in", "not in"]), st.lists(values, max_size=3)),
    )


def leaf_on(names: list[str], comparison: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(lambda name, pair: (name, *pair), st.sampled_from(names), comparison)


def nothing_or(values: Any) -> st.SearchStrategy[Any]:
    return st.one_of(st.sampled_from([False, None]), values)


texts = st.sampled_from(TEXTS)
patterns = st.sampled_from(["a", "A", "_", "%", "a%", "\\%", "\\_", "", "b", "back\\\\", "back\\"])
numbers = st.sampled_from([-1, 0, 1, 2, 10**12])
places = st.integers(0, 4)

leaves = st.one_of(
    leaf_on(["name", "note", "colour_id.name"], comparisons(nothing_or(texts), ordered=False)),
    leaf_on(
        ["name", "note", "kind", "colour_ids.name", "part_ids.name", "count"],
        st.tuples(
            st.sampled_from(["like", "ilike", "not like", "not ilike", "=like", "=ilike"]),
            patterns,
        ),
    ),
    leaf_on(
        ["count", "shade", "colour_id.shade", "part_ids.count"],
        comparisons(nothing_or(numbers), ordered=True),
    ),
    leaf_on(
        ["weight", "price"],
        comparisons(nothing_or(st.sampled_from([0, 0.1, 1.5, -2.5])), ordered=True),
    ),
    leaf_on(["done"], comparisons(st.sampled_from([True, False, None]), ordered=False)),
    leaf_on(["day"], comparisons(nothing_or(st.sampled_from(DAYS)), ordered=True)),
    leaf_on(["moment"], comparisons(nothing_or(st.sampled_from(MOMENTS)), ordered=True)),
    leaf_on(["kind"], comparisons(nothing_or(st.sampled_from(["a", "b"])), ordered=False)),
    leaf_on(
        ["colour_id", "colour_ids", "part_ids", "whole_id"],
        comparisons(nothing_or(places), ordered=False).filter(lambda p: p[0] != "=?"),
    ),
    leaf_on(
        ["colour_id", "colour_ids", "part_ids", "whole_id"],
        st.tuples(
            st.sampled_from(["=", "!=", "like", "not like", "=like"]), st.sampled_from(TEXTS[:3])
        ),
    ),
    leaf_on(
        ["colour_ids", "part_ids"],
        st.tuples(st.sampled_from(["in", "not in"]), st.lists(texts, min_size=1, max_size=2)),
    ),
    leaf_on(
        ["id", "whole_id", "part_ids", "colour_ids"],
        st.tuples(
            st.sampled_from(["child_of", "parent_of"]), st.one_of(places, st.lists(places), texts)
        ),
    ),
    st.sampled_from([(1, "=", 1), (0, "=", 1)]),
)
domains = st.recursive(
    leaves.map(lambda leaf: [leaf]),
    lambda inner: st.one_of(
        inner.map(lambda domain: ["!", *normalize_domain(domain)]),
        st.builds(
            lambda sign, one, two: [sign, *normalize_domain(one), *normalize_domain(two)],
            st.sampled_from("&|"),
            inner,
            inner,
        ),
        st.builds(lambda one, two: one + two, inner, inner),
    ),
    max_leaves=6,
)


def with_ids(domain: list[Any], things: Any, colours: Any) -> list[Any]:
    """Places in the lists above become ids."""

    def bound(leaf: Any) -> Any:
        if isinstance(leaf, str) or leaf[0] not in (
            "id", "colour_id", "colour_ids", "part_ids", "whole_id"
        ):  # fmt: skip
            return leaf
        records = colours if leaf[0].startswith("colour") else things
        return (leaf[0], leaf[1], _to_ids(leaf[2], records))

    return [bound(leaf) for leaf in domain]


def _to_ids(value: Any, records: Any) -> Any:
    if isinstance(value, list):
        return [_to_ids(each, records) for each in value]
    if value is False or value is None:
        return False
    if isinstance(value, str):
        return value
    return records[value].id if value < len(records) else 999999


def test_domains_mean_the_same_in_sql_and_python(env: Any, things: Any) -> None:
    """
    ``search``, ``filtered_domain`` and plain Python find the same records, whatever the domain.
    """
    colours = env["both.colour"].search([])

    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(domains)
    def check(domain: list[Any]) -> None:
        bound = with_ids(domain, things, colours)
        among = [("id", "in", things.ids)]
        found = env["both.thing"].search(among + bound)
        assert set(found.ids) == set(things.filtered_domain(bound).ids)
        node = parse(bound)
        assert set(found.ids) == {thing.id for thing in things if matches(thing, node)}
        carried = distribute_not(normalize_domain(bound))
        assert set(env["both.thing"].search(among + carried).ids) == set(found.ids)

    check()


def test_negation_is_the_complement(env: Any, things: Any) -> None:
    """
    A condition or its negation is true of every record, and never both.
    """
    colours = env["both.colour"].search([])

    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
    @given(domains)
    def check(domain: list[Any]) -> None:
        bound = normalize_domain(with_ids(domain, things, colours))
        among = [("id", "in", things.ids)]
        yes = env["both.thing"].search([*among, *bound])
        no = env["both.thing"].search([*among, "!", *bound])
        assert set(yes.ids) | set(no.ids) == set(things.ids)
        assert not set(yes.ids) & set(no.ids)

    check()
