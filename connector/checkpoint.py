"""Asking a person to look at a record."""

from __future__ import annotations

from connector.session import ConnectorSession, Recordset

__all__ = ["add_checkpoint", "add_checkpoint_message"]


def add_checkpoint(
    session: ConnectorSession,
    model_name: str,
    record_id: int,
    backend_model_name: str,
    backend_id: int,
    message: str = "",
) -> Recordset:
    """
    Make a checkpoint for a record and give it.

    Raises:
        UnknownModelError: there is no model of that name.
    """
    return session.env["connector.checkpoint"].create_from_name(
        model_name, record_id, backend_model_name, backend_id, message
    )


def add_checkpoint_message(
    session: ConnectorSession, backend_model_name: str, backend_id: int, message: str
) -> Recordset:
    """Make a checkpoint that says a message about a backend and give it."""
    return session.env["connector.checkpoint"].create_from_message(
        backend_model_name, backend_id, message
    )
