"""Random programs on records with a natural key find what a plain dictionary finds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from connector.core import fields, models
from connector.core.exceptions import ValidationError

CODES = ["a", "b", "c", "d"]
codes = st.sampled_from(CODES)
maybe = st.one_of(st.none(), codes)


def declare() -> None:
    class Item(models.Model):
        _name = "keys.item"
        _sql_constraints = [("code_uniq", "unique(kind, code)", "Twice")]

        name = fields.Char()
        kind = fields.Integer(default=1, required=True)
        code = fields.Char()


class Program(RuleBasedStateMachine):
    """The machine holds the code of each record; no two records may have one."""

    open_env: Any = None

    @initialize()
    def open(self) -> None:
        self.opened = type(self).open_env()
        self.env = self.opened.__enter__()
        self.model = self.env["keys.item"]
        self.expected: dict[int, str | None] = {}
        self.stack: list[Any] = []

    def teardown(self) -> None:
        while self.stack:
            self.leave_savepoint(keep=True)
        self.opened.__exit__(None, None, None)

    def some(self, number: int) -> list[int]:
        return list(self.expected)[number : number + 1]

    def is_free(self, code: str | None) -> bool:
        return code is None or code not in self.expected.values()

    def refused(self, change: Any) -> None:
        with pytest.raises(ValidationError, match="Twice"), self.env.cr.savepoint():
            change()
            self.env.flush()

    @rule(given=st.lists(maybe, min_size=1, max_size=8))
    def create(self, given: list[str | None]) -> None:
        vals = [{"name": "n", "code": code} for code in given]
        used = [code for code in given if code]
        if len(set(used)) < len(used) or not all(map(self.is_free, used)):
            self.refused(lambda: self.model.create(vals))
            return
        self.expected.update(zip(self.model.create(vals).ids, given, strict=True))

    @rule(number=st.integers(0, 9), code=maybe)
    def write(self, number: int, code: str | None) -> None:
        for id_ in self.some(number):
            record = self.model.browse(id_)
            if self.expected[id_] == code or self.is_free(code):
                record.code = code
                self.expected[id_] = code
            else:
                self.refused(lambda record=record: record.write({"code": code}))

    @rule(one=st.integers(0, 9), two=st.integers(0, 9))
    def swap(self, one: int, two: int) -> None:
        for first in self.some(one):
            for second in self.some(two):
                a, b = self.model.browse(first), self.model.browse(second)
                codes_of = self.expected[first], self.expected[second]
                a.code = False
                b.code, a.code = codes_of[0] if first != second else codes_of[1], codes_of[1]
                self.expected[first], self.expected[second] = codes_of[1], codes_of[0]

    @rule(number=st.integers(0, 9))
    def unlink(self, number: int) -> None:
        for id_ in self.some(number):
            self.model.browse(id_).unlink()
            del self.expected[id_]

    @rule(number=st.integers(0, 9), code=codes)
    def write_past_the_cache(self, number: int, code: str) -> None:
        for id_ in self.some(number) if self.is_free(code) else ():
            self.env.cr.execute("UPDATE keys_item SET code = %s WHERE id = %s", (code, id_))
            self.model.invalidate_cache(["code"], [id_])
            self.expected[id_] = code

    @rule()
    def forget(self) -> None:
        self.env.invalidate_all()

    @rule()
    def forget_the_codes(self) -> None:
        self.model.invalidate_cache(["code"])

    @precondition(lambda self: len(self.stack) < 3)
    @rule()
    def enter_savepoint(self) -> None:
        savepoint = self.env.cr.savepoint()
        savepoint.__enter__()
        self.stack.append((savepoint, dict(self.expected)))

    @precondition(lambda self: self.stack)
    @rule(keep=st.booleans())
    def leave_savepoint(self, keep: bool) -> None:
        savepoint, before = self.stack.pop()
        if keep:
            savepoint.__exit__(None, None, None)
        else:
            assert not savepoint.__exit__(RuntimeError, RuntimeError("undo"), None)
            self.expected = before

    # -- questions ------------------------------------------------------------------------

    def with_code(self, code: str) -> list[int]:
        return [id_ for id_, held in self.expected.items() if held == code]

    @rule(code=codes)
    def search(self, code: str) -> None:
        assert self.model.search([("code", "=", code), ("kind", "=", 1)]).ids == self.with_code(
            code
        )

    @rule(code=codes)
    def look_up(self, code: str) -> None:
        assert self.model._lookup_by_key(("kind", "code"), (1, code)).ids == self.with_code(code)

    @rule()
    def prefetch(self) -> None:
        found = self.model._prefetch_keys(("kind", "code"), [(1, code) for code in CODES])
        assert set(found.ids) == {id_ for id_, code in self.expected.items() if code}

    @rule(code=codes)
    def search_otherwise(self, code: str) -> None:
        assert self.model.search([("code", "in", [code])]).ids == self.with_code(code)

    @rule()
    def read(self) -> None:
        for record in self.model.browse(self.expected):
            assert (record.code or None) == self.expected[record.id]


def test_random_keys(open_env: Any) -> None:
    """
    No program of writes, swaps, refusals and savepoints has a key found that is not there.
    """
    run_state_machine_as_test(
        type("ProgramHere", (Program,), {"open_env": staticmethod(open_env)}),
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_key_written_past_the_cache(env: Any) -> None:
    """
    After the cache of a key's field is invalidated, neither a hit nor a miss is remembered.
    """
    item = env["keys.item"].create({"code": "a"})
    env.flush()
    assert not env["keys.item"]._lookup_by_key(("kind", "code"), (1, "b"))
    env.cr.execute("UPDATE keys_item SET code = 'b' WHERE id = %s", (item.id,))
    waiting = env["keys.item"].create({"code": "c"})
    item.invalidate_cache(["code"])
    for code, found in (("a", item.browse()), ("b", item), ("c", waiting)):
        assert env["keys.item"].search([("kind", "=", 1), ("code", "=", code)]) == found
        assert env["keys.item"]._lookup_by_key(("kind", "code"), (1, code)) == found
