"""Deleting records: what waits on them goes, and what was made out of them is made anew."""

from __future__ import annotations

from typing import Any

import pytest

from connector.core import api, exceptions, fields, models


def declare() -> None:
    class Order(models.Model):
        _name = "deleting.order"

        name = fields.Char()
        line_ids = fields.One2many("deleting.line", "order_id")
        tag_ids = fields.Many2many("deleting.tag")
        total = fields.Integer(compute="_compute_total", store=True)

        @api.depends("line_ids.quantity")
        def _compute_total(self) -> None:
            for order in self:
                order.total = sum(order.line_ids.mapped("quantity"))

    class Product(models.Model):
        _name = "deleting.product"

        name = fields.Char()

    class Line(models.Model):
        _name = "deleting.line"

        quantity = fields.Integer()
        order_id = fields.Many2one("deleting.order")
        product_id = fields.Many2one("deleting.product", ondelete="cascade")
        spare_id = fields.Many2one("deleting.product")
        has_spare = fields.Boolean(compute="_compute_has_spare", store=True)

        @api.depends("spare_id")
        def _compute_has_spare(self) -> None:
            for line in self:
                line.has_spare = bool(line.spare_id)

    class Wizard(models.TransientModel):
        _name = "deleting.wizard"

    class Step(models.Model):
        _name = "deleting.step"

        wizard_id = fields.Many2one("deleting.wizard", required=True, ondelete="restrict")

    class Tag(models.Model):
        _name = "deleting.tag"

        order_ids = fields.Many2many("deleting.order")
        count = fields.Integer(compute="_compute_count", store=True)

        @api.depends("order_ids")
        def _compute_count(self) -> None:
            for tag in self:
                tag.count = len(tag.order_ids)


def test_forgotten_wizards_are_deleted(env: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Now and then, making a transient record deletes those of hours ago that nothing needs.
    """
    monkeypatch.setattr(env.registry["deleting.wizard"], "_transient_creations", 0)
    old, needed, young = env["deleting.wizard"].create([{}, {}, {}])
    env["deleting.step"].create({"wizard_id": needed.id})
    env.cr.execute(
        "UPDATE deleting_wizard SET write_date = write_date - interval '61 minutes'"
        " WHERE id IN %s", ((old.id, needed.id),),
    )  # fmt: skip
    env.invalidate_all()
    for _ in range(18):
        last = env["deleting.wizard"].create({})
    assert old.exists()
    last |= env["deleting.wizard"].create({})
    assert (old | needed | young | last).exists() == needed | young | last


def test_records_that_go_with_others_are_missed_too(env: Any) -> None:
    """
    A stored value is right after the database deleted what it was made of.
    """
    order = env["deleting.order"].create({})
    product = env["deleting.product"].create({})
    line = env["deleting.line"].create(
        {"order_id": order.id, "product_id": product.id, "quantity": 5}
    )
    assert order.total == 5
    product.unlink()
    assert not line.exists()
    assert order.total == 0
    assert not order.line_ids


def test_links_that_the_database_empties_count(env: Any) -> None:
    """
    A stored value follows a link that a deletion set to NULL.
    """
    product = env["deleting.product"].create({})
    line = env["deleting.line"].create({"spare_id": product.id})
    assert line.has_spare
    product.unlink()
    assert not line.spare_id
    assert not line.has_spare


def test_both_ends_of_a_many2many_are_told(env: Any) -> None:
    """
    A stored value that counts links follows writes on the other end, and its deletion.
    """
    tag = env["deleting.tag"].create({})
    order, other = env["deleting.order"].create([{"tag_ids": [(4, tag.id)]}, {}])
    assert tag.count == 1
    other.tag_ids = [(4, tag.id)]
    assert tag.count == 2
    other.tag_ids = [(3, tag.id)]
    assert tag.count == 1
    order.unlink()
    assert tag.count == 0


def test_waiting_write_goes_with_its_record(env: Any) -> None:
    """
    A record with a waiting write is deleted by one statement, and by none more on flushing.
    """
    order = env["deleting.order"].create({"name": "a"})
    env.flush()
    order.name = "b"
    order.unlink()
    before = env.cr.statement_count
    env.flush()
    assert env.cr.statement_count == before


@pytest.mark.parametrize("values", [{"name": "x"}, {"tag_ids": [(5,)]}])
def test_record_that_another_deleted_can_be_unlinked(env: Any, values: dict[str, Any]) -> None:
    """
    unlink takes back what waits on a record whose row is gone, and the transaction goes on.
    """
    order = env["deleting.order"].create({"name": "a"})
    env.flush()
    env.cr.execute_unflushed("DELETE FROM deleting_order WHERE id = %s", (order.id,))
    order.write(values)
    order.unlink()
    env.flush()
    assert not order.exists()
    assert env["deleting.order"].create({"name": "b"}).name == "b"


def test_line_that_another_deleted_can_be_unlinked(env: Any) -> None:
    """
    So it is where stored values look at what waits.
    """
    order = env["deleting.order"].create({})
    line = env["deleting.line"].create({"order_id": order.id, "quantity": 5})
    assert order.total == 5
    env.flush()
    env.cr.execute_unflushed("DELETE FROM deleting_line WHERE id = %s", (line.id,))
    line.quantity = 7
    line.unlink()
    env.flush()
    assert not line.exists()


def test_write_on_a_vanished_record_is_never_lost_silently(env: Any) -> None:
    """
    Each flush tells of it, until a rollback takes the write back; other writes stay.
    """
    gone, there = env["deleting.order"].create([{"name": "a"}, {"name": "b"}])
    env.flush()
    env.cr.execute_unflushed("DELETE FROM deleting_order WHERE id = %s", (gone.id,))
    there.name = "kept"
    with pytest.raises(exceptions.MissingError), env.cr.savepoint():
        gone.name = "lost"
        for _ in range(2):
            with pytest.raises(exceptions.MissingError, match=rf"deleting.order\({gone.id}\)"):
                env.flush()
        raise exceptions.MissingError("undo")
    env.invalidate_all()
    assert there.name == "kept"


def test_write_on_what_was_deleted_here_is_refused_at_once(env: Any) -> None:
    """
    The transaction knows what it deleted; a savepoint that is undone brings it back.
    """
    order = env["deleting.order"].create({"name": "a"})
    with pytest.raises(RuntimeError), env.cr.savepoint():
        order.unlink()
        with pytest.raises(exceptions.MissingError, match="this transaction has deleted it"):
            order.name = "b"
        raise RuntimeError
    order.name = "c"
    env.invalidate_all()
    assert order.name == "c"
