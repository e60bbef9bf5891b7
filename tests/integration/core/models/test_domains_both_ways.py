"""A domain means the same to PostgreSQL as it does to Python, NULLs included."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.core import api, fields, models
from connector.core.domain import distribute_not, normalize_domain, parse
from connector.core.models.matching import matches


def declare() -> None:
    class Colour(models.Model):
        _name = "both.colour"

        name = fields.Char(translate=True)
        shade = fields.Integer()
        active = fields.Boolean(default=True)

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
        small_part_ids = fields.One2many("both.thing", "whole_id", domain=[("count", "<", 1)])
        all_colour_ids = fields.Many2many(
            "both.colour", "both_all_rel", context={"active_test": False}
        )
        shade = fields.Integer(related="colour_id.shade")
        far_colour = fields.Char(related="whole_id.colour_id.name")
        size = fields.Selection([(1, "One"), (2, "Two")])
        about = fields.Reference([("both.colour", "Colour")])
        active = fields.Boolean(default=True)
        twice = fields.Integer(compute="_compute_twice", store=True)

        @api.depends("count")
        def _compute_twice(self) -> None:
            for thing in self:
                thing.twice = 2 * thing.count


DAYS = [date(2020, 1, 1), date(2021, 6, 30)]
MOMENTS = [datetime(2020, 1, 1, 12), datetime(2021, 6, 30, 23, 59, 59)]
TEXTS = ["a", "b", "ab", "A_b", "100%", "back\\slash", ""]

COLOURS = [
    {"name": "red", "shade": 1},
    {"name": "", "shade": None},
    {"name": None, "shade": 0, "active": False},
]
THINGS: list[dict[str, Any]] = [
    {},
    {"name": "a", "count": 1, "weight": 1.5, "price": 1.5, "done": True, "day": DAYS[0]},
    {
        "name": "ab",
        "note": "A_b",
        "count": 0,
        "weight": 0.0,
        "moment": MOMENTS[0],
        "kind": "a",
        "size": 2,
    },
    {"name": "", "note": "", "count": -1, "price": 0.1, "done": False, "kind": "b", "size": 1},
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
    things[4].write({"about": f"both.colour,{colours[0].id}", "active": False})
    things.write({"all_colour_ids": [(6, 0, colours[1:].ids)]})
    things[:2].write({"all_colour_ids": [(5,)]})
    french = things.with_context(lang="fr_FR")
    french[2].note, french[2].colour_id.name = "b", "ab"
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
days = st.sampled_from([*DAYS, "2020-01-01", "2021-07-01"])
moments = st.sampled_from([*MOMENTS, "2020-01-01 12:00:00", "2021-06-30"])

leaves = st.one_of(
    leaf_on(
        [
            "name",
            "note",
            "colour_id.name",
            "far_colour",
            "whole_id.colour_ids.name",
            "part_ids.colour_id.name",
            "all_colour_ids.name",
        ],
        comparisons(nothing_or(texts), ordered=False),
    ),
    leaf_on(["about"], comparisons(nothing_or(st.just("both.colour,1")), ordered=False)),
    leaf_on(
        [
            "name",
            "note",
            "kind",
            "colour_ids.name",
            "part_ids.name",
            "count",
            "far_colour",
            "small_part_ids.name",
            "about",
        ],
        st.tuples(
            st.sampled_from(["like", "ilike", "not like", "not ilike", "=like", "=ilike"]),
            patterns,
        ),
    ),
    leaf_on(
        [
            "count",
            "shade",
            "colour_id.shade",
            "part_ids.count",
            "small_part_ids.count",
            "twice",
            "whole_id.whole_id.count",
            "size",
        ],
        comparisons(nothing_or(numbers), ordered=True),
    ),
    leaf_on(
        ["weight", "price"],
        comparisons(nothing_or(st.sampled_from([0, 0.1, 1.5, -2.5])), ordered=True),
    ),
    leaf_on(
        ["done", "active", "whole_id.done"],
        comparisons(st.sampled_from([True, False, None]), ordered=False),
    ),
    leaf_on(["day", "whole_id.day"], comparisons(nothing_or(days), ordered=True)),
    leaf_on(["moment"], comparisons(nothing_or(moments), ordered=True)),
    leaf_on(["kind"], comparisons(nothing_or(st.sampled_from(["a", "b"])), ordered=False)),
    leaf_on(
        ["colour_id", "colour_ids", "part_ids", "whole_id", "small_part_ids", "all_colour_ids"],
        comparisons(nothing_or(places), ordered=False).filter(lambda p: p[0] != "=?"),
    ),
    leaf_on(
        ["colour_id", "colour_ids", "part_ids", "whole_id", "small_part_ids", "all_colour_ids"],
        st.tuples(
            st.sampled_from(["=", "!=", "like", "not like", "=like"]), st.sampled_from(TEXTS[:3])
        ),
    ),
    leaf_on(
        ["colour_ids", "part_ids", "all_colour_ids"],
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


LINKS = {
    "id",
    "colour_id",
    "colour_ids",
    "part_ids",
    "whole_id",
    "small_part_ids",
    "all_colour_ids",
}


def with_ids(domain: list[Any], things: Any, colours: Any) -> list[Any]:
    """Places in the lists above become ids."""

    def bound(leaf: Any) -> Any:
        if isinstance(leaf, str) or leaf[0] not in LINKS:
            return leaf
        records = colours if "colour" in leaf[0] else things
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


contexts = st.fixed_dictionaries(
    {}, optional={"lang": st.just("fr_FR"), "active_test": st.booleans()}
)


def shown(things: Any, domain: list[Any]) -> Any:
    """Those of the records that a search may find, archived or not."""
    named = any(not isinstance(leaf, str) and leaf[0] == "active" for leaf in domain)
    if named or not things.env.context.get("active_test", True):
        return things
    return things.filtered("active")


def test_domains_mean_the_same_in_sql_and_python(env: Any, things: Any) -> None:
    """
    ``search``, ``filtered_domain`` and plain Python find the same records, whatever the domain.
    """
    colours = env["both.colour"].with_context(active_test=False).search([])

    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(domains, contexts)
    def check(domain: list[Any], context: dict[str, Any]) -> None:
        bound = with_ids(domain, things, colours)
        among = [("id", "in", things.ids)]
        model = env["both.thing"].with_context(context)
        found = model.search(among + bound)
        here = shown(things.with_context(context), bound)
        assert set(found.ids) == set(here.filtered_domain(bound).ids)
        node = parse(bound)
        assert set(found.ids) == {thing.id for thing in here if matches(thing, node)}
        carried = distribute_not(normalize_domain(bound))
        assert set(model.search(among + carried).ids) == set(found.ids)
        assert model.search_count(among + bound) == len(found)

    check()


def test_negation_is_the_complement(env: Any, things: Any) -> None:
    """
    A condition or its negation is true of every record, and never both.
    """
    colours = env["both.colour"].with_context(active_test=False).search([])

    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
    @given(domains, contexts)
    def check(domain: list[Any], context: dict[str, Any]) -> None:
        bound = normalize_domain(with_ids(domain, things, colours))
        among = [("id", "in", things.ids)]
        model = env["both.thing"].with_context(context)
        yes = model.search([*among, *bound])
        no = model.search([*among, "!", *bound])
        assert set(yes.ids) | set(no.ids) == set(shown(things.with_context(context), bound).ids)
        assert not set(yes.ids) & set(no.ids)

    check()
