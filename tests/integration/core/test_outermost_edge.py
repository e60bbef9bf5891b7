"""The outermost edge: work that conflicts is run again; work that fails leaves no trace."""

import contextlib
import threading

import pytest

from connector.core import exceptions, sql

pytestmark = pytest.mark.addons("base")


@pytest.mark.parametrize("code", ["40001", "40P01", "55P03"])
def test_conflicts_are_run_again(database, code):
    """
    Work that met a conflict is done anew, in a transaction of its own, and committed once.
    """
    registry, tries = database.registry, []

    def work(env):
        tries.append(env.cr)
        env["ir.config_parameter"].set_param("tries", str(len(tries)))
        if len(tries) < 3:
            env.cr.execute(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$")
        return len(tries)

    assert registry.run(work) == 3
    assert len(set(map(id, tries))) == 3
    assert registry.run(lambda env: env["ir.config_parameter"].get_param("tries")) == "3"


def test_conflict_in_a_constraint(database, monkeypatch):
    """
    A conflict that a method of @constrains meets is a conflict, and no broken constraint.
    """
    registry, tries = database.registry, []

    def check(records):
        tries.append(1)
        if len(tries) < 2:
            records.env.cr.execute("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$")

    monkeypatch.setattr(registry["res.partner.category"], "_check_parent", check)
    values = {"name": "A", "parent_id": False}
    assert registry.run(lambda env: env["res.partner.category"].create(values).id)
    assert len(tries) == 2


def test_conflict_that_stays_is_raised(database):
    """
    After five tries the conflict is the caller's; any other error is at once.
    """
    registry, tries = database.registry, []

    def work(env, statement):
        tries.append(1)
        env.cr.execute(statement)

    with pytest.raises(sql.errors.SerializationFailure):
        registry.run(
            lambda env: work(env, "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$")
        )
    assert len(tries) == 5
    with pytest.raises(sql.errors.UndefinedTable):
        registry.run(lambda env: work(env, "SELECT * FROM no_such"))
    assert len(tries) == 6


def test_two_writers_of_one_row_both_count(database):
    """
    At REPEATABLE READ the second of two counters starts again from what the first committed.
    """
    registry = database.registry
    registry.run(lambda env: env["ir.config_parameter"].set_param("count", "0") and None)
    both_read = threading.Barrier(2)

    def count(env):
        value = int(env["ir.config_parameter"].get_param("count"))
        if not both_read.broken:
            with contextlib.suppress(threading.BrokenBarrierError):
                both_read.wait(5)
            both_read.abort()
        env["ir.config_parameter"].set_param("count", str(value + 1))

    threads = [threading.Thread(target=registry.run, args=(count,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert registry.run(lambda env: env["ir.config_parameter"].get_param("count")) == "2"


@pytest.mark.parametrize("level", [sql.READ_COMMITTED, sql.REPEATABLE_READ])
def test_two_that_wait_for_each_other_both_count(database, level):
    """
    Of two transactions in a deadlock PostgreSQL ends one, which is done anew after the other.
    """
    registry, tries = database.registry, []
    keys = ["first", "second"]
    registry.run(lambda env: [env["ir.config_parameter"].set_param(k, "0") for k in keys] and None)
    both_hold_one = threading.Barrier(2)

    def count(env, order):
        tries.append(order)
        for key in order:
            env.cr.execute(
                "UPDATE ir_config_parameter SET value = (value::int + 1)::text WHERE key = %s",
                (key,),
            )
            with contextlib.suppress(threading.BrokenBarrierError):
                both_hold_one.wait(5)
            both_hold_one.abort()

    threads = [
        threading.Thread(target=registry.run, args=(lambda env, o=order: count(env, o), level))
        for order in (keys, keys[::-1])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tries) > 2
    found = registry.run(lambda env: [env["ir.config_parameter"].get_param(k) for k in keys])
    assert found == ["2", "2"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"ttype": "many2one", "relation": "no.such"}, "no.such"),
        ({"ttype": "many2one"}, "res.partner.x_bad links to no model"),
        ({"ttype": "one2many", "relation": "res.partner", "relation_field": "x_no"}, "x_no"),
        ({"ttype": "char", "related": "parent_id.nope"}, "nope"),
        ({"ttype": "selection", "selection": "[('a'"}, "no expression"),
    ],
)
def test_manual_field_that_cannot_be_set_up_leaves_no_trace(database, values, message):
    """
    The registry works on after a custom field was refused, and takes the next one.
    """
    registry, partner = database.registry, "res.partner"

    def add(values):
        return registry.run(
            lambda env: env["ir.model.fields"].create({"model": partner, **values}).id
        )

    with pytest.raises(exceptions.CoreError, match=message):
        add({"name": "x_bad", **values})
    assert registry.run(lambda env: "x_bad" in env[partner]._fields) is False
    assert add({"name": "x_good", "ttype": "integer"})
    record = {"name": "a", "x_good": 7}
    assert registry.run(lambda env: env[partner].create(record).x_good) == 7
