"""Asking a person to look at what was imported."""

from __future__ import annotations

from connector.connector import ConnectorUnit
from connector.session import Recordset

__all__ = ["AddCheckpoint"]


class AddCheckpoint(ConnectorUnit):
    """
    Adds a checkpoint for a binding.

    A connector registers one for the models whose new records are looked at; a record importer
    with `_checkpoint_new` runs it for each record that it creates.
    """

    def run(self, binding_id: int) -> Recordset:
        """Add the checkpoint and give it."""
        return self.backend_record.add_checkpoint(
            self.connector_env.model_name, binding_id, self.message(binding_id)
        )

    def message(self, binding_id: int) -> str:
        """Hook: say what is to be looked at."""
        return ""
