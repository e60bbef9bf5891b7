"""Export intents: how a create whose answer is lost is not sent blindly again."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from connector.connector import ConnectorEnvironment
from connector.queue.codec import dumps, loads

__all__ = ["ExportIntent", "ExportIntents"]

_FIND = """
SELECT idempotency_key, date_intended, data FROM connector_export_intent
 WHERE backend = %(backend)s AND model = %(model)s AND binding_id = %(binding_id)s
"""
_ADD = """
INSERT INTO connector_export_intent
       (backend, model, binding_id, idempotency_key, date_intended, data)
VALUES (%(backend)s, %(model)s, %(binding_id)s, %(idempotency_key)s, %(date_intended)s, %(data)s)
"""
_RENEW = """
UPDATE connector_export_intent SET date_intended = %(now)s, data = %(data)s
 WHERE backend = %(backend)s AND model = %(model)s AND binding_id = %(binding_id)s
"""
_REMOVE = """
DELETE FROM connector_export_intent
 WHERE backend = %(backend)s AND model = %(model)s AND binding_id = %(binding_id)s
"""


class ExportIntent(NamedTuple):
    """The note that a record is being created on the backend."""

    #: made once, with the intent, and the same in every try
    idempotency_key: str
    #: when it was sent last
    intended: datetime
    #: what was sent
    data: dict[str, Any]

    def age(self) -> timedelta:
        """Give how long ago the request may have been sent."""
        return _now() - self.intended


class ExportIntents:
    """The intents of one binding."""

    def __init__(self, connector_env: ConnectorEnvironment, binding_id: int) -> None:
        record = connector_env.backend_record
        self._env = connector_env.env
        self._where: dict[str, Any] = {
            "backend": f"{record._name},{record.id}",
            "model": connector_env.model_name,
            "binding_id": binding_id,
        }

    def find(self) -> ExportIntent | None:
        """Give the intent that an earlier try has left."""
        self._env.cr.execute(_FIND, self._where)
        row = self._env.cr.fetchone()
        if row is None:
            return None
        key, intended, data = row
        return ExportIntent(key, intended, loads(data, self._env) if data else {})

    def commit_new(self, data: dict[str, Any]) -> ExportIntent:
        """Note that the record is going to be created; kept whatever becomes of the job."""
        intent = ExportIntent(str(uuid.uuid4()), _now(), data)
        values = {
            **self._where,
            "idempotency_key": intent.idempotency_key,
            "date_intended": intent.intended,
            "data": dumps(data),
        }
        with self._env.registry.cursor() as cr:
            cr.execute(_ADD, values)
        return intent

    def commit_renewal(self, intent: ExportIntent, data: dict[str, Any]) -> ExportIntent:
        """Note that the record is sent again, with the same key: its answer may be lost again."""
        renewed = intent._replace(intended=_now(), data=data)
        with self._env.registry.cursor() as cr:
            cr.execute(_RENEW, {**self._where, "now": renewed.intended, "data": dumps(data)})
        return renewed

    def remove(self) -> None:
        """Forget the intent together with the transaction that binds the record."""
        self._env.cr.execute(_REMOVE, self._where)

    def commit_removal(self) -> None:
        """Forget the intent at once: the backend has said that it took nothing."""
        with self._env.registry.cursor() as cr:
            cr.execute(_REMOVE, self._where)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
