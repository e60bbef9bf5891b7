"""Rights and rules hold for every user but the superuser, cache or no cache."""

from __future__ import annotations

from typing import Any

import pytest

from connector.core import fields, models
from connector.core.exceptions import AccessError, MissingError


def declare() -> None:
    class Document(models.Model):
        _name = "rights.document"
        _natural_keys = [("code",)]

        name = fields.Char()
        code = fields.Char()
        owner_id = fields.Many2one("res.users")
        secret = fields.Char(groups="base.group_system")
        folder_id = fields.Many2one("rights.folder")
        before_id = fields.Many2one("rights.document")
        hint = fields.Char(related="before_id.secret")
        shout = fields.Char(compute="_compute_shout", groups="base.group_system")

        length = fields.Integer(compute="_compute_shout")

        def _compute_shout(self) -> None:
            for document in self:
                document.shout = (document.name or "").upper()
                document.length = len(document.shout)

    class Folder(models.Model):
        _name = "rights.folder"

        name = fields.Char()
        document_ids = fields.One2many("rights.document", "folder_id")

    class Link(models.Model):
        _name = "rights.link"
        _inherits = {"rights.document": "document_id"}

        document_id = fields.Many2one("rights.document", required=True, ondelete="cascade")

    class Wizard(models.TransientModel):
        _name = "rights.wizard"

        name = fields.Char()


MODELS = ["rights.document", "rights.folder", "rights.link"]


@pytest.fixture
def group(env: Any) -> Any:
    return env["res.groups"].create({"name": "Readers of documents"})


@pytest.fixture
def user(env: Any, group: Any) -> Any:
    return env["res.users"].create(
        {"name": "Ann", "login": "ann", "groups_id": [(6, 0, [group.id])]}
    )


def give(env: Any, group: Any, **modes: bool) -> Any:
    """Give the group rights on the models of this module."""
    found = env["ir.model"].search([("model", "in", MODELS)])
    perms = {f"perm_{mode}": True for mode, given in modes.items() if given}
    return env["ir.model.access"].create(
        [{"name": m.model, "model_id": m.id, "group_id": group.id, **perms} for m in found]
    )


def rule(env: Any, domain: str, **values: Any) -> Any:
    model = env["ir.model"].search([("model", "=", "rights.document")])
    return env["ir.rule"].create({"model_id": model.id, "domain_force": domain, **values})


@pytest.fixture(autouse=True)
def _models_are_known(env: Any) -> None:
    assert env["ir.model"].search_count([("model", "in", MODELS)]) == len(MODELS)


def test_without_rights_nothing_is_allowed(env: Any, user: Any) -> None:
    """
    Every call raises, a reading from the cache too; the error names user, model and remedy.
    """
    document = env["rights.document"].create({"name": "d"})
    assert document.name == "d"
    mine = document.sudo(user)
    with pytest.raises(AccessError, match=r"may not read .*'rights.document'.*ir.model.access"):
        mine.name  # noqa: B018 - reading is the test
    for call in (
        lambda: mine.read(["name"]),
        lambda: mine.search([]),
        lambda: mine.write({"name": "x"}),
        lambda: mine.create({"name": "x"}),
        lambda: mine.unlink(),
    ):
        with pytest.raises(AccessError):
            call()
    assert document.name == "d"


def test_rights_are_given_by_group(env: Any, user: Any, group: Any) -> None:
    """
    A right that is given, or taken away, counts from then on.
    """
    document = env["rights.document"].create({"name": "d"})
    rights = give(env, group, read=True)
    mine = document.sudo(user)
    assert (mine.name, mine.search([])) == ("d", mine)
    with pytest.raises(AccessError, match="may not write"):
        mine.name = "x"
    rights.unlink()
    with pytest.raises(AccessError):
        mine.name  # noqa: B018


def test_rights_given_to_all(env: Any, user: Any) -> None:
    """
    A row without a group is for everybody.
    """
    model = env["ir.model"].search([("model", "=", "rights.document")])
    env["ir.model.access"].create({"name": "all", "model_id": model.id, "perm_create": True})
    document = env["rights.document"].sudo(user)
    assert document.create({"name": "x"}).id
    with pytest.raises(AccessError):
        document.search([])


def test_rule_hides_records(env: Any, user: Any, group: Any) -> None:
    """
    What a rule hides is not found, not read from the cache, not written, not linked.
    """
    give(env, group, read=True, write=True, create=True, unlink=True)
    rule(env, "[('owner_id', '=', user.id)]")
    folder = env["rights.folder"].create({"name": "f"})
    own, foreign = env["rights.document"].create(
        [
            {"name": "own", "code": "1", "owner_id": user.id, "folder_id": folder.id},
            {"name": "foreign", "code": "2", "owner_id": 1, "folder_id": folder.id},
        ]
    )
    assert foreign.name == "foreign"
    document = env["rights.document"].sudo(user)
    assert document.search([]) == own
    assert document.search([("code", "=", "2")]) == document
    assert document.search_count([]) == 1
    assert folder.sudo(user).document_ids == own
    assert env["rights.folder"].sudo(user).search([("document_ids.name", "=", "foreign")]).ids == []
    hidden = foreign.sudo(user)
    for call in (
        lambda: hidden.name,
        lambda: hidden.write({"name": "x"}),
        lambda: hidden.unlink(),
        lambda: document.create({"name": "x", "owner_id": 1}),
        lambda: own.sudo(user).write({"owner_id": 1}),
    ):
        with pytest.raises(AccessError, match="ir.rule"):
            call()
    with pytest.raises(MissingError):
        document.browse(10**8).read(["name"])


def test_rules_of_groups_add_up_and_global_ones_restrict(env: Any, user: Any, group: Any) -> None:
    """
    One of the groups' rules has to hold, and all of the global ones.
    """
    give(env, group, read=True)
    groups = [(6, 0, [group.id])]
    rule(env, "[('name', '=', 'a')]", groups=groups)
    rule(env, "[('name', 'like', 'b')]", groups=groups)
    rule(env, "[('code', '!=', 'no')]")
    made = env["rights.document"].create(
        [{"name": "a"}, {"name": "bb"}, {"name": "c"}, {"name": "b", "code": "no"}]
    )
    assert made[0].sudo(user).search([]) == made[:2]


def test_rule_of_the_parent_holds_for_the_child(env: Any, user: Any, group: Any) -> None:
    """
    A record is hidden with the ``_inherits`` parent that it shows.
    """
    give(env, group, read=True)
    rule(env, "[('name', '=', 'a')]")
    seen, hidden = env["rights.link"].create([{"name": "a"}, {"name": "b"}])
    assert hidden.name == "b"
    assert env["rights.link"].sudo(user).search([]) == seen
    with pytest.raises(AccessError):
        hidden.sudo(user).name  # noqa: B018


def test_field_of_a_group(env: Any, user: Any, group: Any) -> None:
    """
    A field with groups is read by their users alone.
    """
    give(env, group, read=True)
    document = env["rights.document"].create({"secret": "s"})
    assert document.secret == "s"
    with pytest.raises(AccessError, match="base.group_system"):
        document.sudo(user).secret  # noqa: B018
    with pytest.raises(AccessError, match="base.group_system"):
        document.sudo(user).filtered_domain([("secret", "=", "s")])
    give(env, group, write=True, create=True)
    with pytest.raises(AccessError, match="may not write"):
        document.sudo(user).secret = "t"
    with pytest.raises(AccessError, match="base.group_system"):
        document.sudo(user).create({"secret": "t"})


def test_field_of_a_group_made_with_one_for_all(env: Any, user: Any, group: Any) -> None:
    """
    One method makes a field of a group and one for all: reading the second opens not the first.
    """
    give(env, group, read=True)
    document = env["rights.document"].create({"name": "abc"})
    assert document.sudo(user).length == 3
    with pytest.raises(AccessError, match="base.group_system"):
        document.sudo(user).shout  # noqa: B018
    assert document.sudo(user).length == 3
    assert document.shout == "ABC"


def test_field_of_a_group_is_not_searched(env: Any, user: Any, group: Any) -> None:
    """
    Neither a search nor an order, directly, by a path or a related field, tells of its values.
    """
    give(env, group, read=True)
    mine = env["rights.document"].with_env(env(user=user.id))
    for domain in (
        [("secret", "=like", "s%")],
        [("folder_id.document_ids.secret", "!=", False)],
        [("hint", "=", "s")],
    ):
        with pytest.raises(AccessError, match=r"rights\.document\.(secret|hint).*group_system"):
            mine.search(domain)
    with pytest.raises(AccessError, match=r"secret.*group_system"):
        mine.search([], order="name, secret desc")
    document = env["rights.document"].create({"name": "d", "secret": "s"})
    document.before_id = document
    for name in ("hint", "shout"):
        with pytest.raises(AccessError, match=rf"{name}.*group_system"):
            assert mine.browse(document.id)[name]
    rule(env, "[('secret', '=', False)]")
    assert document.id not in mine.search([]).ids


def test_conditions_on_links_need_the_right_to_read(env: Any, user: Any, group: Any) -> None:
    """
    A condition on the fields or the name of linked records asks for the right to read them.
    """
    give(env, group, read=True)
    folder = env["rights.folder"].create({"name": "f"})
    document = env["rights.document"].create({"name": "d", "folder_id": folder.id})
    mine = env["rights.document"].with_env(env(user=user.id))
    conditions = [("folder_id.name", "=", "f"), ("folder_id", "ilike", "f")]
    for condition in conditions:
        assert mine.search([condition]) == document
    env["ir.model.access"].search([("name", "=", "rights.folder")]).unlink()
    for condition in conditions:
        with pytest.raises(AccessError, match=r"read records of 'rights\.folder'"):
            mine.search([condition])
    rule(env, "[('folder_id.name', '=', 'f')]")
    assert mine.search([("folder_id", "=", folder.id)]) == document


def test_transient_records_are_their_creators(env: Any, user: Any) -> None:
    """
    Everybody may use a wizard, but only the own one.
    """
    wizard = env["rights.wizard"].sudo(user).create({"name": "w"})
    assert wizard.name == "w"
    other = env["rights.wizard"].create({"name": "o"})
    theirs = other.sudo(user)
    assert theirs.search([]) == wizard
    for call in (lambda: theirs.write({"name": "x"}), lambda: theirs.name, lambda: theirs.unlink()):
        with pytest.raises(AccessError):
            call()


def test_changed_rights_are_no_one_elses_until_commit(
    env: Any, user: Any, group: Any, open_env: Any
) -> None:
    """
    Rights given in a transaction that is rolled back were never there for others.
    """
    give(env, group, read=True)
    assert env["rights.document"].sudo(user).search([]).ids == []
    with open_env(uid=user.id) as other, pytest.raises(AccessError):
        other["rights.document"].search([])
