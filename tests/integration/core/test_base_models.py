"""The models of the addon base."""

import pytest

from connector.core.exceptions import (
    AccessDenied,
    AccessError,
    UnknownExternalIdError,
    UserError,
    ValidationError,
)

pytestmark = pytest.mark.addons("base")


def user(env, login, *groups):
    return env["res.users"].create(
        {
            "name": login.capitalize(),
            "login": login,
            "groups_id": [(6, 0, [env.ref(group).id for group in groups])],
        }
    )


def test_no_password_works_by_default(env):
    """
    The superuser of a new database cannot log in before a password is set.
    """
    users = env["res.users"]
    for password in ("admin", "", "False"):
        with pytest.raises(AccessDenied):
            users.authenticate("admin", password)
    env.user.password = "correct horse"
    assert users.authenticate("admin", "correct horse") == 1
    with pytest.raises(AccessDenied):
        users.authenticate("admin", "wrong horse")


def test_unknown_login(env):
    """
    An unknown login is refused with the words of a wrong password.
    """
    env.user.password = "secret"
    messages = []
    for login in ("admin", "nobody"):
        with pytest.raises(AccessDenied) as caught:
            env["res.users"].authenticate(login, "wrong")
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_password_is_write_only(env):
    """
    A password is kept as an argon2 hash, and cannot be read back.
    """
    someone = env["res.users"].create({"name": "A", "login": "a", "password": "secret"})
    assert not someone.password
    assert someone.read(["password"])[0]["password"] is False
    env.cr.execute("SELECT password_crypt FROM res_users WHERE id = %s", (someone.id,))
    (crypt,) = env.cr.fetchone()
    assert crypt.startswith("$argon2id$")
    assert "secret" not in crypt


def test_archived_user_cannot_log_in(env):
    """
    An archived user is refused.
    """
    someone = env["res.users"].create({"name": "A", "login": "a", "password": "secret"})
    assert env["res.users"].authenticate("a", "secret") == someone.id
    someone.active = False
    with pytest.raises(AccessDenied):
        env["res.users"].authenticate("a", "secret")


def test_change_password(env):
    """
    A user replaces the password by knowing the one before.
    """
    someone = user(env, "someone", "base.group_user")
    someone.password = "before"
    own = env(user=someone.id)["res.users"]
    with pytest.raises(AccessDenied):
        own.change_password("wrong", "after")
    own.change_password("before", "after")
    assert env["res.users"].authenticate("someone", "after") == someone.id


def test_superuser_cannot_be_deleted(env):
    """
    The superuser stays.
    """
    with pytest.raises(UserError, match="superuser"):
        env.user.unlink()


def test_user_is_a_partner(env):
    """
    Name and address of a user are those of a partner of its own.
    """
    someone = user(env, "someone")
    someone.email = "someone@example.com"
    assert someone.partner_id.name == "Someone"
    assert someone.partner_id.email == "someone@example.com"
    assert someone.company_id == env.ref("base.main_company")


def test_implied_groups(env):
    """
    A user of a group is in the groups that it implies, whichever of the two was written.
    """
    someone = user(env, "someone", "base.group_system")
    assert env.ref("base.group_user") in someone.groups_id
    added = env["res.groups"].create({"name": "Added"})
    env.ref("base.group_user").implied_ids = added
    assert added in someone.groups_id


def test_has_group(env):
    """
    Membership is asked for by external id; the superuser is in every group.
    """
    someone = user(env, "someone", "base.group_user")
    assert someone.has_group_of("base.group_user")
    assert someone.has_group_of("base.group_system,base.group_user")
    assert not someone.has_group_of("base.group_system")
    assert env(user=someone.id)["res.users"].has_group("base.group_user")
    assert env["res.users"].has_group("base.group_system")


def test_rights_of_groups(env):
    """
    An employee reads partners, a contact manager changes them, and neither reads parameters.
    """
    employee = env(user=user(env, "employee", "base.group_user").id)
    manager = env(user=user(env, "manager", "base.group_user", "base.group_partner_manager").id)
    assert employee["res.partner"].search([]).mapped("name")
    with pytest.raises(AccessError):
        employee["res.partner"].create({"name": "New"})
    assert manager["res.partner"].create({"name": "New"}).name == "New"
    with pytest.raises(AccessError):
        manager["ir.config_parameter"].search([]).mapped("value")


def test_rule_of_a_user(env):
    """
    A rule may name the user, and holds for searches at once.
    """
    someone = user(env, "someone", "base.group_user")
    env["ir.rule"].create(
        {
            "name": "Own partner only",
            "model_id": env.ref("base.model_res_partner").id,
            "groups": [(4, env.ref("base.group_user").id)],
            "domain_force": "[('id', '=', user.partner_id.id)]",
        }
    )
    found = env(user=someone.id)["res.partner"].search([])
    assert found.ids == someone.partner_id.ids
    assert len(env["res.partner"].search([])) > 1


def test_rule_must_concern_something(env):
    """
    A rule for none of the four operations breaks a constraint.
    """
    with pytest.raises(ValidationError, match="must concern"):
        env["ir.rule"].create(
            {
                "model_id": env.ref("base.model_res_partner").id,
                **{f"perm_{mode}": False for mode in ("read", "write", "create", "unlink")},
            }
        )
        env.flush()


def test_parameters(env):
    """
    Parameters are set, read with a default, replaced and removed.
    """
    parameters = env["ir.config_parameter"]
    assert parameters.get_param("a.key", "default") == "default"
    assert parameters.set_param("a.key", 5) is False
    assert parameters.get_param("a.key") == "5"
    assert parameters.set_param("a.key", None) == "5"
    assert parameters.get_param("a.key") is False


def test_external_ids(env):
    """
    External ids lead to records; one that is unknown is told with its name.
    """
    data = env["ir.model.data"]
    germany = data.xmlid_to_object("base.de")
    assert germany == env.ref("base.de")
    assert data.get_object_reference("base", "de") == ("res.country", germany.id)
    assert data.xmlid_to_object("base.nowhere") is None
    with pytest.raises(UnknownExternalIdError, match=r"base\.nowhere"):
        data.xmlid_to_object("base.nowhere", raise_if_not_found=True)


def test_models_and_fields_are_described(env):
    """
    Models and fields of the code have rows, with a name for each addon that declares them.
    """
    model = env.ref("base.model_res_partner")
    assert (model.model, model.state) == ("res.partner", "base")
    field = env.ref("base.field_res_partner__country_id")
    assert (field.ttype, field.relation, field.model_id) == ("many2one", "res.country", model)
    assert env.ref("base.field_res_users__email").ttype == "char"


def test_countries(env):
    """
    Countries and their states are there, with the codes of ISO 3166.
    """
    germany = env.ref("base.de")
    assert germany.name == "Germany"
    assert "BE" in germany.state_ids.mapped("code")
    assert env["res.country"].search_count([]) == 249


def test_tree_of_tags(env):
    """
    A tag cannot be its own ancestor.
    """
    parent = env["res.partner.category"].create({"name": "Parent"})
    child = env["res.partner.category"].create({"name": "Child", "parent_id": parent.id})
    with pytest.raises(ValidationError, match="own parent"):
        parent.parent_id = child


def test_modules_are_listed(env):
    """
    The addons that are found are listed with what their manifests say.
    """
    base = env["ir.module.module"].search([("name", "=", "base")])
    assert (base.state, base.shortdesc) == ("installed", "Base")
    env["ir.module.module"].update_list()
    other = env["ir.module.module"].search([("name", "=", "connector")])
    assert other.state == "uninstalled"
    other.button_install()
    assert other.state == "to install"


def test_a_company_gets_a_partner_of_its_name(env):
    """
    One company or several: each gets a partner unless it names one.
    """
    given = env["res.partner"].create({"name": "Known"})
    companies = env["res.company"].create(
        [{"name": "One"}, {"name": "Two", "partner_id": given.id}]
    )
    alone = env["res.company"].create({"name": "Three"})
    assert companies.mapped("partner_id.name") == ["One", "Known"]
    assert (alone.partner_id.name, alone.partner_id.is_company) == ("Three", True)
