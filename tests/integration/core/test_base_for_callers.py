"""What the base models offer to callers from outside."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connector.core import sql
from connector.core.exceptions import AccessError, UserError

pytestmark = pytest.mark.addons("base")


@pytest.fixture
def clerk(env):
    """An environment of a user who may read, and little else."""
    values = {"name": "Clerk", "login": "clerk", "password": "clerk"}
    groups = [(6, 0, [env.ref("base.group_user").id])]
    return env(user=env["res.users"].create({**values, "groups_id": groups}).id)


def test_an_api_key_finds_its_user(env, clerk):
    """The key is given once, and finds its user until it is removed."""
    keys = clerk["res.users.apikeys"]
    key = keys.generate("a program")
    assert env["res.users.apikeys"]._user_of(key, "rpc") == clerk.uid
    assert env["res.users.apikeys"]._user_of(key[:-1] + "x", "rpc") is None
    kept = env["res.users.apikeys"].search([("user_id", "=", clerk.uid)])
    assert key not in str(kept.read())
    kept.with_env(clerk).remove()
    assert env["res.users.apikeys"]._user_of(key, "rpc") is None


def test_an_api_key_ends(env, clerk):
    """Expired keys, keys of another scope and keys of archived users find nobody."""
    keys = env["res.users.apikeys"]
    expired, other, plain = (
        clerk["res.users.apikeys"].generate("expired", days=1),
        clerk["res.users.apikeys"].generate("other", scope="pages"),
        clerk["res.users.apikeys"].generate("plain"),
    )
    record = keys.search([("name", "=", "expired")])
    record.expiration_date = env.cr.now() - timedelta(seconds=1)
    assert keys._user_of(expired, "rpc") is None
    assert keys._user_of(other, "rpc") is None
    assert keys._user_of(plain, "rpc") == clerk.uid
    env["res.users"].browse(clerk.uid).active = False
    assert keys._user_of(plain, "rpc") is None


def test_keys_of_others_are_not_to_be_had(env, clerk):
    """A user makes keys that end, and removes its own alone."""
    with pytest.raises(AccessError):
        clerk["res.users.apikeys"].generate("for ever", days=0)
    with pytest.raises(UserError):
        clerk["res.users.apikeys"].generate("")
    env["res.users.apikeys"].generate("the administrator's", days=0)
    record = env["res.users.apikeys"].search([("name", "=", "the administrator's")])
    with pytest.raises(AccessError):
        record.with_env(clerk).remove()


def test_external_ids_are_looked_up_for_the_user(env, clerk):
    """A reference gives its id to those who may read the record."""
    data = clerk["ir.model.data"]
    company = env.ref("base.main_company").id
    assert data.check_object_reference("base", "main_company") == ("res.company", company)
    rule = {"name": "none", "model_id": env.ref("base.model_res_company").id}
    env["ir.rule"].create({**rule, "domain_force": "[('id', '=', 0)]"})
    assert data.check_object_reference("base", "main_company") == ("res.company", False)
    with pytest.raises(AccessError):
        data.check_object_reference("base", "main_company", True)


def test_rights_are_asked_for_by_name(clerk):
    """`ir.model.access.check` answers for any model."""
    access = clerk["ir.model.access"]
    assert access.check("res.partner", "read") is True
    assert access.check("res.partner", "unlink", False) is False
    with pytest.raises(AccessError):
        access.check("res.partner", "unlink")


def test_fields_of_other_groups_are_not_for_all(env, clerk):
    """What a field's groups keep from a user is neither described nor read by default."""
    assert "password_crypt" in env["res.users"].fields_get()
    assert "password_crypt" not in clerk["res.users"].fields_get()
    assert "password_crypt" not in clerk["res.users"].browse(1).read()[0]
    with pytest.raises(AccessError):
        clerk["res.users"].browse(1).read(["password_crypt"])


def test_descriptions_hold_what_there_is(env):
    """`fields_get` gives the attributes that are asked for, and none that is empty."""
    described = env["res.partner"].fields_get(["parent_id"], ["type", "relation", "help"])
    assert described == {"parent_id": {"type": "many2one", "relation": "res.partner"}}
    assert None not in env["res.partner"].fields_get()["name"].values()


def test_false_is_no_limit(env):
    """A limit of False, as callers send it, is none; zero is zero."""
    partners = env["res.partner"]
    assert len(partners.search([], limit=False)) == partners.search_count([])
    assert not partners.search([], limit=0)


def test_a_statement_is_cancelled_from_another_thread(database):
    """`cancel` ends what the cursor waits for, and its transaction is rolled back."""
    import threading

    with database.cursor() as cr:
        timer = threading.Timer(0.2, cr.cancel)
        timer.start()
        with pytest.raises(sql.errors.QueryCanceled):
            cr.execute("SELECT pg_sleep(20)")
        timer.join()
        cr.rollback()
        cr.execute("SELECT 1")
        assert cr.fetchone() == (1,)
