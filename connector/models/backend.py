"""The model of a backend: one record per external system and account."""

from typing import Any

from connector.backend import Backend, get_backend
from connector.connector import ConnectorEnvironment
from connector.core import fields, models
from connector.exception import BackendError, NoBackendError
from connector.session import ConnectorSession


class ConnectorBackend(models.AbstractModel):
    """
    What every backend has; a connector inherits it, sets `_backend_type` and adds its settings.

    `version` is a Selection of the versions for which the connector made a `Backend`.
    """

    _name = "connector.backend"
    _description = "Connector Backend"
    _backend_type: str | None = None

    name = fields.Char(required=True)
    version = fields.Selection(selection=[], required=True)

    def get_backend(self) -> Backend:
        """
        Give the `Backend` of this record's type and version.

        Raises:
            BackendError: the model has no `_backend_type`.
            NoBackendError: nobody made a `Backend` of this type and version.
        """
        self.ensure_one()
        if self._backend_type is None:
            raise BackendError(
                f"{self._name!r} has no _backend_type, so its units cannot be found. "
                "Set it to the service of its Backend."
            )
        try:
            return get_backend(self._backend_type, self.version or None)
        except NoBackendError as error:
            advice = "" if self.version else " The record has no version: set one of these."
            raise NoBackendError(
                f"{self.name!r} ({self._name} {self.id}): {error}{advice}"
            ) from error

    def get_environment(self, model_name: str, lang: str | None = None) -> ConnectorEnvironment:
        """Make the environment of this backend for a binding model, as a script needs it."""
        self.ensure_one()
        env = self.env if lang is None else self.with_context(lang=lang).env
        return ConnectorEnvironment(self, ConnectorSession.from_env(env), model_name)

    def add_checkpoint(
        self, model: str | None = None, record_id: int | None = None, message: str = ""
    ) -> Any:
        """Ask a person to look at a record, or at a message, and give the checkpoint."""
        self.ensure_one()
        return self.env["connector.checkpoint"].create_from_name(
            model, record_id, self._name, self.id, message
        )
