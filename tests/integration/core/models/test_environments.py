"""Environments: what they are, what they share, and whose they are."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
from typing import Any

import pytest

from connector.core import api, fields, models
from connector.core.exceptions import CursorError, UnknownExternalIdError, UserError

#: what `env.computed` said while values were computed
seen: list[Any] = []


def declare() -> None:
    class Thing(models.Model):
        _name = "environments.thing"

        name = fields.Char()
        double = fields.Char(compute="_compute_double", store=True)
        mode = fields.Char(compute="_compute_mode")

        @api.depends("name")
        def _compute_double(self) -> None:
            seen.append(dict(self.env.computed))
            for thing in self:
                thing.double = (thing.name or "") * 2

        @api.depends()
        def _compute_mode(self) -> None:
            for thing in self:
                thing.mode = self.env.context.get("mode", "none")


def test_one_environment_per_user_and_context(env: Any) -> None:
    """
    Equal arguments give the same object; each part can be replaced.
    """
    assert api.Environment(env.cr, 1, {}) is env
    assert env(user=1, context={}) is env
    other = env(user=5, context={"lang": "fr_FR"})
    assert (other.uid, other.lang, other.cr) == (5, "fr_FR", env.cr)
    assert other is not env
    assert env["environments.thing"].with_context(lang="fr_FR").env.lang == "fr_FR"
    with pytest.raises(NotImplementedError, match="with_context"):
        env.context["lang"] = "x"
    with pytest.raises(NotImplementedError):
        env.context.__ior__({"lang": "x"})


def test_is_a_mapping_of_models(env: Any) -> None:
    """
    Names of models are its keys, empty recordsets its values.
    """
    assert "environments.thing" in env
    assert "no.such" not in env
    assert set(env) == set(env.registry)
    assert env.get("no.such") is None
    assert env["environments.thing"].ids == []
    assert env.user.login == "admin"
    assert env.ref("base.user_root") == env.user


def test_cache_belongs_to_the_transaction(env: Any) -> None:
    """
    A value written in one environment is in all of the cursor, and survives their end.
    """
    thing = env["environments.thing"].create({"name": "a"})
    env.flush()
    other = thing.with_context(x=1)
    other.name = "b"
    assert thing.name == "b"
    del other
    gc.collect()
    env.cr.execute("SELECT name FROM environments_thing")
    assert env.cr.fetchall() == [("b",)]


def test_computed_values_are_of_their_environment(env: Any) -> None:
    """
    A computed value may depend on the context.
    """
    thing = env["environments.thing"].create({"name": "a"})
    assert (thing.mode, thing.with_context(mode="x").mode, thing.mode) == ("none", "x", "none")


def test_views_have_the_seeds_shapes(env: Any) -> None:
    """
    cache, prefetch, computed, dirty and todo show what is so, when asked.
    """
    thing = env["environments.thing"].create({"name": "a"})
    name, double = thing._fields["name"], thing._fields["double"]
    assert env.cache[name] == {thing.id: "a"}
    assert thing.id in env.prefetch["environments.thing"]
    assert env.all.todo == {double: [thing]}
    assert env.has_todo()
    assert env.field_todo(double) == thing
    assert env.check_todo(double, thing) == thing
    assert env.get_todo() == (double, thing)
    env.remove_todo(double, thing)
    assert not env.has_todo()
    assert env.check_todo(double, thing) is None
    env.add_todo(double, thing)
    seen.clear()
    assert thing.double == "aa"
    assert seen == [{double: {thing.id}}]
    assert env.all.todo == {}
    assert env.computed == {}
    assert env.computed[double] == set()
    env.flush()
    with env.do_in_draft():
        thing.name = "b"
        assert env.dirty == {thing}
        assert env.dirty[thing] == {"name"}
    assert env.dirty == set()
    env.invalidate([(name, [thing.id])])
    assert env.cache[name] == {}
    env.invalidate_all()
    assert thing.name == "a"


def test_what_is_due_outlives_a_set_up(env: Any) -> None:
    """
    What ``norecompute`` puts off is computed though the fields were made anew meanwhile.
    """
    thing = env["environments.thing"].create({"name": "a"})
    env.flush()
    with env.norecompute():
        thing.name = "b"
        env.registry.setup_models(env.cr)
    env.cr.execute("SELECT double FROM environments_thing WHERE id = %s", (thing.id,))
    assert env.cr.fetchone() == ("bb",)


def test_nothing_to_recompute(env: Any) -> None:
    """
    Asking for a field to recompute where there is none says which question comes first.
    """
    with pytest.raises(LookupError, match=r"has_todo\(\) first"):
        env.get_todo()


def test_external_id_of_a_model_that_is_gone(env: Any) -> None:
    """
    An id whose model went with its addon is as unknown as one whose record was deleted.
    """
    env["ir.model.data"].create(
        {"module": "gone", "name": "it", "model": "gone.model", "res_id": 1}
    )
    assert env.ref("gone.it", raise_if_not_found=False) is None
    with pytest.raises(UnknownExternalIdError, match="Install or update the addon 'gone'"):
        env.ref("gone.it")


def test_check_of_the_cache_keeps_drafts(env: Any) -> None:
    """
    The cache is compared with the tables; what is in draft is in none, and stays.
    """
    thing = env["environments.thing"].create({"name": "a"})
    fresh = env["environments.thing"].new({"name": "new"})
    with env.do_in_draft():
        thing.name = "draft"
        env.check_cache()
        assert (thing.name, fresh.name, env.dirty == {thing}) == ("draft", "new", True)
    other = env["environments.thing"].create({"name": "b"})
    env.flush()
    env.cr.execute("UPDATE environments_thing SET name = 'c' WHERE id = %s", (other.id,))
    with pytest.raises(UserError, match=r"environments.thing.name.*'cached': 'b', 'fetched': 'c'"):
        env.check_cache()


def test_views_are_live(env: Any) -> None:
    """
    A view that was taken before shows what came after; no value is False, not None.
    """
    cache, prefetch, dirty = env.cache, env.prefetch, env.dirty
    thing = env["environments.thing"]
    ids = prefetch["environments.thing"]
    assert (list(ids), list(dirty)) == ([], [])
    record = thing.create({})
    assert record in dirty
    assert "name" in dirty[record]
    env.flush()
    assert record not in dirty
    assert cache[thing._fields["name"]] == {record.id: False}
    thing.browse([record.id, 4711])
    assert ids == {record.id, 4711}
    assert "environments.thing" in prefetch
    env(user=7)["environments.thing"].browse(4712)
    assert 4712 in ids
    env.invalidate_all()
    assert (list(ids), len(cache[thing._fields["name"]])) == ([], 0)
    record.name = "waits"
    assert (list(dirty), dirty[record]) == ([record], {"name"})


def test_stranger_is_refused_before_the_cache_changes(env: Any) -> None:
    """
    A change in another thread raises at once, and leaves nothing behind.
    """
    record = env["environments.thing"].create({"name": "a"})
    field = record._fields["name"]
    changes = [
        lambda: record.write({"name": "b"}), lambda: record.create({}), record.unlink,
        lambda: record.new({"name": "b"}), lambda: record.new().update({"name": "b"}),
        env.flush, env.clear, env.invalidate_all, lambda: env.invalidate([(field, None)]),
        lambda: env.add_todo(field, record), lambda: env.remove_todo(field, record),
        env.do_in_draft().__enter__, env.norecompute().__enter__, lambda: env(user=7),
        env.check_cache, env.cr.commit, env.cr.rollback, env.cr.close,
    ]  # fmt: skip
    missed: list[str] = []

    def change() -> None:
        for number, function in enumerate(changes):
            try:
                function()
            except CursorError:
                continue
            missed.append(f"change {number}")

    thread = threading.Thread(target=change)
    thread.start()
    thread.join()
    assert missed == []
    assert env.dirty == {record}
    assert record.name == "a"


def test_modes(env: Any) -> None:
    """
    The outermost mode holds, and ends with its block.
    """
    assert (env.in_draft, env.in_onchange) == (False, False)
    with env.do_in_onchange():
        with env.do_in_draft():
            assert (env.in_draft, env.in_onchange) == (True, True)
        assert env.in_onchange
    with env.do_in_draft():
        assert (env.in_draft, env.in_onchange) == (True, False)
        assert env(user=7).in_draft
    assert not env.in_draft


def test_clear_upon_failure(env: Any) -> None:
    """
    What waits is forgotten when the block raises.
    """
    with pytest.raises(RuntimeError), env.clear_upon_failure():
        env["environments.thing"].create({"name": "a"})
        raise RuntimeError
    assert not env.transaction.pending_rows
    assert not env["environments.thing"].search([])


def test_reset_begins_anew(env: Any) -> None:
    """
    After reset() the same arguments give another environment, of the same transaction.
    """
    api.Environment.reset()
    again = api.Environment(env.cr, 1, {})
    assert again is not env
    assert again.transaction is env.transaction
    assert set(api.Environment.envs) == {again}


def test_manage_is_reentrant(env: Any) -> None:
    """
    A block inside a block changes nothing.
    """
    before = api.Environment.envs
    with api.Environment.manage():
        assert api.Environment.envs is before
    assert api.Environment.envs is before


def test_each_thread_and_task_has_its_own(env: Any) -> None:
    """
    Environments are begun anew in every thread and task, started inside or not.
    """
    mine = api.Environment.envs
    found: list[Any] = []

    def look() -> None:
        with api.Environment.manage():
            found.append(api.Environment.envs)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(look,))
    thread.start()
    thread.join()

    async def look_twice() -> Any:
        first = api.Environment.envs
        await asyncio.sleep(0)
        return first is api.Environment.envs, first

    async def tasks() -> list[Any]:
        results = await asyncio.gather(look_twice(), look_twice())
        await asyncio.to_thread(look)
        return results

    (same1, one), (same2, two) = asyncio.run(tasks())
    assert same1
    assert same2
    everyone = [mine, one, two, *found]
    assert len({id(envs) for envs in everyone}) == len(everyone)


def test_cursor_is_refused_to_another_thread(env: Any) -> None:
    """
    Records whose cursor belongs to another thread raise at once.
    """
    thing = env["environments.thing"].create({"name": "a"})
    env.flush()
    env.invalidate_all()
    caught: list[Exception] = []

    def use() -> None:
        try:
            thing.name  # noqa: B018
        except Exception as error:
            caught.append(error)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert [type(error) for error in caught] == [CursorError]
