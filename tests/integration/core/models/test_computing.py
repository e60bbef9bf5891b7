"""Computed, related and inverse fields; constraints, drafts and onchange modes."""

from __future__ import annotations

from typing import Any

import pytest

from connector.core import api, fields, models
from connector.core.exceptions import DomainError, UserError, ValidationError


def declare() -> None:
    class Order(models.Model):
        _name = "computing.order"

        name = fields.Char(required=True)
        note = fields.Char()
        line_ids = fields.One2many("computing.line", "order_id")
        total = fields.Float(compute="_compute_total", store=True)
        count = fields.Integer(compute="_compute_total", store=True)
        label = fields.Char(compute="_compute_label", search="_search_label")
        title = fields.Char(compute="_compute_title", inverse="_inverse_title")
        first_product = fields.Char(related="line_ids.product_id.name")

        @api.depends("line_ids.amount")
        def _compute_total(self) -> None:
            for order in self:
                order.total = sum(order.line_ids.mapped("amount"))
                order.count = len(order.line_ids)

        @api.depends("name", "total")
        def _compute_label(self) -> None:
            for order in self:
                order.label = f"{order.name}: {order.total:g}"

        def _search_label(self, operator: str, value: Any) -> list[Any]:
            return [("name", operator, value)]

        @api.depends("name")
        def _compute_title(self) -> None:
            for order in self:
                order.title = (order.name or "").title()

        def _inverse_title(self) -> None:
            for order in self:
                order.name = order.title.lower()

        @api.onchange("name")
        def _onchange_name(self) -> dict[str, Any]:
            self.note = f"was {self.name}"
            return {"warning": {"title": "Careful", "message": self.name}}

        @api.constrains("name")
        def _check_name(self) -> None:
            for order in self:
                if order.name == "bad":
                    raise ValidationError("No order is bad.")

    class Line(models.Model):
        _name = "computing.line"

        order_id = fields.Many2one("computing.order", ondelete="cascade")
        product_id = fields.Many2one("computing.product")
        quantity = fields.Integer(default=1)
        amount = fields.Float(compute="_compute_amount", store=True)
        order_name = fields.Char(related="order_id.name")
        stored_name = fields.Char(related="order_id.name", store=True)
        unsearchable = fields.Char(compute="_compute_amount")

        @api.depends("quantity", "product_id.price")
        def _compute_amount(self) -> None:
            for line in self:
                line.amount = line.quantity * line.product_id.price
                line.unsearchable = "?"

    class Product(models.Model):
        _name = "computing.product"

        name = fields.Char()
        price = fields.Float()


@pytest.fixture
def order(env: Any) -> Any:
    products = env["computing.product"].create(
        [{"name": "pen", "price": 2.0}, {"name": "ink", "price": 5.0}]
    )
    lines = [(0, 0, {"product_id": product.id, "quantity": 2}) for product in products]
    return env["computing.order"].create({"name": "o", "line_ids": lines})


def test_stored_value_follows_a_path(env: Any, order: Any) -> None:
    """
    A change two links away is in the value, in searches and in the table.
    """
    assert (order.total, order.count) == (14.0, 2)
    order.line_ids[0].product_id.price = 3.0
    assert order.total == 16.0
    assert env["computing.order"].search([("total", "=", 16.0)]) == order
    env.cr.execute("SELECT total, count FROM computing_order WHERE id = %s", (order.id,))
    assert env.cr.fetchone() == (16.0, 2)


def test_stored_value_follows_lines_that_come_and_go(env: Any, order: Any) -> None:
    """
    Adding, moving and deleting lines changes the totals of all orders concerned.
    """
    other = env["computing.order"].create({"name": "p"})
    assert other.total == 0
    order.line_ids[0].order_id = other
    assert (order.total, other.total) == (10.0, 4.0)
    order.line_ids.unlink()
    assert (order.total, order.count, other.total) == (0.0, 0, 4.0)


def test_values_that_are_not_stored_are_made_when_read(order: Any) -> None:
    """
    A change of what they depend on is in the next reading.
    """
    assert order.label == "o: 14"
    order.line_ids[1].quantity = 1
    assert order.label == "o: 9"
    order.name = "q"
    assert order.label == "q: 9"


def test_values_are_made_for_many_at_once(env: Any) -> None:
    """
    Reading a computed field of one record makes it for those read with it.
    """
    orders = env["computing.order"].create([{"name": f"o{i}"} for i in range(30)])
    env.invalidate_all()
    before = env.cr.statement_count
    assert [order.label for order in orders] == [f"o{i}: 0" for i in range(30)]
    assert env.cr.statement_count - before == 1


def test_related_reads_and_writes_through(env: Any, order: Any) -> None:
    """
    A related field is the field at the end of its path.
    """
    line = order.line_ids[0]
    assert (line.order_name, line.stored_name, order.first_product) == ("o", "o", "pen")
    line.order_name = "renamed"
    assert (order.name, line.stored_name) == ("renamed", "renamed")
    assert env["computing.line"].search([("order_name", "=", "renamed")]) == order.line_ids
    assert env["computing.line"].search([("stored_name", "=", "renamed")]) == order.line_ids


def test_inverse_writes_what_the_field_is_made_of(env: Any, order: Any) -> None:
    """
    Writing or creating with a computed field calls its inverse.
    """
    order.title = "Hello"
    assert (order.name, order.title) == ("hello", "Hello")
    made = env["computing.order"].create({"name": "x", "title": "World"})
    assert made.name == "world"


def test_search_method_stands_for_the_field(env: Any, order: Any) -> None:
    """
    A computed field is searched by its method; without one the error says so.
    """
    assert env["computing.order"].search([("label", "=", "o")]) == order
    with pytest.raises(DomainError, match="search method"):
        env["computing.line"].search([("unsearchable", "=", "?")])
    with pytest.raises(UserError, match="no inverse"):
        order.label = "x"


def test_norecompute_waits(env: Any, order: Any) -> None:
    """
    In the block recompute() does nothing, after it everything.
    """
    env.flush()
    with env.norecompute():
        order.line_ids[0].quantity = 10
        order.recompute()
        assert env.has_todo()
    order.recompute()
    assert not env.has_todo()
    assert order.total == 30.0


def test_norecompute_leaves_the_table_alone(env: Any, order: Any) -> None:
    """
    In the block a value reads as computed, while the table keeps the old one, until it is left.
    """

    def stored() -> list[tuple[float]]:
        env.cr.execute("SELECT total FROM computing_order WHERE id = %s", (order.id,))
        return env.cr.fetchall()

    (before,) = stored()
    line = order.line_ids[0]
    with env.norecompute():
        line.quantity += 1
        changed = order.total
        line.quantity += 1
        assert order.total - changed == changed - before[0] != 0
        assert stored() == [before]
        assert not env["computing.order"].search([("total", "=", order.total)])
        with pytest.raises(RuntimeError), env.cr.savepoint():
            order.recompute()
            line.quantity += 5
            raise RuntimeError
        assert env.has_todo()
        assert stored() == [before]
    assert stored() == [(order.total,)] != [before]


def test_constraint_refuses(env: Any, order: Any) -> None:
    """
    A broken constraint raises at once, in create and in write.
    """
    with pytest.raises(ValidationError, match="No order is bad"):
        env["computing.order"].create({"name": "bad"})
    with pytest.raises(ValidationError, match="No order is bad"):
        order.name = "bad"


def test_draft_changes_the_cache_alone(env: Any, order: Any) -> None:
    """
    Assignments in draft are computed with, and never written.
    """
    env.flush()
    with env.do_in_draft():
        assert env.in_draft
        order.line_ids[0].quantity = 100
        assert order.line_ids[0].amount == 200.0
    env.cr.execute("SELECT max(quantity) FROM computing_line")
    assert env.cr.fetchone() == (2,)
    env.invalidate_all()
    assert order.line_ids[0].quantity == 2


def test_new_record_lives_in_the_cache(env: Any) -> None:
    """
    A record in draft has values, computed ones too, and no row.
    """
    draft = env["computing.order"].new({"name": "draft", "line_ids": [(0, 0, {"quantity": 3})]})
    assert not draft.id
    assert (draft.name, draft.title, len(draft.line_ids)) == ("draft", "Draft", 1)
    draft.name = "changed"
    assert draft.title == "Changed"
    assert env["computing.order"].search_count([("name", "in", ["draft", "changed"])]) == 0


def test_cache_agrees_with_the_table(env: Any, order: Any) -> None:
    """
    check_cache finds nothing after writes, and names what raw SQL changed.
    """
    assert order.total
    assert order.line_ids.mapped("amount")
    env.check_cache()
    order.name  # noqa: B018 - fills the cache
    env.cr.execute("UPDATE computing_order SET name = 'behind'")
    with pytest.raises(UserError, match="Invalid cache"):
        env.check_cache()


def test_onchange_tells_what_follows(env: Any) -> None:
    """
    The methods for the changed fields run on a draft, and computed fields follow.
    """
    result = env["computing.order"].onchange({"name": "new", "note": ""}, "name")
    assert result["warning"] == {"title": "Careful", "message": "new"}
    assert result["value"]["note"] == "was new"
    assert not env["computing.order"].search([("name", "=", "new")])
    assert not env.transaction.pending_rows
    assert env["computing.order"].onchange({"name": "x"}, "note") == {"value": {}}
