"""API keys: random texts that stand for a user's password in programs."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from connector.core import api, fields, models
from connector.core.exceptions import AccessError, UserError

KEY_BYTES = 20
#: A key of that many days serves; without a limit it would serve those who find it, too.
DEFAULT_DAYS = 90

_USER_OF = """
SELECT k.user_id FROM res_users_apikeys k JOIN res_users u ON u.id = k.user_id
WHERE k.digest = %s AND (k.scope IS NULL OR k.scope = %s) AND u.active
  AND (k.expiration_date IS NULL OR k.expiration_date > now() AT TIME ZONE 'UTC')
"""


class ResUsersApikeys(models.Model):
    """A key, of which only the digest is kept; it is shown once, when it is made."""

    _name = "res.users.apikeys"
    _description = "API Keys"
    _order = "name, id"
    _sql_constraints = [
        ("digest_uniq", "unique(digest)", "There is a key of this digest already."),
    ]

    name = fields.Char("Description", required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users", "User", required=True, readonly=True, index=True, ondelete="cascade"
    )
    scope = fields.Char(readonly=True, help="What the key is for; empty for everything.")
    expiration_date = fields.Datetime(readonly=True)
    digest = fields.Char(required=True, readonly=True, copy=False, groups="base.group_system")

    @api.model
    def generate(self, name: str, days: int = DEFAULT_DAYS, scope: Any = False) -> str:
        """
        Make a key for the current user, for some days; returns it, for the only time.

        Zero days mean that it never expires, which only the administrator may choose.
        """
        if not name:
            raise UserError("A key needs a description, by which it is found again.")
        if days <= 0 and not self.user_has_groups("base.group_system"):
            raise AccessError("Only the administrator may make a key that never expires.")
        key = secrets.token_hex(KEY_BYTES)
        self.sudo().create(
            {
                "name": name,
                "user_id": self.env.uid,
                "scope": scope,
                "expiration_date": self.env.cr.now() + timedelta(days=days) if days > 0 else False,
                "digest": _digest(key),
            }
        )
        return key

    def remove(self) -> bool:
        """Delete keys: their own ones for users, any for the administrator."""
        is_system = self.user_has_groups("base.group_system")
        others = self.sudo().filtered(lambda key: key.user_id.id != self.env.uid)
        if others and not is_system:
            raise AccessError("These are the keys of another user. Remove your own ones.")
        return bool(self.sudo().unlink())

    @api.model
    def _user_of(self, key: str, scope: str) -> int | None:
        """The id of the active user whose key this is, valid now for *scope*."""
        self.env.cr.execute(_USER_OF, (_digest(key), scope))
        row = self.env.cr.fetchone()
        return row[0] if row else None


def _digest(key: str) -> str:
    # The key is as random as a digest is long, so a fast one is enough.
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()
