"""How few statements reading and importing take, and that what makes them few stays right."""

from __future__ import annotations

from typing import Any

import pytest

from connector.core import fields, models
from connector.core.exceptions import AccessError
from connector.core.models import found

KEY = ("backend", "external_id")


def declare() -> None:
    class Partner(models.Model):
        _name = "speed.partner"

        name = fields.Char(required=True)
        credit = fields.Float()

    class Binding(models.Model):
        _name = "speed.binding"
        _sql_constraints = [("uniq", "unique(backend, external_id)", "Bound twice.")]

        partner_id = fields.Many2one("speed.partner", required=True, ondelete="cascade")
        backend = fields.Integer(required=True)
        external_id = fields.Char(required=True)
        note = fields.Char()

    class Word(models.Model):
        _name = "speed.word"
        _sql_constraints = [("uniq", "unique(word)", "There are two of the word.")]

        word = fields.Char(translate=True)


def bound(env: Any, count: int) -> Any:
    """Partners with bindings, stored, and forgotten by the cache."""
    partners = env["speed.partner"].create([{"name": f"P{n}"} for n in range(count)])
    bindings = env["speed.binding"].create(
        [
            {"partner_id": partner.id, "backend": 1, "external_id": str(n), "note": f"N{n}"}
            for n, partner in enumerate(partners)
        ]
    )
    env.invalidate_all()
    return bindings


def find(env: Any, external_id: str) -> Any:
    return env["speed.binding"].search([("backend", "=", 1), ("external_id", "=", external_id)])


def ordinary(env: Any, *, may_read: bool = True) -> Any:
    """The environment of a user whose only group gives rights on the models."""
    group = env["res.groups"].create({"name": "Speed"})
    for model in env["ir.model"].search([("model", "=like", "speed.%")]):
        perms = {f"perm_{mode}": True for mode in ("write", "create", "unlink")}
        env["ir.model.access"].create(
            {
                "name": model.model,
                "model_id": model.id,
                "group_id": group.id,
                "perm_read": may_read,
                **perms,
            }
        )
    user = env["res.users"].create(
        {"name": "Speed", "login": "speed", "groups_id": [(4, group.id)]}
    )
    env.flush()
    return env(user=user.id)


def test_a_record_found_by_its_key_is_read_with_it(env: Any) -> None:
    """
    Searching by a natural key and reading the record is one statement.
    """
    bound(env, 3)
    before = env.cr.statement_count

    assert find(env, "1").note == "N1"

    assert env.cr.statement_count == before + 1


def test_prefetched_keys_are_read_together(env: Any) -> None:
    """
    After prefetching keys, the links of all the records found are read in one statement.
    """
    bound(env, 50)
    env["speed.binding"]._prefetch_keys(KEY, [(1, str(n)) for n in range(60)])
    before = env.cr.statement_count

    names = [find(env, str(n)).partner_id.name for n in range(60)]

    assert names == [f"P{n}" for n in range(50)] + [False] * 10
    assert env.cr.statement_count == before + 1


def test_a_page_of_imports_sends_as_many_statements_as_kinds_of_row(env: Any) -> None:
    """
    Ordinary code for one record, run for a page whose keys were prefetched, is few statements.
    """
    bound(env, 50)
    env.cr.now()
    before = env.cr.statement_count

    env["speed.binding"]._prefetch_keys(KEY, [(1, str(n)) for n in range(100)])
    for number in range(100):
        binding = find(env, str(number))
        if binding:
            if binding.partner_id.name != f"P{number % 25}":
                binding.partner_id.write({"name": f"P{number % 25}"})
        else:
            partner = env["speed.partner"].create({"name": f"P{number}"})
            env["speed.binding"].create(
                {"partner_id": partner.id, "backend": 1, "external_id": str(number)}
            )
    env.flush()

    # Prefetch, read, two inserts, one update; ids are reserved in blocks of 1, 4, 16, 64.
    assert env.cr.statement_count - before <= 5 + 2 * 4
    env.invalidate_all()
    assert find(env, "99").partner_id.name == "P99"
    assert find(env, "30").partner_id.name == "P5"


def test_a_page_looked_up_earlier_is_not_read_after_a_rollback(env: Any) -> None:
    """
    What was looked up together is forgotten with the savepoint that is undone.
    """
    bound(env, 2)
    with pytest.raises(ZeroDivisionError), env.cr.savepoint():
        bound_again = env["speed.partner"].create({"name": "Late"})
        env["speed.binding"].create(
            {"partner_id": bound_again.id, "backend": 1, "external_id": "late"}
        )
        env["speed.binding"]._prefetch_keys(KEY, [(1, "late"), (1, "0")])
        assert find(env, "late")
        raise ZeroDivisionError

    assert not find(env, "late")
    assert find(env, "0").partner_id.name == "P0"


def test_rights_are_asked_for_once_a_transaction(env: Any) -> None:
    """
    An ordinary user's reads and writes ask nothing about rights or rules after the first one.
    """
    bound(env, 10)
    mine = ordinary(env)
    partners = mine["speed.partner"].search([])
    partners.mapped("name")
    partners[0].write({"credit": 1.0})
    before = env.cr.statement_count

    for partner in partners:
        partner.write({"credit": 2.0})
        partner.name  # noqa: B018 - reading asks for rights

    assert env.cr.statement_count == before


def test_a_rule_made_later_holds_at_once(env: Any) -> None:
    """
    A rule written after the user was found unrestricted restricts him in the same transaction.
    """
    bound(env, 2)
    mine = ordinary(env)
    first, second = mine["speed.partner"].search([], order="name")
    first.write({"credit": 1.0})
    model = env["ir.model"].search([("model", "=", "speed.partner")])

    env["ir.rule"].create(
        {"name": "P1 only", "model_id": model.id, "domain_force": "[('name', '=', 'P1')]"}
    )

    with pytest.raises(AccessError, match="rule"):
        first.write({"credit": 2.0})
    second.write({"credit": 2.0})
    assert mine["speed.partner"].search([]) == second


def test_rights_taken_away_are_gone_at_once(env: Any) -> None:
    """
    Access that is withdrawn in the transaction is withdrawn for its next write.
    """
    bound(env, 1)
    mine = ordinary(env)
    partner = mine["speed.partner"].search([])
    partner.write({"credit": 1.0})

    env["ir.model.access"].search([("name", "=", "speed.partner")]).write({"perm_write": False})

    with pytest.raises(AccessError, match="may not write"):
        partner.write({"credit": 2.0})


def test_a_column_that_came_along_is_right_when_it_is_asked_for(env: Any) -> None:
    """
    Whatever happens between a row's reading and the first look at a column, the look is right.
    """
    partners = env["speed.partner"].create([{"name": f"P{n}", "credit": n} for n in range(4)])
    env.cr.commit()
    assert partners[0].name == "P0"  # the credits came along

    partners[1].write({"credit": 10.0})
    env.cr.execute("UPDATE speed_partner SET credit = 20 WHERE id = %s", (partners[2].id,))
    env.invalidate([(partners._fields["credit"], [partners[2].id])])
    with pytest.raises(ZeroDivisionError), env.cr.savepoint():
        partners[3].write({"credit": 30.0})
        raise ZeroDivisionError

    assert partners.mapped("credit") == [0.0, 10.0, 20.0, 3.0]
    before = env.cr.statement_count
    partners.write({"credit": 20.0})
    partners[2].write({"credit": 20.0})
    env.flush()
    assert env.cr.statement_count == before + 1
    env.cr.rollback()
    assert partners.mapped("credit") == [0.0, 1.0, 2.0, 3.0]
    partners.unlink()
    env.cr.commit()


@pytest.mark.parametrize("missing", [(), (1,), (0, 4)])
def test_rows_are_those_asked_for_with_gaps_and_without(env: Any, missing: tuple[int]) -> None:
    """
    Records whose ids follow each other are read as a range, and no others are.
    """
    partners = env["speed.partner"].create([{"name": f"P{n}"} for n in range(5)])
    chosen = partners.browse([p.id for n, p in enumerate(partners) if n not in missing])
    env.invalidate_all()

    names = chosen.mapped("name")

    assert names == [f"P{n}" for n in range(5) if n not in missing]
    assert set(env.cache[partners._fields["name"]]) == set(chosen.ids)


def test_a_translated_text_is_no_natural_key(env: Any) -> None:
    """
    A text that is unique in each language is found like any other, by the caller's language.
    """
    made = env["speed.word"].create({"word": "one"})
    env.flush()
    env.invalidate_all()

    assert env["speed.word"].search([("word", "=", "one")]) == made
    assert not env["speed.word"].search([("word", "=", "two")])


def test_very_many_records_are_records_like_others(env: Any, monkeypatch: Any) -> None:
    """
    A search that finds so many that their ids are packed gives a recordset as any other.
    """
    made = env["speed.partner"].create([{"name": f"P{n}"} for n in range(7)])
    env.flush()
    monkeypatch.setattr(found, "ROWS_AT_ONCE", 3)

    many = env["speed.partner"].search([], order="id")

    assert isinstance(many._ids, found.FoundIds)
    assert env["speed.partner"].search([("name", "like", "P")], order="id").ids == many.ids
    assert env["speed.partner"].search([], order="id desc").ids == many.ids[::-1]
    assert env["speed.partner"].search([], limit=5).ids == many.ids[:5]
    assert env["speed.partner"].search([], offset=5).ids == many.ids[5:]
    assert (many, many.ids, len(many), many[1:3]) == (made, made.ids, 7, made[1:3])
    assert many.mapped("name") == [f"P{n}" for n in range(7)]
    assert many.sudo().with_context(a=1).filtered(lambda r: r.name == "P5") == made[5]
    assert many - made[:5] == made[5:]
    assert many | made == many & made == made
    assert made[6] in many
    assert many.sorted("name", reverse=True)[0] == made[6]
    many.write({"credit": 2.0})
    assert env["speed.partner"].search_count([("credit", "=", 2.0)]) == 7
    assert many.exists() == made
    assert [row["id"] for row in many.read(["name"])] == made.ids
    many.unlink()
    assert not env["speed.partner"].search([])


@pytest.mark.parametrize(
    "keys",
    [
        [(1, "0")],
        [(1, "0"), (1, "1"), (1, 'qu"ote'), (1, "back\\slash"), (1, "{comma,brace}")],
        [(1, "0"), (2, "0")],
        [(1, "0"), (2, "1"), (2, "x")],
        [(1, "none"), (2**40, "0")],
    ],
)
def test_keys_are_found_in_whichever_columns_they_differ(
    env: Any, keys: list[tuple[int, str]]
) -> None:
    """
    Looked up together, keys give what searching for each of them gives, in one statement.
    """
    partner = env["speed.partner"].create({"name": "P"})
    env["speed.binding"].create(
        [
            {"partner_id": partner.id, "backend": backend, "external_id": external_id}
            for backend in (1, 2)
            for external_id in ("0", "1", 'qu"ote', "back\\slash", "{comma,brace}")
        ]
    )
    env.flush()
    binding = env["speed.binding"].with_context(other=True)
    alone = [
        binding.search([("backend", "=", b), ("external_id", "like", e), ("id", "!=", 0)])
        for b, e in [(b, e.replace("\\", "\\\\")) for b, e in keys]
    ]
    env.invalidate_all()
    before = env.cr.statement_count

    together = binding._prefetch_keys(KEY, keys)

    assert env.cr.statement_count == before + 1
    assert together == binding.union(*alone)
    assert [find(env, e) if b == 1 else None for b, e in keys] == [
        record if b == 1 else None for record, (b, _) in zip(alone, keys, strict=True)
    ]


def test_each_operation_takes_a_fixed_number_of_statements(env: Any) -> None:
    """
    However many records there are, what is done with them is few statements.
    """
    cr, partner, count = env.cr, env["speed.partner"], 2_500
    cr.now()
    taken: dict[str, int] = {}

    def note(what: str) -> None:
        env.flush()
        taken[what] = cr.statement_count - sum(taken.values()) - began
        env.transaction.forget_values()

    began = cr.statement_count
    made = partner.create([{"name": f"P{n}"} for n in range(count)])
    note("create many: ids, rows")
    for n in range(count):
        partner.create({"name": f"P{n}"})
    note("create one by one: ids in blocks up to 1,000, rows")
    for record in partner.browse(made.ids):
        record.name, record.credit, record.display_name  # noqa: B018 - reading is counted
    note("browse and read three fields: 1,000, 2,000 and then 4,000 at a time")
    for n, record in enumerate(partner.browse(made.ids)):
        record.credit = n + 0.5
    note("write one by one")
    for record in partner.browse(made.ids):
        record.write({"credit": 7.0, "name": "Same"})
    note("write the same on all, one by one")
    partner.search([("credit", "=", 7.0)]).mapped("name")
    note("search and read")

    assert taken == {
        "create many: ids, rows": 2,
        "create one by one: ids in blocks up to 1,000, rows": 4,
        "browse and read three fields: 1,000, 2,000 and then 4,000 at a time": 2,
        "write one by one": 1,
        "write the same on all, one by one": 1,
        "search and read": 3,
    }
