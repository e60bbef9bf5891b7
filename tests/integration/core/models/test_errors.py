"""Each mistake gets an error that names model, field and record, and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from connector.core import api, exceptions, fields, models


def declare() -> None:
    class Thing(models.Model):
        _name = "errors.thing"
        _sql_constraints = [
            ("code_uniq", "unique(code)", "Two things of one code."),
            ("positive", "CHECK (number >= 0)", "A number is not negative."),
        ]

        name = fields.Char(required=True)
        code = fields.Char()
        number = fields.Integer()
        price = fields.Float()
        day = fields.Date()
        moment = fields.Datetime()
        data = fields.Json()
        kind = fields.Selection([("a", "A")])
        owner_id = fields.Many2one("errors.owner")
        owner_ids = fields.Many2many("errors.owner")

    class Owner(models.Model):
        _name = "errors.owner"

        thing_ids = fields.One2many("errors.thing", "owner_id")
        must_id = fields.Many2one("errors.thing", ondelete="restrict")

    class Pair(models.Model):
        _name = "errors.pair"
        _inherits = {"errors.thing": "thing_id", "errors.owner": "owner_id"}

        size = fields.Integer()
        thing_number = fields.Integer(related="thing_id.number")
        fixed = fields.Integer(compute="_compute_fixed")

        def _compute_fixed(self) -> None:
            for pair in self:
                pair.fixed = 1

    class Taking(models.Model):
        _name = "errors.taking"
        _inherit = "errors.thing"

        owner_id = fields.Many2one("errors.owner")

        @api.model
        def create(self, vals: Any) -> Any:
            return super().create({"name": vals.pop("title")})

    class OwnerMore(models.Model):
        _inherit = "errors.owner"

        taking_ids = fields.One2many("errors.taking", "owner_id")

    class Node(models.Model):
        _name = "errors.node"

        upper_id = fields.Many2one("errors.node", ondelete="restrict")
        depth = fields.Integer(compute="_compute_depth")

        def __init__(self, pool: Any, cr: Any) -> None:
            raise AssertionError("no record is made by a call with pool and cursor any more")

        def _compute_depth(self) -> None:
            for node in self:
                node.depth = node.uper_id.depth + 1

        @property
        def height(self) -> int:
            return -int(self.detph)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"nmae": "x"}, exceptions.UnknownFieldError, r"'nmae' on model 'errors.thing'"),
        ({}, exceptions.RequiredValueError, r"errors.thing.name \(Name\)"),
        ({"name": False}, exceptions.RequiredValueError, r"errors.thing.name .*Give the field"),
        ({"name": "a\0b"}, exceptions.FieldValueError, r"errors.thing.name.*NUL"),
        ({"name": "\ud800"}, exceptions.FieldValueError, r"errors.thing.name.*Unicode"),
        ({"name": "x", "number": "1x"}, exceptions.FieldValueError, r"errors.thing.number: '1x'"),
        ({"name": "x", "number": 2**31}, exceptions.FieldValueError, r"outside"),
        ({"name": "x", "number": 1.5}, exceptions.FieldValueError, r"whole number"),
        ({"name": "x", "price": "dear"}, exceptions.FieldValueError, r"errors.thing.price"),
        ({"name": "x", "day": "31.1."}, exceptions.FieldValueError, r"errors.thing.day"),
        ({"name": "x", "moment": "noon"}, exceptions.FieldValueError, r"errors.thing.moment"),
        ({"name": "x", "data": {1, 2}}, exceptions.FieldValueError, r"errors.thing.data.*JSON"),
        ({"name": "x", "kind": "z"}, exceptions.FieldValueError, r"errors.thing.kind.*'a'"),
        ({"name": "x", "owner_id": "Bob"}, exceptions.FieldValueError, r"errors.owner"),
        ({"name": "x", "owner_ids": 7}, exceptions.FieldValueError, r"errors.thing.owner_ids"),
        ({"name": "x", "owner_ids": [(9, 1)]}, exceptions.FieldValueError, r"no command"),
    ],
)
def test_bad_values_are_named_at_once(
    env: Any, values: dict[str, Any], error: type[Exception], message: str
) -> None:
    """
    create raises before anything is written.
    """
    with pytest.raises(error, match=message):
        env["errors.thing"].create(values)


@pytest.mark.parametrize("rows", [1, 20])
def test_broken_unique_names_the_record(env: Any, rows: int) -> None:
    """
    A batch that breaks UNIQUE raises the constraint's message, with record and key.
    """
    thing = env["errors.thing"]
    thing.create({"name": "first", "code": "7"})
    with pytest.raises(exceptions.ValidationError) as caught, env.cr.savepoint():
        made = thing.create([{"name": "x", "code": str(7 + i)} for i in range(rows)])
        bad = made[0]
        env.flush()

    assert "Two things of one code." in str(caught.value)
    assert f"errors.thing({bad.id},)" in str(caught.value)
    assert thing.search([]).mapped("name") == ["first"]  # the transaction goes on


def test_broken_check_and_links_are_explained(env: Any) -> None:
    """
    CHECK gives its message; a link to nothing names field and record; so does a refused delete.
    """
    thing = env["errors.thing"]
    with pytest.raises(exceptions.ValidationError, match="A number is not negative"):
        with env.cr.savepoint():
            thing.create({"name": "x", "number": -1})
    message = r"A number is not negative.*errors.thing\(\d+,\)"
    with pytest.raises(exceptions.ValidationError, match=message) as told, env.cr.savepoint():
        thing.create([{"name": f"secret {n}", "number": 7 - n} for n in range(9)])
    assert "secret" not in str(told.value)
    with pytest.raises(exceptions.ValidationError, match=r"owner_id links to errors.owner\(99,\)"):
        with env.cr.savepoint():
            thing.create({"name": "x", "owner_id": 99})
    record = thing.create({"name": "x"})
    env["errors.owner"].create({"must_id": record.id})
    with pytest.raises(exceptions.ValidationError, match="errors_owner.*still links"):
        with env.cr.savepoint():
            record.unlink()
    assert record.exists()


def test_record_that_others_of_its_model_need(env: Any) -> None:
    """
    A refused delete says so too where the records that link are of the same model.
    """
    upper = env["errors.node"].create({})
    env["errors.node"].create({"upper_id": upper.id})
    refused = exceptions.ValidationError
    with pytest.raises(refused, match="'errors.node' cannot be deleted"), env.cr.savepoint():
        upper.unlink()
    with pytest.raises(refused, match=r"upper_id links to .*\(4711,\)"), env.cr.savepoint():
        upper.upper_id = 4711
        env.flush()


def test_broken_update_is_explained(env: Any) -> None:
    """
    A write that breaks a constraint is told with the same words.
    """
    first, second = env["errors.thing"].create(
        [{"name": "a", "code": "1"}, {"name": "b", "code": "2"}]
    )
    env.flush()
    with pytest.raises(exceptions.ValidationError, match="Two things of one code"):
        with env.cr.savepoint():
            second.code = "1"
    assert (first.code, second.code) == ("1", "2")


def test_mistaken_questions(env: Any) -> None:
    """
    Unknown names, unreadable domains and orders, and sets of the wrong size are told.
    """
    thing = env["errors.thing"]
    pair = thing.create([{"name": "a"}, {"name": "b"}])
    with pytest.raises(exceptions.UnknownModelError, match="errors.nothing"):
        env["errors.nothing"]
    with pytest.raises(exceptions.UnknownFieldError, match="'nmae'.*errors.thing"):
        thing.search([("nmae", "=", 1)])
    with pytest.raises(exceptions.DomainError, match="Invalid leaf"):
        thing.search([("name", "equals", 1)])
    with pytest.raises(exceptions.DomainError, match="goes on after errors.thing.name"):
        thing.search([("name.first", "=", 1)])
    with pytest.raises(exceptions.DomainError, match="order 'name sideways'"):
        thing.search([], order="name sideways")
    with pytest.raises(exceptions.DomainError, match="no column"):
        thing.search([], order="owner_ids")
    with pytest.raises(exceptions.SingletonError, match="Expected singleton: errors.thing"):
        pair.name  # noqa: B018
    with pytest.raises(exceptions.SingletonError):
        pair.ensure_one()
    with pytest.raises(TypeError, match="apples and oranges"):
        pair | env["errors.owner"]
    with pytest.raises(exceptions.UnknownFieldError, match="nmae"):
        pair.mapped("nmae")
    with pytest.raises(exceptions.UnknownFieldError, match="nmae"):
        pair.read(["nmae"])
    with pytest.raises(exceptions.UnknownExternalIdError, match="External ID not found"):
        env.ref("base.no_such_id")
    assert env.ref("base.no_such_id", raise_if_not_found=False) is None


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda things: things.search([], limit="x"), "limit='x'"),
        (lambda things: things.search([], limit=-1), "limit=-1"),
        (lambda things: things.search([], offset=-1), "offset=-1"),
        (lambda things: things.search([("name", "child_of", 1)]), "'child_of' asks for records"),
        (lambda things: things.search([("id", "child_of", {"a": 1})]), "'child_of' needs records"),
        (lambda things: things.search([("name", "like", "a\0")]), "NUL .*errors.thing"),
        (lambda things: things.browse("12"), "Wrong ids for 'errors.thing': '12'"),
        (lambda things: things.browse(["12"]), "Wrong ids"),
        (lambda things: things.browse([True]), "Wrong ids"),
        (lambda things: things.create("x"), "Give a dictionary"),
        (lambda things: things.create([{"name": "a"}, 5]), "Give a dictionary"),
        (lambda things: things.create({"name": "a"}).write([5]), "Give a dictionary"),
    ],
)
def test_arguments_of_the_wrong_kind(env: Any, ask: Any, message: str) -> None:
    """
    What is no number, no id or no dictionary is told with the model, and breaks nothing.
    """
    things = env["errors.thing"]
    with pytest.raises((exceptions.DomainError, exceptions.FieldValueError), match=message) as told:
        ask(things)
    assert "errors.thing" in str(told.value)
    assert things.search_count([]) <= 1


@pytest.mark.parametrize("huge", [2**31, 2**63, 2**70])
def test_numbers_beyond_the_columns(env: Any, huge: int) -> None:
    """
    No record has an id or a value beyond its column: searches find none, and reading says so.
    """
    things = env["errors.thing"]
    things.create({"name": "a", "number": 1})
    for name in ("id", "number", "owner_ids"):
        assert not things.search([(name, "=", huge)])
        assert not things.search([(name, "in", [huge])])
    assert not things.search([("id", "child_of", [huge])])
    assert not things.search([("number", ">", huge)])
    assert len(things.search([("number", "<", huge)])) == 1
    assert not things.browse(huge).exists()
    with pytest.raises(exceptions.MissingError, match="does not exist"):
        assert things.browse(huge).name


def test_failure_of_a_batch_leaves_nothing(env: Any) -> None:
    """
    A bad value in the middle of a list creates no record at all.
    """
    with pytest.raises(exceptions.FieldValueError):
        env["errors.thing"].create([{"name": "a"}, {"name": "b", "number": "x"}, {"name": "c"}])
    assert env["errors.thing"].search_count([]) == 0
    env.flush()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"number": "1x"}, r"errors.thing.number: '1x'.*Nothing is written on errors.thing\("),
        ({"name": "b", "owner_ids": [(9, 1)]}, r"errors.thing.owner_ids.*errors.thing\("),
        ({"name": "b", "owner_ids": "x"}, r"errors.thing.owner_ids.*Give commands"),
    ],
)
def test_refused_write_changes_nothing(env: Any, values: dict[str, Any], message: str) -> None:
    """
    A bad value is told with the record, and the good ones beside it are not written either.
    """
    thing = env["errors.thing"].create({"name": "a"})
    with pytest.raises(exceptions.FieldValueError, match=message):
        thing.write(values)
    env.invalidate_all()
    assert thing.name == "a"


BAD_LINES = [
    ({"number": "1x"}, "errors.thing.number: '1x'"),
    ({"name": "b", "nope": 1}, "'nope' on model 'errors.thing'"),
    ({"name": False}, r"errors.thing.name \(Name\)"),
    ({}, r"errors.thing.name \(Name\)"),
    ({"name": "b", "owner_ids": [(0, 0, {"must_id": "x"})]}, "errors.owner.must_id: 'x'"),
]


@pytest.mark.parametrize(("line", "message"), BAD_LINES)
def test_bad_line_changes_nothing(env: Any, line: dict[str, Any], message: str) -> None:
    """
    A bad value anywhere below what is created or written leaves all of it as it was.
    """
    mistakes = (
        exceptions.FieldValueError,
        exceptions.UnknownFieldError,
        exceptions.ValidationError,
    )
    owner = env["errors.owner"].create({"thing_ids": [(0, 0, {"name": "a", "number": 1})]})
    thing = owner.thing_ids
    lines = [(0, 0, {"name": "good"}), (0, 0, line)]
    with pytest.raises(mistakes, match=message):
        env["errors.owner"].create({"thing_ids": lines})
    with pytest.raises(mistakes, match=message):
        owner.write({"must_id": thing.id, "thing_ids": [(1, thing.id, {"number": 2}), *lines]})
    env.invalidate_all()
    assert env["errors.owner"].search([]) == owner
    assert env["errors.thing"].search([]) == thing
    assert (owner.must_id.id, thing.number) == (False, 1)


@pytest.mark.parametrize(
    "values",
    [
        {"name": "a", "size": "x"},
        {"name": "a", "must_id": "x"},
        {"name": "a", "number": "x"},
        {"size": 1},
        {"name": "a", "thing_id": "x"},
        {"name": "a", "fixed": 2},
    ],
)
def test_no_parent_is_left_behind(env: Any, values: dict[str, Any]) -> None:
    """
    A record that is refused leaves none of the parents that it would have had.
    """
    mistakes = (exceptions.FieldValueError, exceptions.ValidationError, exceptions.UserError)
    with pytest.raises(mistakes):
        env["errors.pair"].create(values)
    for name in ("errors.pair", "errors.thing", "errors.owner"):
        assert not env[name].search([])


@pytest.mark.parametrize(
    "values",
    [{"size": 2, "thing_number": "x"}, {"size": 2, "fixed": 2}, {"number": 2, "price": "x"}],
)
def test_refused_write_changes_no_parent(env: Any, values: dict[str, Any]) -> None:
    """
    A write that goes through links, or that cannot be, leaves the columns beside it alone.
    """
    pair = env["errors.pair"].create({"name": "a", "size": 1, "number": 1})
    with pytest.raises((exceptions.FieldValueError, exceptions.UserError), match="errors"):
        pair.write(values)
    env.invalidate_all()
    assert (pair.size, pair.number) == (1, 1)


def test_method_that_takes_other_values_is_asked_itself(env: Any) -> None:
    """
    What a model's own ``create`` accepts is not refused beforehand.
    """
    owner = env["errors.owner"].create({"taking_ids": [(0, 0, {"title": "t"})]})
    assert env["errors.taking"].search([]).name == "t"
    assert owner.exists()


def test_bad_value_in_a_batch_is_placed(env: Any) -> None:
    """
    create says which of the dictionaries it is, and creates none.
    """
    rows: list[dict[str, Any]] = [{"name": "a"}, {"name": "b", "number": "1x"}, {"name": "c"}]
    with pytest.raises(exceptions.FieldValueError, match=r"record 2 of 3 .*name='b'"):
        env["errors.thing"].create(rows)
    with pytest.raises(exceptions.FieldValueError, match="no command"):
        env["errors.thing"].create({"name": "a", "owner_ids": [(9,)]})
    assert not env["errors.thing"].search([])


def test_questions_name_field_and_record(env: Any) -> None:
    """
    Reading of several records, of none that is there, or of what is no field.
    """
    things = env["errors.thing"].create([{"name": "a"}, {"name": "b"}])
    with pytest.raises(exceptions.SingletonError, match=r"errors.thing\(\d+, \d+\).*thing.name"):
        assert things.name
    with pytest.raises(exceptions.MissingError, match=r"thing\(4711,\).*errors.thing.name"):
        assert things.browse(4711).name
    with pytest.raises(exceptions.DomainError, match="'errors.thing' cannot be searched"):
        things.search([("name", "~", "a")])
    with pytest.raises(AttributeError, match="'errors.thing' has no field or method 'nmae'"):
        assert things[0].nmae
    with pytest.raises(AttributeError, match="nmae"):
        things.sorted("nmae")


@pytest.mark.parametrize(("name", "missing"), [("depth", "uper_id"), ("height", "detph")])
def test_the_attribute_that_is_missing_is_named(env: Any, name: str, missing: str) -> None:
    """
    An attribute whose own code asks for one that is not there passes that error on.
    """
    node = env["errors.node"].create({})
    for _ in range(2):
        with pytest.raises(
            AttributeError, match=f"'errors.node' has no field or method '{missing}'"
        ):
            getattr(node, name)
