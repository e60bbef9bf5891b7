"""Users: who may log in, and what groups they are in."""

from typing import Any

import argon2

from connector.core import api, fields, models
from connector.core.exceptions import AccessDenied, UserError
from connector.core.sql import Cursor

SUPERUSER_ID = 1

_hasher = argon2.PasswordHasher()

#: a hash that no password has: verifying it takes as long as verifying a real one
_NOBODY = _hasher.hash("")


class ResUsers(models.Model):
    """A user of the database; the name and address are those of a partner."""

    _name = "res.users"
    _description = "Users"
    _inherits = {"res.partner": "partner_id"}
    _order = "login"
    _sql_constraints = [
        ("login_key", "unique(login)", "There is a user of this login already."),
    ]

    partner_id = fields.Many2one("res.partner", "Related Partner", required=True,
                                 ondelete="restrict")  # fmt: skip
    login = fields.Char(required=True)
    password = fields.Char(
        compute="_compute_password",
        inverse="_inverse_password",
        help="Write-only. A user without one cannot log in.",
    )
    password_crypt = fields.Char("Password Hash", copy=False, groups="base.group_system")
    active = fields.Boolean(default=True)
    groups_id = fields.Many2many("res.groups", "res_groups_users_rel", "uid", "gid", "Groups")
    company_id = fields.Many2one(
        "res.company", "Company", required=True, default=lambda self: self._default_company()
    )
    company_ids = fields.Many2many(
        "res.company", "res_company_users_rel", "user_id", "cid", "Companies"
    )
    tz = fields.Char("Timezone", default="UTC")

    def init(self) -> None:
        """The first company and the superuser are there before any record can name its author."""
        _create_first_records(self.env.cr)

    def _default_company(self) -> Any:
        user = self.env["res.users"].sudo().browse(self.env.uid)
        return user.company_id.id

    # -- passwords ----------------------------------------------------------

    def _compute_password(self) -> None:
        for user in self:
            user.password = False

    def _inverse_password(self) -> None:
        for user in self:
            if user.password:
                user.sudo().password_crypt = _hasher.hash(user.password)
        self.env.invalidate([(self._fields["password"], self.ids)])

    @api.private
    @api.model
    def authenticate(self, login: str, password: str) -> int:
        """
        The id of the user who has this login and password.

        Raises:
            AccessDenied: there is none; the message does not say which of the two is wrong.
        """
        user = self.sudo().search([("login", "=", login)], limit=1)
        user._check_credentials(password)
        return int(user.id)

    def _check_credentials(self, password: str) -> None:
        known = self.sudo().password_crypt or _NOBODY
        try:
            _hasher.verify(known, password)
        except argon2.exceptions.Argon2Error as error:
            raise AccessDenied() from error
        if not self.sudo().password_crypt:
            raise AccessDenied()
        if _hasher.check_needs_rehash(known):
            self.sudo().password_crypt = _hasher.hash(password)

    def change_password(self, old_password: str, new_password: str) -> bool:
        """Replace the user's own password."""
        user = self.env.user
        user._check_credentials(old_password)
        if not new_password:
            raise UserError("The new password is empty. Choose another one.")
        user.sudo().password = new_password
        return True

    # -- groups -------------------------------------------------------------

    def create(self, values: Any) -> Any:
        users = super().create(values)
        users._close_groups()
        return users

    def write(self, values: Any) -> bool:
        done = super().write(values)
        if "groups_id" in values:
            self._close_groups()
        self.env.registry.invalidate_caches(self.env.cr)
        return bool(done)

    def unlink(self) -> bool:
        if SUPERUSER_ID in self.ids:
            raise UserError("The superuser cannot be deleted. Archive other users instead.")
        self.env.registry.invalidate_caches(self.env.cr)
        return bool(super().unlink())

    def _close_groups(self) -> None:
        """Add the groups that the users' groups imply."""
        for user in self:
            user._add_groups(user.groups_id._with_implied())

    def _add_groups(self, groups: Any) -> None:
        for user in self:
            missing = groups - user.groups_id
            if missing:
                user.write({"groups_id": [(4, group.id) for group in missing]})

    @api.model
    def has_group(self, group_ext_id: str) -> bool:
        """Whether the current user is in the group of that external id."""
        return bool(self.env["res.users"].sudo().browse(self.env.uid).has_group_of(group_ext_id))

    def has_group_of(self, groups: str) -> bool:
        """Whether this user is in one of the groups: external ids, joined by commas."""
        self.ensure_one()
        if self.id == SUPERUSER_ID:
            return True
        names = [name.strip() for name in groups.split(",")]
        ids = {
            group.id
            for name in names
            if (group := self.env.ref(name, raise_if_not_found=False)) is not None
        }
        return not ids.isdisjoint(self.groups_id.ids)

    @api.model
    def context_get(self) -> dict[str, Any]:
        """What a session of the current user starts its context with."""
        user = self.env["res.users"].sudo().browse(self.env.uid)
        return {"lang": user.lang or False, "tz": user.tz or False, "uid": self.env.uid}


_FIRST_PARTNERS = """
INSERT INTO res_partner (id, name, active, is_company, type, company_id, create_date)
VALUES (1, 'My Company', true, true, 'contact', 1, now() AT TIME ZONE 'UTC'),
       (2, 'Administrator', true, false, 'contact', 1, now() AT TIME ZONE 'UTC')
ON CONFLICT (id) DO NOTHING
"""
_FIRST_COMPANY = """
INSERT INTO res_company (id, name, partner_id, create_date)
VALUES (1, 'My Company', 1, now() AT TIME ZONE 'UTC') ON CONFLICT (id) DO NOTHING
"""
_FIRST_USER = """
INSERT INTO res_users (id, login, active, partner_id, company_id, tz, create_date)
VALUES (1, 'admin', true, 2, 1, 'UTC', now() AT TIME ZONE 'UTC') ON CONFLICT (id) DO NOTHING
"""
_FIRST_NAMES = """
INSERT INTO ir_model_data (module, name, model, res_id, noupdate, date_init, date_update)
SELECT 'base', n.name, n.model, n.id, true, t.now, t.now
FROM (VALUES ('main_partner', 'res.partner', 1), ('partner_root', 'res.partner', 2),
             ('main_company', 'res.company', 1), ('user_root', 'res.users', 1))
     AS n (name, model, id), (SELECT now() AT TIME ZONE 'UTC' AS now) AS t
ON CONFLICT (module, name) DO NOTHING
"""
_SEQUENCES = """
SELECT setval('res_partner_id_seq', (SELECT max(id) FROM res_partner)),
       setval('res_company_id_seq', (SELECT max(id) FROM res_company)),
       setval('res_users_id_seq', (SELECT max(id) FROM res_users))
"""


def _create_first_records(cr: Cursor) -> None:
    cr.execute("SELECT 1 FROM res_users WHERE id = %s", (SUPERUSER_ID,))
    if cr.fetchone():
        return
    for statement in (_FIRST_PARTNERS, _FIRST_COMPANY, _FIRST_USER, _FIRST_NAMES, _SEQUENCES):
        cr.execute(statement)
