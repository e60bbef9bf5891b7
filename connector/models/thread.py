"""Messages on records and who follows them: what people are told here, without mail."""

from collections.abc import Iterable
from typing import Any

from connector.core import api, fields, models


class ConnectorMessage(models.Model):
    """Something said about a record."""

    _name = "connector.message"
    _description = "Message"
    _order = "id desc"

    model = fields.Char(string="Related model", required=True, index=True)
    res_id = fields.Integer(string="Related record ID", required=True, index=True)
    subtype = fields.Char(help="What kind of event the message tells.")
    body = fields.Text(required=True)
    author_id = fields.Many2one("res.users", string="Author", ondelete="set null")
    date = fields.Datetime(required=True, default=fields.Datetime.now)


class ConnectorThread(models.AbstractModel):
    """What a model inherits whose records have followers and messages."""

    _name = "connector.thread"
    _description = "Thread of Messages"

    message_follower_ids = fields.Many2many("res.users", string="Followers")
    message_ids = fields.Many2many(
        "connector.message", string="Messages", compute="_compute_message_ids"
    )

    def _compute_message_ids(self) -> None:
        for record in self:
            record.message_ids = self.env["connector.message"].search(record._own_messages())

    @api.private
    @api.multi
    def message_subscribe_users(self, user_ids: Iterable[int]) -> bool:
        """Let these users follow the records."""
        followers = [(4, user_id) for user_id in user_ids]
        return bool(self.write({"message_follower_ids": followers})) if followers else True

    @api.private
    @api.multi
    def message_post(self, body: str, subtype: str | None = None) -> Any:
        """Say something about one record and give the message."""
        self.ensure_one()
        return self.env["connector.message"].create(
            {
                "model": self._name,
                "res_id": self.id,
                "subtype": subtype,
                "body": body,
                "author_id": self.env.uid,
            }
        )

    def unlink(self) -> bool:
        messages = self.env["connector.message"].sudo().search(self._own_messages())
        done = super().unlink()
        messages.unlink()
        return bool(done)

    def _own_messages(self) -> list[Any]:
        return [("model", "=", self._name), ("res_id", "in", self.ids)]
