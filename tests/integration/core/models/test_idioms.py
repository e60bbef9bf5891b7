"""What someone writes who knows the API of the 8.0 to 10.0 servers by heart."""

from __future__ import annotations

from typing import Any

import pytest

from connector.core import api, fields, models
from connector.core.exceptions import (
    MissingError,
    ModelDefinitionError,
    RequiredValueError,
    UserError,
    ValidationError,
)


def declare() -> None:
    class Tag(models.Model):
        _name = "idioms.tag"

        name = fields.Char()
        order_ids = fields.Many2many("idioms.order")
        big_order_ids = fields.Many2many(
            "idioms.order", "idioms_big_order_rel", compute="_compute_big_orders", store=True
        )

        @api.depends("order_ids.total")
        def _compute_big_orders(self) -> None:
            for tag in self:
                tag.big_order_ids = tag.order_ids.filtered(lambda order: order.total > 10)

    # What is related comes before what it is related to.
    class Detail(models.Model):
        _name = "idioms.detail"

        line_id = fields.Many2one("idioms.line")
        state = fields.Selection(related="line_id.state")
        price = fields.Float(related="line_id.price", store=True)

    class Line(models.Model):
        _name = "idioms.line"
        _rec_name = "order_id"

        order_id = fields.Many2one("idioms.order", ondelete="cascade")
        quantity = fields.Integer()
        active = fields.Boolean(default=True)
        note = fields.Char(translate=True)
        label = fields.Char(default="x")
        shout = fields.Char(compute="_compute_shout", store=True, required=True)

        @api.depends("label")
        def _compute_shout(self) -> None:
            for line in self:
                line.shout = line.label and line.label.upper()

        kind = fields.Selection(related="order_id.kind", store=True)
        state = fields.Selection(related="order_id.state", store=True)
        number = fields.Selection(related="order_id.number", store=True)
        price = fields.Float(related="order_id.price", store=True)
        code = fields.Char(related="order_id.code", store=True)

    class Order(models.Model):
        _name = "idioms.order"

        name = fields.Char(translate=True)
        kind = fields.Selection([("a", "A")])
        state = fields.Selection("_states", default="new")
        number = fields.Selection([(1, "One"), (2, "Two")])
        price = fields.Float(digits=(8, 2))
        code = fields.Char(size=3)
        day = fields.Date()
        mark = fields.Char(copy=False)
        line_ids = fields.One2many("idioms.line", "order_id", copy=True)
        all_line_ids = fields.One2many("idioms.line", "order_id", context={"active_test": False})
        big_line_ids = fields.One2many("idioms.line", "order_id", domain=[("quantity", ">", 5)])
        tag_ids = fields.Many2many("idioms.tag", domain=lambda self: [("name", "!=", "hidden")])
        total = fields.Integer(compute="_compute_total", store=True)
        biggest = fields.Integer(compute="_compute_biggest", store=True, required=True)

        @api.depends("big_line_ids")
        def _compute_biggest(self) -> None:
            for order in self:
                assert order.search([("id", "=", order.id)])
                order.biggest = max([0, *order.big_line_ids.mapped("quantity")])

        @api.constrains("total")
        def _check_total(self) -> None:
            for order in self:
                if order.total > 100:
                    raise ValidationError(f"Order {order.id} has more than 100.")

        @api.constrains("mark")
        def _check_code(self) -> None:
            if not all(order.mark for order in self):
                raise ValidationError("No mark.")

        @api.model
        def _states(self) -> list[tuple[str, str]]:
            return [("new", "New"), ("done", "Done")]

        @api.depends("line_ids.quantity")
        def _compute_total(self) -> None:
            for order in self:
                order.total = sum(order.line_ids.mapped("quantity"))

    class OrderB(models.Model):
        _inherit = "idioms.order"

        bonus = fields.Integer()
        kind = fields.Selection(selection_add=[("b", "B")])

        @api.depends("bonus")
        def _compute_total(self) -> None:
            super()._compute_total()
            for order in self:
                order.total += order.bonus

    class OrderC(models.Model):
        _inherit = "idioms.order"

        kind = fields.Selection(selection_add=[("c", "C")])

    class Kind(models.Model):
        _name = "idioms.kind"
        _auto = False

        name = fields.Char()
        orders = fields.Integer()

        def init(self) -> None:
            self.env.cr.execute(
                "CREATE VIEW idioms_kind AS (SELECT min(id) AS id, code AS name, count(*)::int"
                " AS orders FROM idioms_order GROUP BY code)"
            )

    class Marked(models.AbstractModel):
        _name = "idioms.marked"

        mark = fields.Char()

    class Customer(models.Model):
        _name = "idioms.customer"
        _inherit = "idioms.marked"

        name = fields.Char()
        number = fields.Char()
        above_id = fields.Many2one("idioms.customer")
        _parent_name = "above_id"
        below_ids = fields.One2many("idioms.customer", "above_id")
        names = fields.Char(compute="_compute_names", store=True)
        path = fields.Char(compute="_compute_path")

        @api.depends("name")
        def _compute_names(self) -> None:
            for customer in self:
                names = [customer.names, customer.name]
                customer.names = ", ".join(filter(None, names))

        depth = fields.Integer(compute="_compute_depth", store=True)

        @api.depends("name", "above_id.path")
        def _compute_path(self) -> None:
            for customer in self:
                customer.path = f"{customer.above_id.path or ''}/{customer.name}"

        @api.depends("above_id.depth")
        def _compute_depth(self) -> None:
            for customer in self:
                customer.depth = customer.above_id.depth + 1

        note = fields.Char(default="plain")

        @api.model
        def default_get(self, fields_list: Any) -> Any:
            found = super().default_get(fields_list)
            if "number" in fields_list:
                found["number"] = f"{self.env.context.get('prefix', 'N')}1"
            return found

        @api.model
        def name_search(
            self, name: str = "", args: Any = None, operator: str = "ilike", limit: Any = 100
        ) -> Any:
            found = self.search([("number", "=", name), *(args or [])], limit=limit)
            return found.name_get() or super().name_search(name, args, operator, limit)

    class Wrapped(models.Model):
        _name = "idioms.an_order"
        _inherits = {"idioms.order": "order_id"}


def test_related_field_has_all_of_its_targets_kind(env: Any) -> None:
    """
    A stored related field takes what its target takes: choices, their method, digits, size.
    """
    order = env["idioms.order"].create(
        {"kind": "c", "number": 2, "price": 1.234, "code": "abcdef", "state": "done"}
    )
    line = env["idioms.line"].create({"order_id": order.id})
    detail = env["idioms.detail"].create({"line_id": line.id})
    wrapped = env["idioms.an_order"].create({"order_id": order.id})
    env.flush()
    env.invalidate_all()
    found = (line.kind, line.state, line.number, line.price, line.code)
    assert found == ("c", "done", 2, 1.23, "abc")
    assert (detail.state, detail.price, wrapped.state) == ("done", 1.23, "done")
    detail.state = "new"
    assert (order.state, line.state, wrapped.state) == ("new", "new", "new")
    for model, name in (("idioms.line", "state"), ("idioms.an_order", "state")):
        shown = env[model].fields_get([name])[name]["selection"]
        assert shown == [("new", "New"), ("done", "Done")]
    with pytest.raises(ValueError, match="Choose one of 'done', 'new'"):
        wrapped.state = "gone"


def test_selection_add_needs_a_list(env: Any) -> None:
    """
    Values are added to a list of several addons; to a method there is nothing to add.
    """
    shown = env["idioms.order"].fields_get(["kind"])["kind"]["selection"]
    assert shown == [("a", "A"), ("b", "B"), ("c", "C")]
    method, more = fields.Selection("_states"), fields.Selection(selection_add=[("x", "X")])
    with pytest.raises(ModelDefinitionError, match="Extend that method"):
        method.bound_to("idioms.order", "state", [method, more])


def test_method_that_extends_another_depends_on_both(env: Any) -> None:
    """
    A compute method need not repeat the paths of the one that it extends.
    """
    order = env["idioms.order"].create({"bonus": 1, "line_ids": [(0, 0, {"quantity": 2})]})
    assert order.total == 3
    order.bonus = 5
    assert order.total == 7
    order.line_ids.quantity = 4
    assert order.total == 9


def test_names_follow_what_they_are_made_of(env: Any) -> None:
    """
    A name is not shown any more once it is written, also where it is that of a linked record.
    """
    order = env["idioms.order"].create({"name": "before"})
    line = env["idioms.line"].create({"order_id": order.id})
    wrapped = env["idioms.an_order"].create({"order_id": order.id})
    assert order.display_name == line.display_name == wrapped.display_name == "before"
    order.name = "after"
    assert order.display_name == line.display_name == wrapped.display_name == "after"
    assert line.read(["order_id"]) == [{"id": line.id, "order_id": (order.id, "after")}]
    assert env["idioms.line"].name_search("after") == [(line.id, "after")]


def test_records_without_a_value_are_sorted_first(env: Any) -> None:
    """
    ``sorted`` by a name compares values with no value, and links by their ids.
    """
    orders = env["idioms.order"].create(
        [{"name": "b", "day": "2026-01-02"}, {}, {"name": "a", "day": "2026-01-01"}]
    )
    assert orders.sorted("name").mapped("name") == [False, "a", "b"]
    assert orders.sorted("day", reverse=True) == orders[0] + orders[2] + orders[1]
    owners = [orders[2].id, False, orders[0].id]
    lines = env["idioms.line"].create([{"order_id": owner} for owner in owners])
    assert lines.sorted("order_id").ids == [lines[1].id, lines[2].id, lines[0].id]


def test_duplicate_has_the_texts_of_all_languages(env: Any) -> None:
    """
    ``copy`` takes translations along, those of lines too; ``create`` on a record takes none.
    """
    order = env["idioms.order"].create({"name": "house", "line_ids": [(0, 0, {"note": "wall"})]})
    french = order.with_context(lang="fr_FR")
    french.name, french.line_ids.note = "maison", "mur"
    for source in (order, french):
        duplicate = source.copy()
        assert [duplicate.with_context(lang=lang).name for lang in ("en_US", "fr_FR")] == [
            "house",
            "maison",
        ]
        assert duplicate.line_ids.with_context(lang="fr_FR").note == "mur"
    assert order.copy({"name": "hut"}).with_context(lang="fr_FR").name == "hut"
    assert order.create({"name": "hut"}).with_context(lang="fr_FR").name == "hut"


@pytest.fixture
def order(env: Any) -> Any:
    """An order with lines of 3, 10 and 7, the last one archived."""
    lines = [{"quantity": 3}, {"quantity": 10}, {"quantity": 7, "active": False}]
    return env["idioms.order"].create({"line_ids": [(0, 0, line) for line in lines]})


def test_context_of_a_field_shows_archived_records(env: Any, order: Any) -> None:
    """
    A field whose context has no ``active_test`` holds archived records, read and searched.
    """
    assert order.line_ids.mapped("quantity") == [3, 10]
    assert order.all_line_ids.mapped("quantity") == [3, 10, 7]
    assert len(order.read(["all_line_ids"])[0]["all_line_ids"]) == 3
    model = env["idioms.order"]
    assert model.search([("all_line_ids.quantity", "=", 7)]) == order
    assert not model.search([("line_ids.quantity", "=", 7)])
    assert order.filtered_domain([("all_line_ids.quantity", "=", 7)]) == order


def test_domain_of_a_field_says_what_it_holds(env: Any, order: Any) -> None:
    """
    Linked records outside a field's domain are not in it: read, searched, replaced or computed.
    """
    small, big = order.line_ids
    model = env["idioms.order"]
    assert (order.big_line_ids, order.biggest) == (big, 10)
    for domain in ([("big_line_ids", "in", small.ids)], [("big_line_ids.quantity", "=", 3)]):
        assert not model.search(domain)
        assert not order.filtered_domain(domain)
    small.quantity = 20
    assert (order.big_line_ids, order.biggest) == (small + big, 20)
    order.big_line_ids = [(6, 0, big.ids)]
    assert (order.big_line_ids, order.biggest) == (big, 10)
    assert not small.exists()
    order.tag_ids = [(0, 0, {"name": "shown"}), (0, 0, {"name": "hidden"})]
    assert order.tag_ids.mapped("name") == ["shown"]
    assert model.search([("tag_ids.name", "=", "shown")]) == order
    assert not model.search([("tag_ids.name", "=", "hidden")])


def test_archiving_changes_what_is_computed(order: Any) -> None:
    """
    A stored value counts the records that are shown, whoever reads it first.
    """
    assert order.total == 13
    order.line_ids[0].active = False
    assert order.with_context(active_test=False).total == 10
    order.all_line_ids.write({"active": True})
    assert order.total == 20


def test_constraint_on_a_computed_value(env: Any, order: Any) -> None:
    """
    A constraint is asked when its stored computed field is made, and keeps being asked.
    """
    env.flush()
    with pytest.raises(ValidationError, match=f"Order {order.id}"), env.cr.savepoint():
        order.line_ids[0].quantity = 500
        for _ in range(2):
            with pytest.raises(ValidationError, match=f"Order {order.id}"):
                env.flush()
    assert (order.line_ids[0].quantity, order.total) == (3, 13)


def test_constraint_is_for_the_fields_it_names(env: Any) -> None:
    """
    A record that says nothing of a field meets the constraint on it, created or written.
    """
    order = env["idioms.order"].create({"name": "a"})
    order.name = "b"
    for change in (order.write, order.create):
        with pytest.raises(ValidationError, match="No mark"):
            change({"mark": False})


def test_required_value_may_be_computed(env: Any) -> None:
    """
    A required stored value is made when its record is sent; a method that gives none is named.
    """
    lines = [(0, 0, {"quantity": quantity}) for quantity in (1, 7)]
    order = env["idioms.order"].create({"line_ids": lines})
    env.flush()
    assert order.biggest == 7
    line = env["idioms.line"].create({"label": "a"})
    with pytest.raises(RequiredValueError, match=rf"idioms.line.shout.*line\({line.id},\).*_shout"):
        line.label = False
        env.flush()


def test_links_may_be_computed_and_stored(env: Any) -> None:
    """
    A stored computed many2many has its rows, and follows what it is computed of.
    """
    small, big = env["idioms.order"].create([{"bonus": 1}, {"bonus": 20}])
    tag = env["idioms.tag"].create({"order_ids": [(6, 0, [small.id, big.id])]})
    env.invalidate_all()
    assert tag.big_order_ids == big
    assert env["idioms.tag"].search([("big_order_ids", "in", big.ids)]) == tag
    small.bonus, big.bonus = 30, 2
    env.invalidate_all()
    assert tag.big_order_ids == small
    small.unlink()
    assert not tag.big_order_ids


def test_view_shows_what_waits(env: Any) -> None:
    """
    A search of a view, and a reading of its records, see what was written on other models.
    """
    order = env["idioms.order"].create({"code": "a"})
    kind = env["idioms.kind"]
    assert kind.search([("name", "=", "a")]).orders == 1
    order.code = "b"
    assert kind.search([]).mapped("name") == ["b"]
    env["idioms.order"].create({"code": "b"})
    assert kind.search([]).orders == 2


def test_names_are_found_as_the_model_finds_them(env: Any) -> None:
    """
    A condition on a link by name asks the linked model's own ``name_search``.
    """
    top = env["idioms.customer"].create({"name": "Top", "number": "C1"})
    below = top.create({"name": "Below", "above_id": top.id})
    model = env["idioms.customer"]
    for name in ("C1", "Top"):
        assert model.search([("above_id", "=", name)]) == below
        assert model.search([("above_id", "in", [name])]) == below
        assert model.search([("below_ids.above_id", "=", name)]) == top
        assert model.search([("id", "child_of", name)]) == top + below
    assert model.search([("above_id", "not ilike", "C1")]) == top


def test_abstract_model_has_no_records(env: Any) -> None:
    """
    Searching, making or reading records of an abstract model is told with those that have some.
    """
    marked = env["idioms.marked"]
    for ask in (
        lambda: marked.search([]),
        lambda: marked.search_count([]),
        lambda: marked.create({"mark": "a"}),
        lambda: marked.browse(1).mark,
    ):
        with pytest.raises(UserError, match=r"'idioms.marked' is an abstract.*idioms.customer"):
            ask()


def test_links_of_no_record(env: Any) -> None:
    """
    A record that is gone has no lines to read either.
    """
    order = env["idioms.order"].create({})
    env.invalidate_all()
    assert not order.line_ids
    gone = order.browse(order.id + 1000)
    for name in ("line_ids", "tag_ids"):
        with pytest.raises(MissingError, match=rf"idioms.order\({gone.id},\).*{name}"):
            gone[name]


def test_circle_of_records_ends(env: Any) -> None:
    """
    Computed values that follow links come to an end where the records link in a circle.
    """
    first = env["idioms.customer"].create({"name": "a"})
    second = first.create({"name": "b", "above_id": first.id})
    assert (second.path, second.depth) == ("/a/b", 2)
    first.above_id = second
    env.flush()
    assert first.path.endswith("/b/a")
    draft = first.new({"name": "c"})
    draft.above_id = draft
    assert draft.path.endswith("/c")
    first.above_id = False
    assert (first.path, first.depth, second.path, second.depth) == ("/a", 1, "/a/b", 2)


def test_method_may_read_what_it_makes(env: Any) -> None:
    """
    A compute method that looks at its own field finds no value without a row, else the last.
    """
    model = env["idioms.customer"]
    customer = model.create({"name": "a"})
    assert (customer.names, model.new({"name": "a"}).names) == ("a", "a")
    env.flush()
    customer.name = "b"
    env.invalidate_all()
    assert customer.names == "a, b"


def test_defaults_of_the_models_own_method(env: Any) -> None:
    """
    ``create`` takes the defaults that a model's ``default_get`` has for what is left out.
    """
    model = env["idioms.customer"].with_context(prefix="P", default_mark="m")
    customers = model.create([{"name": "a"}, {"name": "b", "number": "7", "note": False}])
    assert customers.mapped("number") == ["P1", "7"]
    assert customers.mapped("note") == ["plain", False]
    assert customers.mapped("mark") == ["m", "m"]
