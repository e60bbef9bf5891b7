"""Checkpoints: records and messages that a person has to look at."""

from collections.abc import Mapping, Sequence
from typing import Any

from connector.core import api, fields, models
from connector.exception import UnknownModelError
from connector.models import thread  # noqa: F401 - declared before it is inherited

#: Who follows every checkpoint.
MANAGERS = "connector.group_connector_manager"
#: The subtype of the message that a new checkpoint posts.
SUBTYPE = "connector.mt_checkpoint_created"
NEED_REVIEW, REVIEWED = "need_review", "reviewed"


class ConnectorCheckpoint(models.Model):
    """
    A record that a connector made or could not decide about, waiting for a review.

    The users of the group Connector Manager follow it from the beginning.
    """

    _name = "connector.checkpoint"
    _inherit = "connector.thread"
    _description = "Connector Checkpoint"
    _order = "id desc"

    model_id = fields.Many2one("ir.model", string="Model", ondelete="cascade")
    record_id = fields.Integer(string="Record ID")
    backend_id = fields.Reference(selection=[], string="Imported from", required=True)
    message = fields.Text()
    record = fields.Reference(selection=[], compute="_compute_record")
    name = fields.Char(compute="_compute_name", search="_search_name")
    state = fields.Selection(
        [(NEED_REVIEW, "Need Review"), (REVIEWED, "Reviewed")],
        required=True,
        default=NEED_REVIEW,
        index=True,
    )

    _sql_constraints = [
        (
            "record_or_message",
            "CHECK (record_id > 0 OR message <> '')",
            "A checkpoint names a record or says a message.",
        ),
    ]

    def create(self, vals: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Any:
        points = super().create(vals)
        managers = self.env.ref(MANAGERS, raise_if_not_found=False)
        points.message_subscribe_users(managers.sudo().users.ids if managers else ())
        for point in points:
            point.message_post(body=point._message(), subtype=SUBTYPE)
        return points

    def _message(self) -> str:
        """What the followers of a new checkpoint are told."""
        where = self.backend_id.display_name
        return self.message or f"A {self.model_id.name} needs review. Backend: {where}."

    @api.depends("model_id", "record_id")
    def _compute_record(self) -> None:
        for point in self:
            model = point.model_id.model
            there = model in self.env and self.env[model].browse(point.record_id).exists()
            point.record = f"{model},{point.record_id}" if there else False

    @api.depends("model_id", "record_id", "message")
    def _compute_name(self) -> None:
        for point in self:
            point.name = point.record.display_name if point.record else point.message

    @api.model
    def _search_name(self, operator: str, value: Any) -> list[Any]:
        """Find checkpoints by the names of their records, in all the models they are of."""
        found = self.search([("record_id", "=", 0), ("message", operator, value)])
        points = self.search([("record_id", ">", 0)])
        for model in {point.model_id.model for point in points} & set(self.env.registry.models):
            named = {
                record_id
                for record_id, _ in self.env[model].name_search(
                    value, operator=operator, limit=None
                )
            }
            found |= points.filtered(
                lambda point, model=model, named=named: (
                    point.model_id.model == model and point.record_id in named
                )
            )
        return [("id", "in", found.ids)]

    @api.model
    def _needaction_domain_get(self) -> list[Any]:
        """Give what waits for somebody."""
        return [("state", "=", NEED_REVIEW)]

    @api.multi
    def reviewed(self) -> bool:
        """Note that a person has looked."""
        self.write({"state": REVIEWED})
        return True

    @api.model
    def create_from_name(
        self,
        model_name: str | None,
        record_id: int | None,
        backend_model_name: str,
        backend_id: int,
        message: str = "",
    ) -> Any:
        """
        Make a checkpoint for a record, a message or both.

        Raises:
            UnknownModelError: there is no such model.
        """
        model = self.env["ir.model"].browse()
        if model_name is not None:
            model = self.env["ir.model"].search([("model", "=", model_name)])
            if not model:
                raise UnknownModelError(
                    f"No model {model_name!r} to make a checkpoint for. Install its addon."
                )
        return self.create(
            {
                "model_id": model.id,
                "record_id": record_id or 0,
                "backend_id": f"{backend_model_name},{backend_id}",
                "message": message,
            }
        )

    @api.model
    def create_from_message(self, backend_model_name: str, backend_id: int, message: str) -> Any:
        """Make a checkpoint that says a message about a backend."""
        return self.create_from_name(None, None, backend_model_name, backend_id, message)


class ConnectorCheckpointReview(models.TransientModel):
    """The wizard that reviews all chosen checkpoints."""

    _name = "connector.checkpoint.review"
    _description = "Checkpoints Review"

    checkpoint_ids = fields.Many2many(
        "connector.checkpoint", string="Checkpoints", default=lambda self: self._chosen()
    )

    @api.model
    def _chosen(self) -> list[int]:
        return list(self.env.context.get("active_ids") or ())

    @api.multi
    def review(self) -> dict[str, str]:
        """Review them."""
        self.ensure_one()
        self.checkpoint_ids.reviewed()
        return {"type": "ir.actions.act_window_close"}
