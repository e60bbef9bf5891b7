"""Random programs of writes, searches and savepoints do what they do to plain Python objects."""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from connector.core import api, fields, models
from connector.core.exceptions import ValidationError
from connector.core.sql import READ_COMMITTED

names = st.sampled_from(["ann", "bob", "", "Cy", "a\\b", "tab\tnew\nline", "é{},\"'"])
numbers = st.one_of(st.none(), st.integers(-5, 5))


def declare() -> None:
    class Tag(models.Model):
        _name = "program.tag"

        name = fields.Char()
        node_ids = fields.Many2many("program.node")
        leaf_ids = fields.One2many("program.leaf", "tag_id")
        count = fields.Integer(compute="_compute_count", store=True)
        weight = fields.Integer(compute="_compute_weight", store=True)
        heavy_ids = fields.Many2many(
            "program.node", "program_heavy_rel", compute="_compute_heavy", store=True
        )

        @api.depends("node_ids.doubled")
        def _compute_heavy(self) -> None:
            for tag in self:
                tag.heavy_ids = tag.node_ids.filtered(lambda node: node.doubled > 4)

        @api.depends("node_ids")
        def _compute_count(self) -> None:
            for tag in self:
                tag.count = len(tag.node_ids)

        @api.depends("leaf_ids.weight")
        def _compute_weight(self) -> None:
            for tag in self:
                tag.weight = sum(tag.leaf_ids.mapped("weight"))

    class Leaf(models.Model):
        _name = "program.leaf"

        weight = fields.Integer()
        node_id = fields.Many2one("program.node", ondelete="cascade")
        tag_id = fields.Many2one("program.tag")

    class Node(models.Model):
        _name = "program.node"

        name = fields.Char(required=True)
        number = fields.Integer()
        active = fields.Boolean(default=True)
        parent_id = fields.Many2one("program.node")
        child_ids = fields.One2many("program.node", "parent_id")
        tag_ids = fields.Many2many("program.tag")
        doubled = fields.Integer(compute="_compute_doubled", store=True)
        family = fields.Integer(compute="_compute_family", store=True)
        parent_name = fields.Char(related="parent_id.name", store=True)
        is_child = fields.Boolean(compute="_compute_is_child", store=True)
        shout = fields.Char(compute="_compute_shout")

        @api.constrains("doubled")
        def _check_doubled(self) -> None:
            if any(node.doubled > 100 for node in self):
                raise ValidationError("Too much.")

        @api.depends("parent_id")
        def _compute_is_child(self) -> None:
            for node in self:
                node.is_child = bool(node.parent_id)

        @api.depends("number")
        def _compute_doubled(self) -> None:
            for node in self:
                node.doubled = 2 * node.number

        @api.depends("doubled", "child_ids.family")
        def _compute_family(self) -> None:
            for node in self:
                node.family = node.doubled + sum(node.child_ids.mapped("family"))

        @api.depends("name", "parent_id.name")
        def _compute_shout(self) -> None:
            for node in self:
                node.shout = f"{node.name}/{node.parent_id.name or ''}".upper()


class Program(RuleBasedStateMachine):
    """The machine holds what the records should be: id -> name, number, active, parent, tags."""

    open_env: Any = None
    nodes = Bundle("nodes")

    @initialize()
    def open(self) -> None:
        self.opened = type(self).open_env()
        self.env = self.opened.__enter__()
        self.model = self.env["program.node"]
        self.expected: dict[int, dict[str, Any]] = {}
        #: leaf -> node, tag, weight
        self.leaves: dict[int, tuple[int, int, int]] = {}
        self.stack: list[Any] = []
        # Another cursor of the same request, at READ COMMITTED: it sees what is committed.
        self.beside = self.env.registry.cursor(READ_COMMITTED)
        self.other = self.env(cr=self.beside)["program.node"]
        self.committed: dict[int, dict[str, Any]] = {}
        self.committed_leaves: dict[int, tuple[int, int, int]] = {}
        self.tags = self.env["program.tag"].create([{"name": "x"}, {"name": "y"}]).ids
        self.env.cr.commit()

    def teardown(self) -> None:
        while self.stack:
            self.leave_savepoint(keep=True)
        self.beside.rollback()
        self.beside.close()
        self.opened.__exit__(None, None, None)

    def alive(self, id_: int) -> bool:
        return id_ in self.expected

    # -- writes ---------------------------------------------------------------------------

    @rule(target=nodes, name=names, number=numbers, parent=st.one_of(st.none(), nodes),
          tagged=st.sets(st.integers(0, 1)))  # fmt: skip
    def create(self, name: str, number: Any, parent: Any, tagged: set[int]) -> int:
        parent = parent if parent in self.expected else None
        tags = {self.tags[i] for i in tagged}
        vals = {"name": name, "number": number, "parent_id": parent,
                "tag_ids": [(6, 0, sorted(tags))]}  # fmt: skip
        record = self.model.create(vals)
        self.expect(record.id, name=name, number=number, parent=parent, tags=tags)
        return record.id

    def expect(self, id_: int, **values: Any) -> None:
        nothing = {"number": None, "parent": None, "tags": set(), "active": True}
        self.expected[id_] = {**nothing, **values}

    @rule(target=nodes, name=names, count=st.integers(2, 8), number=numbers)
    def create_tree(self, name: str, count: int, number: Any) -> int:
        lines = [(0, 0, {"name": f"{name}{i}", "number": number}) for i in range(count)]
        record = self.model.create([{"name": name, "child_ids": lines}])
        for child in record.child_ids:
            self.expect(child.id, name=child.name, number=number, parent=record.id, tags=set())
        self.expect(record.id, name=name, tags=set())
        assert len(record.child_ids) == count
        return record.id

    @rule(id_=nodes, tag=st.integers(0, 1), weight=st.integers(1, 5))
    def create_leaf(self, id_: int, tag: int, weight: int) -> None:
        if self.alive(id_):
            tag_id = self.tags[tag]
            vals = {"node_id": id_, "tag_id": tag_id, "weight": weight}
            self.leaves[self.env["program.leaf"].create(vals).id] = (id_, tag_id, weight)

    @rule(number=st.integers(0, 9), tag=st.integers(0, 1), weight=st.integers(1, 5))
    def write_leaf(self, number: int, tag: int, weight: int) -> None:
        for id_ in list(self.leaves)[number : number + 1]:
            tag_id = self.tags[tag]
            self.env["program.leaf"].browse(id_).write({"tag_id": tag_id, "weight": weight})
            self.leaves[id_] = (self.leaves[id_][0], tag_id, weight)

    @rule(ids=st.lists(nodes, max_size=3), name=names, number=numbers)
    def write(self, ids: list[int], name: str, number: Any) -> None:
        chosen = [id_ for id_ in dict.fromkeys(ids) if self.alive(id_)]
        self.model.browse(chosen).write({"name": name, "number": number})
        for id_ in chosen:
            self.expected[id_].update(name=name, number=number)

    @rule(ids=st.lists(nodes, max_size=3), active=st.booleans())
    def archive(self, ids: list[int], active: bool) -> None:
        chosen = [id_ for id_ in dict.fromkeys(ids) if self.alive(id_)]
        self.model.browse(chosen).write({"active": active})
        for id_ in chosen:
            self.expected[id_]["active"] = active

    @rule(target=nodes, id_=nodes)
    def copy(self, id_: int) -> int:
        if not self.alive(id_):
            return id_
        duplicate = self.model.browse(id_).copy()
        self.expected[duplicate.id] = copy.deepcopy(self.expected[id_])
        self.expected[duplicate.id]["number"] = self.expected[id_]["number"] or 0
        return duplicate.id

    @rule(id_=nodes, name=names)
    def rename_parent(self, id_: int, name: str) -> None:
        if self.alive(id_):
            self.model.browse(id_).parent_name = name
            parent = self.expected[id_]["parent"]
            if parent:
                self.expected[parent]["name"] = name

    @rule(id_=nodes, command=st.sampled_from([1, 2, 3, 6]), name=names)
    def change_children(self, id_: int, command: int, name: str) -> None:
        children = self.children(id_) if self.alive(id_) else []
        if not children:
            return
        one = children[0]
        values: dict[int, Any] = {1: (1, one, {"name": name}), 6: (6, 0, [one])}
        self.model.browse(id_).child_ids = [values.get(command, (command, one))]
        if command == 1:
            self.expected[one]["name"] = name
        elif command == 2:
            self.gone([one])
        else:
            for child in [one] if command == 3 else self.linked(id_):
                if command == 3 or child != one:
                    self.expected[child]["parent"] = None

    @rule(id_=nodes, number=st.integers(51, 99))
    def refused(self, id_: int, number: int) -> None:
        if self.alive(id_):
            with pytest.raises(ValidationError, match="Too much"), self.env.cr.savepoint():
                self.model.browse(id_).write({"name": "refused", "number": number})

    @rule(id_=nodes, number=st.integers(-9, 9))
    def assign(self, id_: int, number: int) -> None:
        if self.alive(id_):
            self.model.browse(id_).number = number
            self.expected[id_]["number"] = number

    @rule(id_=nodes, parent=st.one_of(st.none(), nodes))
    def move(self, id_: int, parent: Any) -> None:
        if not self.alive(id_) or (parent is not None and not self.alive(parent)):
            return
        above = parent
        while above is not None:
            if above == id_:
                return
            above = self.expected[above]["parent"]
        self.model.browse(id_).parent_id = parent
        self.expected[id_]["parent"] = parent

    @rule(id_=nodes, tag=st.integers(0, 1), command=st.sampled_from([3, 4, 5]))
    def link(self, id_: int, tag: int, command: int) -> None:
        if not self.alive(id_):
            return
        tag_id = self.tags[tag]
        self.model.browse(id_).write({"tag_ids": [(command, tag_id)]})
        tags = self.expected[id_]["tags"]
        if command == 3:
            tags.discard(tag_id)
        elif command == 4:
            tags.add(tag_id)
        else:
            tags.clear()

    @rule(ids=st.lists(nodes, max_size=2))
    def unlink(self, ids: list[int]) -> None:
        chosen = [id_ for id_ in dict.fromkeys(ids) if self.alive(id_)]
        self.model.browse(chosen).unlink()
        self.gone(chosen)

    def gone(self, chosen: list[int]) -> None:
        for id_ in chosen:
            del self.expected[id_]
        self.leaves = {i: leaf for i, leaf in self.leaves.items() if leaf[0] not in chosen}
        for values in self.expected.values():
            if values["parent"] in chosen:
                values["parent"] = None

    # -- the transaction ------------------------------------------------------------------

    @precondition(lambda self: len(self.stack) < 3)
    @rule()
    def enter_savepoint(self) -> None:
        savepoint = self.env.cr.savepoint()
        savepoint.__enter__()
        self.stack.append((savepoint, copy.deepcopy((self.expected, self.leaves))))

    @precondition(lambda self: self.stack)
    @rule(keep=st.booleans())
    def leave_savepoint(self, keep: bool) -> None:
        savepoint, before = self.stack.pop()
        if keep:
            savepoint.__exit__(None, None, None)
            return
        error = RuntimeError("undo")
        assert not savepoint.__exit__(RuntimeError, error, None)
        self.expected, self.leaves = before

    @precondition(lambda self: not self.stack)
    @rule()
    def commit(self) -> None:
        self.env.cr.commit()
        self.committed = copy.deepcopy(self.expected)
        self.committed_leaves = dict(self.leaves)

    @precondition(lambda self: not self.stack)
    @rule()
    def rollback(self) -> None:
        self.env.cr.rollback()
        self.expected = copy.deepcopy(self.committed)
        self.leaves = dict(self.committed_leaves)

    @rule()
    def look_from_beside(self) -> None:
        """The other cursor sees what is committed, and leaves alone what waits with this one."""
        waiting = self.env.transaction.pending_rows, len(self.env.transaction.todo)
        self.beside.rollback()
        model = self.other.with_context(active_test=False)
        found = model.search([("id", "in", list(self.expected) or [0])])
        assert {node.id: (node.name, node.doubled) for node in found} == {
            id_: (values["name"], 2 * (values["number"] or 0))
            for id_, values in self.committed.items()
            if id_ in self.expected
        }
        assert waiting == (self.env.transaction.pending_rows, len(self.env.transaction.todo))

    @rule(name=names)
    def write_from_beside(self, name: str) -> None:
        """What the other cursor creates, writes and forgets is no matter of this one."""
        known = self.cached()
        node = self.other.create({"name": name, "number": 7})
        assert (node.doubled, node.exists()) == (14, node)
        assert not self.model.browse(node.id).exists()
        self.other.env.invalidate_all()
        self.beside.rollback()
        assert not node.exists()
        assert known == self.cached()

    def cached(self) -> dict[Any, dict[Any, Any]]:
        values = self.env.transaction.values
        return {field: dict(by_id) for field, by_id in values.items() if by_id}

    @rule()
    def forget(self) -> None:
        self.env.invalidate_all()

    # -- questions ------------------------------------------------------------------------

    def doubled(self, id_: int) -> int:
        return 2 * (self.expected[id_]["number"] or 0)

    def linked(self, id_: int) -> list[int]:
        return [other for other, values in self.expected.items() if values["parent"] == id_]

    def children(self, id_: int) -> list[int]:
        return [other for other in self.linked(id_) if self.expected[other]["active"]]

    def family(self, id_: int) -> int:
        return self.doubled(id_) + sum(self.family(child) for child in self.children(id_))

    @rule(id_=nodes)
    def read(self, id_: int) -> None:
        record = self.model.browse(id_)
        if not self.alive(id_):
            assert not record.exists()
            return
        expected = self.expected[id_]
        parent = expected["parent"]
        parent_name = self.expected[parent]["name"] if parent else ""
        assert record.name == expected["name"]
        assert record.display_name == expected["name"]
        assert record.active == expected["active"]
        assert record.number == (expected["number"] or 0)
        assert record.parent_id.id == (parent or False)
        assert set(record.child_ids.ids) == set(self.children(id_))
        everything = record.with_context(active_test=False)
        assert set(everything.child_ids.ids) == set(self.linked(id_))
        assert set(record.tag_ids.ids) == expected["tags"]
        assert record.doubled == self.doubled(id_)
        assert record.family == self.family(id_)
        assert record.is_child == bool(parent)
        assert (record.parent_name or "") == parent_name
        assert record.shout == f"{expected['name']}/{parent_name}".upper()

    @rule(tag=st.integers(0, 1))
    def read_tag(self, tag: int) -> None:
        record = self.env["program.tag"].browse(self.tags[tag])
        tagged = {
            id_
            for id_, values in self.expected.items()
            if record.id in values["tags"] and values["active"]
        }
        hung = {id_: leaf for id_, leaf in self.leaves.items() if leaf[1] == record.id}
        assert record.count == len(tagged)
        assert record.weight == sum(weight for _, _, weight in hung.values())
        assert set(record.node_ids.ids) == tagged
        assert set(record.leaf_ids.ids) == set(hung)
        heavy = {id_ for id_ in tagged if self.doubled(id_) > 4}
        assert set(record.heavy_ids.ids) == heavy
        found = self.env["program.tag"].search([("heavy_ids", "in", list(heavy))])
        assert (record in found) == bool(heavy)

    @rule(tag=st.integers(0, 1), id_=nodes)
    def link_from_the_tag(self, tag: int, id_: int) -> None:
        if self.alive(id_):
            self.env["program.tag"].browse(self.tags[tag]).node_ids = [(4, id_)]
            self.expected[id_]["tags"].add(self.tags[tag])

    @rule(name=names, number=st.integers(-5, 5))
    def search(self, name: str, number: int) -> None:
        found = self.model.search(["|", ("name", "=", name), ("doubled", "=", 2 * number)])
        assert set(found.ids) & set(self.expected) == {
            id_
            for id_, values in self.expected.items()
            if values["active"] and (values["name"] == name or self.doubled(id_) == 2 * number)
        }

    @rule(total=st.integers(-8, 8))
    def search_through_links(self, total: int) -> None:
        found = self.model.search([("child_ids.family", ">=", total), ("tag_ids", "!=", False)])
        assert set(found.ids) & set(self.expected) == {
            id_
            for id_, values in self.expected.items()
            if values["active"]
            and values["tags"]
            and any(self.family(child) >= total for child in self.children(id_))
        }

    @rule()
    def copy_out(self) -> None:
        text = io.StringIO()
        self.env.cr.copy_expert("COPY (SELECT id, doubled FROM program_node) TO STDOUT", text)
        rows = dict(map(int, line.split("\t")) for line in text.getvalue().splitlines())
        assert {id_: rows.get(id_) for id_ in self.expected} == {
            id_: self.doubled(id_) for id_ in self.expected
        }

    @rule(id_=nodes, number=st.integers(-9, 9))
    def write_in_norecompute(self, id_: int, number: int) -> None:
        if not self.alive(id_):
            return
        record = self.model.browse(id_)
        self.env.flush()
        with self.env.norecompute():
            record.number = number
            self.env.cr.execute("SELECT doubled FROM program_node WHERE id = %s", (id_,))
            assert self.env.cr.fetchone() == (self.doubled(id_),)
            self.expected[id_]["number"] = number
            assert record.doubled == self.doubled(id_)

    @rule()
    def raw(self) -> None:
        self.env.cr.execute("SELECT id, name, number, parent_id, family FROM program_node")
        rows = {row[0]: row[1:] for row in self.env.cr.fetchall() if row[0] in self.expected}
        assert rows == {
            id_: (values["name"], values["number"], values["parent"], self.family(id_))
            for id_, values in self.expected.items()
        }

    @invariant()
    def counts(self) -> None:
        if hasattr(self, "expected"):
            pending = self.env.transaction.new.get("program.node", {})
            assert set(pending) <= set(self.expected)


@pytest.fixture
def program(open_env: Any) -> type[Program]:
    return type("ProgramHere", (Program,), {"open_env": staticmethod(open_env)})


def test_random_programs(program: type[Program]) -> None:
    """
    No program of writes, unlinks, savepoints, searches and commits tells the cache from a dict.
    """
    run_state_machine_as_test(
        program,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
