"""Records in draft: commands change what they hold, and savepoints leave them alone."""

from __future__ import annotations

from typing import Any

import pytest

from connector.core import api, fields, models


def declare() -> None:
    class Order(models.Model):
        _name = "drafts.order"

        name = fields.Char()
        number = fields.Integer()
        line_ids = fields.One2many("drafts.line", "order_id")
        tag_ids = fields.Many2many("drafts.tag")
        parent_id = fields.Many2one("drafts.order")
        total = fields.Integer(compute="_compute_total", store=True)

        @api.depends("line_ids.quantity")
        def _compute_total(self) -> None:
            for order in self:
                order.total = sum(order.line_ids.mapped("quantity"))

        @api.onchange("name")
        def _onchange_name(self) -> None:
            for line in self.line_ids:
                line.quantity *= 2
            self.line_ids = [(0, 0, {"quantity": 1})]
            self.parent_id = self.search([("name", "=", self.name)], limit=1)

        @api.onchange("line_ids")
        def _onchange_lines(self) -> None:
            self.number = len(self.line_ids)

    class Line(models.Model):
        _name = "drafts.line"

        quantity = fields.Integer()
        order_id = fields.Many2one("drafts.order")

    class Tag(models.Model):
        _name = "drafts.tag"

        name = fields.Char()


def test_commands_change_what_a_draft_holds(env: Any) -> None:
    """
    Each command, on a new record, does in the cache what it does in the table.
    """
    one, two = env["drafts.line"].create([{"quantity": 1}, {"quantity": 2}])
    draft = env["drafts.order"].new({"line_ids": [(4, one.id), (0, 0, {"quantity": 3})]})
    assert (len(draft.line_ids), draft.total) == (2, 4)
    draft.line_ids = [(4, two.id)]
    assert (len(draft.line_ids), draft.total) == (3, 6)
    draft.line_ids = [(3, one.id)]
    assert (len(draft.line_ids), draft.total) == (2, 5)
    draft.line_ids = [(5,)]
    assert (len(draft.line_ids), draft.total) == (0, 0)
    draft.line_ids = [(6, 0, [one.id])]
    assert draft.line_ids == one
    draft.line_ids = [(1, one.id, {"quantity": 9})]
    assert (draft.line_ids, draft.total) == (one, 9)
    draft.line_ids = [(2, one.id), (4, two.id)]
    assert draft.line_ids == two
    draft.line_ids |= one
    assert draft.line_ids == one | two
    env.cr.execute("SELECT quantity FROM drafts_line WHERE id = %s", (one.id,))
    assert env.cr.fetchall() == [(1,)]
    assert one.exists()


def test_new_lines_know_their_new_record(env: Any) -> None:
    """
    What a command creates on a draft links back to it, and many2one take drafts too.
    """
    draft = env["drafts.order"].new({"line_ids": [(0, 0, {"quantity": 2})]})
    assert draft.line_ids.order_id == draft
    draft.tag_ids = [(0, 0, {"name": "t"})]
    assert draft.tag_ids.name == "t"
    draft.parent_id = env["drafts.order"].new({"name": "p"})
    assert draft.parent_id.name == "p"
    assert len((draft | draft.parent_id).sorted()) == 2
    assert not env["drafts.tag"].search([])


def test_onchange_follows_what_it_changes(env: Any) -> None:
    """
    A change has the methods that watch it called, lines come as commands, and nothing stays.
    """
    parent = env["drafts.order"].create({"name": "double"})
    order = env["drafts.order"].create(
        {"name": "a", "line_ids": [(0, 0, {"quantity": 2}), (0, 0, {"quantity": 0})]}
    )
    env.flush()
    changed, same = order.line_ids
    shown = {"name": "double", "line_ids": [(4, changed.id), (4, same.id)]}
    assert order.onchange(shown, "name", {})["value"] == {
        "line_ids": [
            (5,),
            (1, changed.id, {"quantity": 4}),
            (1, same.id, {"quantity": 0}),
            (0, 0, {"quantity": 1}),
        ],
        "number": 3,
        "total": 5,
        "parent_id": (parent.id, "double"),
    }
    assert not env.dirty
    assert (changed.quantity, order.total, len(order.line_ids)) == (2, 2, 2)
    assert order.onchange({"number": 7}, "number") == {"value": {}}


def test_drafts_are_never_written(env: Any) -> None:
    """
    Neither what waited before the draft, nor a new record, nor what is computed takes its values.
    """
    order = env["drafts.order"].create({"name": "a", "line_ids": [(0, 0, {"quantity": 1})]})
    env.flush()
    line = order.line_ids
    line.quantity = 2
    with env.do_in_draft():
        line.quantity = 9
        assert order.total == 9
        line.quantity = 10
        assert order.total == 10
        made = env["drafts.line"].create({"quantity": 3})
        made.quantity = 4
    env.cr.execute("SELECT id, quantity FROM drafts_line WHERE id IN %s", ((line.id, made.id),))
    assert dict(env.cr.fetchall()) == {line.id: 2, made.id: 3}
    env.cr.execute("SELECT total FROM drafts_order WHERE id = %s", (order.id,))
    assert env.cr.fetchall() == [(2,)]
    made.order_id = order
    env.invalidate_all()
    assert (line.quantity, order.total) == (2, 5)


def test_savepoint_leaves_older_drafts(env: Any) -> None:
    """
    A rollback to a savepoint forgets the drafts on stored records made since, and no others.
    """
    order = env["drafts.order"].create({"name": "a"})
    env.flush()
    with env.do_in_draft():
        order.name = "draft"
        with pytest.raises(RuntimeError), env.cr.savepoint():
            order.number = 4
            order.name = "later"
            raise RuntimeError
        assert (order.name, order.number) == ("draft", 0)
    env.invalidate_all()
    assert order.name == "a"


def test_invalidating_one_draft_leaves_the_others(env: Any) -> None:
    """
    A value that is in the cache as a draft is sent when it is written.
    """
    one, two = env["drafts.order"].create([{"name": "a"}, {"name": "b"}])
    env.flush()
    name = one._fields["name"]
    with env.do_in_draft():
        (one | two).update({"name": "draft"})
    env.invalidate([(name, one.ids)])
    assert one.name == "a"
    two.name = "draft"
    env.invalidate_all()
    assert two.name == "draft"
