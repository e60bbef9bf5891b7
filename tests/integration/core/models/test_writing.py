"""Creating, writing, unlinking; how few statements it takes, and who sees what waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from itertools import pairwise
from typing import Any

import pytest

from connector.core import api, fields, models
from connector.core.exceptions import MissingError, ValidationError


def declare() -> None:
    class Country(models.Model):
        _name = "writing.country"
        _order = "name"
        _sql_constraints = [("code_uniq", "unique(code)", "Two countries of one code.")]

        name = fields.Char(required=True)
        code = fields.Char()
        partner_ids = fields.One2many("writing.partner", "country_id")

    class Tag(models.Model):
        _name = "writing.tag"

        name = fields.Char(translate=True)
        partner_ids = fields.Many2many("writing.partner")

    class Partner(models.Model):
        _name = "writing.partner"
        _order = "name, id"

        name = fields.Char(required=True, index=True)
        ref = fields.Char(copy=False)
        active = fields.Boolean(default=True)
        credit = fields.Float(digits=(12, 2))
        country_id = fields.Many2one("writing.country")
        parent_id = fields.Many2one("writing.partner", ondelete="cascade")
        child_ids = fields.One2many("writing.partner", "parent_id")
        tag_ids = fields.Many2many("writing.tag")
        data = fields.Json()
        blob = fields.Binary()
        day = fields.Date()
        moment = fields.Datetime()
        kind = fields.Selection([("a", "A"), ("b", "B")], default="a")
        target = fields.Reference([("writing.tag", "Tag"), ("writing.country", "Country")])
        number = fields.Integer(default=lambda self: self._next_number())

        @api.model
        def _next_number(self) -> int:
            return 7

    class PartnerMore(models.Model):
        _inherit = "writing.partner"

        nickname = fields.Char(size=5)
        kind = fields.Selection(selection_add=[("c", "C")])

    class Binding(models.Model):
        _name = "writing.binding"
        _inherits = {"writing.partner": "openerp_id"}
        _sql_constraints = [("uniq", "unique(backend, external_id)", "Bound already.")]

        openerp_id = fields.Many2one("writing.partner", required=True, ondelete="cascade")
        backend = fields.Integer(required=True)
        external_id = fields.Char(required=True)

    class Left(models.Model):
        _name = "writing.left"

        right_id = fields.Many2one("writing.right")

    class Right(models.Model):
        _name = "writing.right"

        left_id = fields.Many2one("writing.left", required=True)


@contextmanager
def statements(env: Any, count: int) -> Iterator[None]:
    before = env.cr.statement_count
    yield
    assert env.cr.statement_count - before == count


def raw(env: Any, query: str, *params: Any) -> list[tuple[Any, ...]]:
    env.cr.execute(query, params)
    return list(env.cr.fetchall())


def test_a_thousand_creates_are_four_statements(env: Any) -> None:
    """
    Records created one by one get their ids in blocks and go out together.
    """
    partner = env["writing.partner"]
    env.cr.now()

    before = env.cr.statement_count
    for number in range(1000):
        partner.create({"name": f"P{number}"})
    env.flush()

    assert env.cr.statement_count - before <= 8
    assert raw(env, "SELECT count(*) FROM writing_partner") == [(1000,)]


def test_list_of_creates_is_two_statements(env: Any) -> None:
    """
    A list of dictionaries takes one statement for the ids and one for the rows.
    """
    env.cr.now()
    with statements(env, 2):
        made = env["writing.partner"].create([{"name": f"P{i}", "ref": str(i)} for i in range(50)])
        env.flush()

    assert made.mapped("ref") == [str(i) for i in range(50)]


def test_equal_values_are_not_sent(env: Any) -> None:
    """
    Writing what is there already sends nothing.
    """
    made = env["writing.partner"].create([{"name": f"P{i}", "credit": i} for i in range(20)])
    env.flush()

    with statements(env, 0):
        for number, record in enumerate(made):
            record.write({"name": f"P{number}", "credit": float(number), "country_id": False})
        env.flush()


def test_writes_of_many_records_are_one_statement(env: Any) -> None:
    """
    Different values of the same fields go out in one UPDATE.
    """
    made = env["writing.partner"].create([{"name": f"P{i}"} for i in range(50)])
    env.flush()

    with statements(env, 1):
        for number, record in enumerate(made):
            record.credit = number + 0.5
        env.flush()

    env.invalidate_all()
    assert made.mapped("credit") == [number + 0.5 for number in range(50)]


def test_every_reader_sees_what_waits(env: Any) -> None:
    """
    Search, raw SQL, copy_expert and a savepoint see a record that was created before.
    """
    partner = env["writing.partner"]
    partner.create({"name": "seen"})
    assert partner.search([("name", "=", "seen")]).name == "seen"

    partner.create({"name": "seen"})
    assert raw(env, "SELECT count(*) FROM writing_partner WHERE name = 'seen'") == [(2,)]

    partner.create({"name": "seen"})
    with env.cr.savepoint():
        assert not env.transaction.pending_rows
    assert partner.search_count([("name", "=", "seen")]) == 3


def test_savepoint_forgets_what_was_done_in_it(env: Any) -> None:
    """
    After a rollback to a savepoint, values, records and keys are as before it.
    """
    partner, binding = env["writing.partner"], env["writing.binding"]
    kept = partner.create({"name": "kept"})
    with pytest.raises(RuntimeError), env.cr.savepoint():
        kept.name = "changed"
        gone = partner.create({"name": "gone"})
        binding.create({"name": "b", "backend": 1, "external_id": "x"})
        raise RuntimeError

    assert kept.name == "kept"
    assert not gone.exists()
    assert not binding._lookup_by_key(("backend", "external_id"), (1, "x"))
    assert partner.search([("name", "in", ["changed", "gone"])]) == partner


def test_two_cursors_do_not_share(env: Any, open_env: Any) -> None:
    """
    What waits on one cursor is neither seen nor sent by another.
    """
    env["writing.partner"].create({"name": "mine"})
    with open_env() as other:
        assert other["writing.partner"].search_count([("name", "=", "mine")]) == 0
        other.flush()
        assert env.transaction.pending_rows == 1


def test_every_type_survives_the_table(env: Any) -> None:
    """
    A value reads the same before it is sent and after it comes back.
    """
    country = env["writing.country"].create({"name": "France"})
    values = {
        "name": 'tab\tnew\nline\\N "quoted" {brace} é',
        "ref": "NULL",
        "credit": 2.675,
        "data": {"a": [1, None, True, 'é"\\'], "b": {}},
        "blob": bytes(range(256)),
        "day": date(2026, 1, 31),
        "moment": datetime(2026, 1, 31, 23, 59, 59, 5),
        "kind": "c",
        "nickname": "12345",
        "number": -5,
    }
    for count in (1, 3, 9):  # VALUES, and COPY
        made = env["writing.partner"].create(
            [{**values, "country_id": country.id, "target": f"writing.country,{country.id}"}]
            * count
        )
        for _ in range(2):
            for record in made:
                assert {name: record[name] for name in values} == {**values, "credit": 2.68}
                assert record.country_id == country
                assert record.target == country
            env.invalidate_all()


def test_nothing_reads_as_nothing(env: Any) -> None:
    """
    A field without value is False, 0, or no records.
    """
    record = env["writing.partner"].create({"name": "x", "number": None, "kind": False})
    for _ in range(2):
        assert (record.ref, record.day, record.data, record.blob, record.kind) == (False,) * 5
        assert (record.number, record.credit) == (0, 0.0)
        assert not record.country_id
        assert not record.target
        env.invalidate_all()


def test_text_in_other_forms_is_accepted(env: Any) -> None:
    """
    Dates come as text, datetimes with a zone, and both are kept in UTC.
    """
    record = env["writing.partner"].create({"name": "x", "day": "2026-01-31"})
    record.moment = "2026-01-31T12:00:00+02:00"
    assert record.day == date(2026, 1, 31)
    assert record.moment == datetime(2026, 1, 31, 10)
    record.nickname = "longer than five"
    assert record.nickname == "longe"


def test_inherits_writes_through(env: Any) -> None:
    """
    A binding makes its record, reads and writes its fields, and goes with it.
    """
    binding = env["writing.binding"].create({"name": "p", "backend": 1, "external_id": "0"})
    partner = binding.openerp_id
    assert (binding.name, partner.name, partner.number) == ("p", "p", 7)

    binding.write({"name": "q", "external_id": "1"})
    assert partner.name == "q"
    assert env["writing.binding"].search([("name", "=", "q")]) == binding

    other = env["writing.binding"].create(
        {"openerp_id": partner.id, "backend": 2, "external_id": "1", "name": "r"}
    )
    assert (other.openerp_id, binding.name) == (partner, "r")
    partner.unlink()
    assert not (binding | other).exists()


def test_commands_of_one2many(env: Any) -> None:
    """
    Every command does to the lines what it says.
    """
    root = env["writing.partner"].create(
        {"name": "root", "child_ids": [(0, 0, {"name": "a"}), (0, 0, {"name": "b"})]}
    )
    first, second = root.child_ids
    stranger = env["writing.partner"].create({"name": "c"})

    root.write({"child_ids": [(1, first.id, {"name": "a2"}), (4, stranger.id)]})
    assert root.child_ids.mapped("name") == ["a2", "b", "c"]
    root.child_ids = [(2, second.id)]
    assert root.child_ids == first | stranger
    assert not second.exists()
    root.child_ids = stranger  # the inverse cascades, so what is taken out is deleted
    assert root.child_ids == stranger
    assert not first.exists()


def test_commands_of_many2many(env: Any) -> None:
    """
    Links are added and taken away; both sides show them.
    """
    tags = env["writing.tag"].create([{"name": name} for name in "abc"])
    record = env["writing.partner"].create({"name": "x", "tag_ids": [(6, 0, tags[:2].ids)]})
    assert record.tag_ids == tags[:2]
    assert tags[0].partner_ids == record

    record.write({"tag_ids": [(4, tags[2].id), (3, tags[0].id), (0, 0, {"name": "d"})]})
    assert record.tag_ids.mapped("name") == ["b", "c", "d"]
    assert not tags[0].partner_ids
    env.invalidate_all()
    assert record.tag_ids.mapped("name") == ["b", "c", "d"]
    record.tag_ids = [(5,)]
    assert raw(env, "SELECT count(*) FROM writing_partner_writing_tag_rel") == [(0,)]


def test_archived_lines_are_hidden(env: Any) -> None:
    """
    An archived record is left out of searches and x2many, unless active_test is off.
    """
    root = env["writing.partner"].create(
        {"name": "root", "child_ids": [(0, 0, {"name": "on"}), (0, 0, {"name": "off"})]}
    )
    root.child_ids[0].active = False
    assert len(root.child_ids) == 1
    assert len(root.with_context(active_test=False).child_ids) == 2
    assert env["writing.partner"].search_count([("parent_id", "=", root.id)]) == 1
    assert env["writing.partner"].search_count([("active", "in", [True, False])]) == 3


def test_circle_of_links_is_inserted(env: Any) -> None:
    """
    Two new records that link to each other go out, the optional link by an update.
    """
    left = env["writing.left"].create({})
    right = env["writing.right"].create({"left_id": left.id})
    left.right_id = right
    env.flush()

    assert raw(env, "SELECT right_id FROM writing_left WHERE id = %s", left.id) == [(right.id,)]


def test_translations_are_kept_by_language(env: Any) -> None:
    """
    A translated field has a value per language, and the source's where there is none.
    """
    tag = env["writing.tag"].create({"name": "Red"})
    tag.with_context(lang="fr_FR").name = "Rouge"
    for _ in range(2):
        assert tag.name == "Red"
        assert tag.with_context(lang="fr_FR").name == "Rouge"
        assert tag.with_context(lang="de_DE").name == "Red"
        env.invalidate_all()
    found = env["writing.tag"].with_context(lang="fr_FR").search([("name", "ilike", "roug")])
    assert found == tag


def test_log_columns_tell_who_and_when(env: Any) -> None:
    """
    create and write note the user and the moment of the transaction.
    """
    record = env["writing.partner"].create({"name": "x"})
    assert record.create_uid.id == record.write_uid.id == 1
    assert record.create_date == env.cr.now()
    env.cr.execute("UPDATE writing_partner SET write_uid = NULL, write_date = NULL")
    env.invalidate_all()
    record.name = "y"
    env.invalidate_all()
    assert (record.write_uid.id, record.write_date) == (1, env.cr.now())


def test_copy_leaves_out_what_is_not_copied(env: Any) -> None:
    """
    A duplicate has the fields that are copied, links included, and its own values.
    """
    tag = env["writing.tag"].create({"name": "t"})
    record = env["writing.partner"].create(
        {"name": "x", "ref": "R", "tag_ids": [(4, tag.id)], "data": {"a": 1}, "kind": "b"}
    )
    twin = record.copy({"name": "y"})
    assert (twin.name, twin.ref, twin.kind, twin.data) == ("y", False, "b", {"a": 1})
    assert twin.tag_ids == tag


def test_write_on_a_deleted_record_is_told_at_the_flush(env: Any) -> None:
    """
    The error names the record that is gone.
    """
    record = env["writing.partner"].create({"name": "x"})
    env.flush()
    env.cr.execute("DELETE FROM writing_partner WHERE id = %s", (record.id,))
    record.name = "y"
    with pytest.raises(MissingError, match=rf"writing.partner\({record.id}\)"):
        env.flush()
    env.clear()


def test_keys_are_answered_from_memory(env: Any) -> None:
    """
    A prefetched key, found or missed, takes no statement; forget_key makes it be asked again.
    """
    binding = env["writing.binding"]
    made = binding.create(
        [{"name": f"b{i}", "backend": 1, "external_id": str(i)} for i in range(10)]
    )
    env.invalidate_all()
    names = ("external_id", "backend")
    with statements(env, 1):
        found = binding._prefetch_keys(names, [(str(i), 1) for i in range(20)])
    assert found == made
    with statements(env, 0):
        assert binding.search([("backend", "=", 1), ("external_id", "=", "3")]) == made[3]
        assert binding._lookup_by_key(names, ("4", 1)).external_id == "4"
        assert not binding._lookup_by_key(names, ("15", 1))
    env.transaction.forget_key("writing.binding", {"backend": 1, "external_id": "15"})
    with statements(env, 1):
        assert not binding._lookup_by_key(names, ("15", 1))


def test_keys_follow_writes(env: Any) -> None:
    """
    A key that is written, and one that is left, are known without asking the table.
    """
    binding, names = env["writing.binding"], ("backend", "external_id")
    record = binding.create({"name": "b", "backend": 1, "external_id": "old"})
    assert binding._lookup_by_key(names, (1, "old")) == record
    record.external_id = "new"
    assert binding._lookup_by_key(names, (1, "new")) == record
    assert not binding._lookup_by_key(names, (1, "old"))
    env.flush()
    env.invalidate_all()
    record.external_id = "blind"
    assert not binding._lookup_by_key(names, (1, "new"))
    record.unlink()
    assert not binding._lookup_by_key(names, (1, "blind"))


def test_commit_of_another_is_seen_by_the_next_search(open_env: Any) -> None:
    """
    At READ COMMITTED a search by key that found nothing asks again.
    """
    domain = [("backend", "=", 5), ("external_id", "=", "x")]
    with open_env("read committed") as one, open_env("read committed") as two:
        assert not one["writing.binding"].search(domain)
        made = two["writing.binding"].create({"name": "b", "backend": 5, "external_id": "x"})
        two.cr.commit()
        assert one["writing.binding"].search(domain).ids == made.ids
        made.openerp_id.unlink()
        two.cr.commit()


def test_reading_takes_growing_slices(env: Any) -> None:
    """
    Attributes of many records are read by slices, each twice as long up to 4,000, and linked
    records with them.
    """
    country = env["writing.country"].create({"name": "F"})
    env["writing.partner"].create(
        [{"name": f"P{i}", "country_id": country.id} for i in range(2500)]
    )
    env.invalidate_all()
    found = env["writing.partner"].search([])
    with statements(env, 3):
        assert {(p.name[0], p.kind, p.country_id.name) for p in found} == {("P", "a", "F")}


def test_a_long_loop_reads_what_it_asks_for(env: Any) -> None:
    """
    The first slice brings all columns, the later ones those that were asked for so far.
    """
    made = env["writing.partner"].create([{"name": f"P{i}", "ref": f"R{i}"} for i in range(4000)])
    env.flush()
    env.clear()
    records = list(made)
    with statements(env, 3):
        assert [record.name for record in records] == [f"P{i}" for i in range(4000)]
    with statements(env, 0):
        assert records[999].ref == "R999"
    with statements(env, 1):
        assert [record.ref for record in records[1000:3000]] == [f"R{i}" for i in range(1000, 3000)]


def test_slices_of_a_long_loop_keep_what_waits(env: Any) -> None:
    """
    A value assigned before its slice is read stays, whatever is read around it.
    """
    made = env["writing.partner"].create([{"name": f"P{i}"} for i in range(4000)])
    env.invalidate_all()
    made[2500].name, made[2501].ref = "new", "waits"
    names = [(record.name, record.ref) for record in made]
    assert names[2500:2502] == [("new", False), ("P2501", "waits")]
    assert names[3999] == ("P3999", False)


def test_unlink_empties_links(env: Any) -> None:
    """
    Records that linked to a deleted one link to none, also in the cache.
    """
    country = env["writing.country"].create({"name": "F"})
    partner = env["writing.partner"].create({"name": "x", "country_id": country.id})
    assert country.partner_ids == partner
    country.unlink()
    assert not partner.country_id
    assert not country.exists()


def test_exists_and_missing(env: Any) -> None:
    """
    exists() leaves out what is gone, and reading it raises.
    """
    partner = env["writing.partner"].create({"name": "x"})
    ghost = env["writing.partner"].browse(10**8)
    assert (partner | ghost).exists() == partner
    with pytest.raises(MissingError, match="does not exist"):
        ghost.name  # noqa: B018 - reading is the test


def test_forgotten_key_is_read_anew(open_env: Any) -> None:
    """
    After forget_key the values of the record are those that others have committed since.
    """
    names, key = ("backend", "external_id"), (9, "x")
    with open_env("read committed") as one, open_env("read committed") as two:
        made = one["writing.binding"].create({"name": "a", "backend": 9, "external_id": "x"})
        one.cr.commit()
        assert one["writing.binding"]._lookup_by_key(names, key).name == "a"
        two["writing.binding"].browse(made.id).write({"name": "b"})
        two.cr.commit()
        assert one["writing.binding"]._lookup_by_key(names, key).name == "a"
        one.transaction.forget_key("writing.binding", dict(zip(names, key, strict=True)))
        assert one["writing.binding"]._lookup_by_key(names, key).name == "b"
        made.openerp_id.unlink()
        one.cr.commit()


def test_failed_first_use_of_a_prepared_statement_is_no_trap(env: Any) -> None:
    """
    A statement whose first run fails is prepared anew, whether it was kept or not.
    """
    country = env["writing.country"]
    country.create([{"name": "a", "code": "1"}, {"name": "b", "code": "2"}])
    env.flush()
    for _ in range(3):
        with pytest.raises(ValidationError, match="Two countries"), env.cr.savepoint():
            country.create({"name": "c", "code": "1"})
    country.create({"name": "c", "code": "3"})
    env.flush()
    assert country.search_count([]) == 3


def test_cache_does_not_grow_without_end(env: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Values beyond the limit are forgotten, and read again where they are asked for.
    """
    monkeypatch.setattr("connector.core.models.cache.CACHE_ROWS", 2000)
    monkeypatch.setattr("connector.core.models.reading.CACHE_ROWS", 2000)
    made = env["writing.partner"].create([{"name": f"P{i}"} for i in range(5000)])
    env.flush()
    assert not env.transaction.values[made._fields["name"]]
    assert [record.name for record in made] == [f"P{i}" for i in range(5000)]
    assert len(env.transaction.values[made._fields["name"]]) <= 3000


def test_keys_change_hands_in_order(env: Any) -> None:
    """
    A key that one record gives up may be taken by another, older, newer or just made.
    """
    country = env["writing.country"]
    old, new = country.create([{"name": "a", "code": "1"}, {"name": "b", "code": "2"}])
    env.flush()
    new.code = "3"
    old.code = "2"
    made = country.create({"name": "c", "code": "1"})
    env.flush()
    env.invalidate_all()
    assert [record.code for record in (old, new, made)] == ["2", "3", "1"]


def test_error_in_a_flush_loses_nothing_else(env: Any) -> None:
    """
    What was not sent because another row is gone still waits.
    """
    gone = env["writing.partner"].create({"name": "gone"})
    country = env["writing.country"].create({"name": "France"})
    env.flush()
    env.cr.execute("DELETE FROM writing_partner WHERE id = %s", (gone.id,))
    gone.name = "x"
    country.name = "Francia"
    with pytest.raises(MissingError):
        env.flush()
    with pytest.raises(MissingError):
        env.flush()
    assert country.id in env.transaction.dirty[country._fields["name"]]
    env.clear()
    assert country.name == "France"


def test_inherited_fields_are_read_together(env: Any) -> None:
    """
    Reading through a binding takes one statement per model, not one per record.
    """
    countries = env["writing.country"].create([{"name": f"C{i}"} for i in range(30)])
    made = env["writing.binding"].create(
        [
            {"name": f"b{i}", "backend": 1, "external_id": str(i), "country_id": countries[i].id}
            for i in range(30)
        ]
    )
    env.invalidate_all()
    with statements(env, 3):
        assert [b.name for b in made] == [f"b{i}" for i in range(30)]
        assert [b.country_id.name for b in made] == [f"C{i}" for i in range(30)]


def test_long_hierarchies_can_be_climbed(env: Any) -> None:
    """
    A walk of thousands of links, each read for itself, ends.
    """
    partner = env["writing.partner"]
    ids = partner.create([{"name": f"P{i}"} for i in range(3000)]).ids
    for below, above in pairwise(ids):
        partner.browse(below).parent_id = above
    env.invalidate_all()
    steps, record = 0, partner.browse(ids[0])
    while record.parent_id:
        record, steps = record.parent_id, steps + 1
    assert steps == 2999
    assert partner.browse(ids[0])._check_recursion()
