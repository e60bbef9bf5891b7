"""Checkpoints: records and messages that a person has to look at."""

from typing import Any

from connector.core import api, fields, models
from connector.exception import UnknownModelError

NEED_REVIEW, REVIEWED = "need_review", "reviewed"


class ConnectorCheckpoint(models.Model):
    """A record that a connector made or could not decide about, waiting for a review."""

    _name = "connector.checkpoint"
    _description = "Connector Checkpoint"
    _order = "id desc"

    model_id = fields.Many2one("ir.model", string="Model", ondelete="cascade")
    record_id = fields.Integer(string="Record ID")
    backend_id = fields.Reference(selection=[], string="Imported from", required=True)
    message = fields.Text()
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
