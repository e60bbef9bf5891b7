"""
Producers: records that are created, written or deleted fire the events of `connector.event`.

Importing this module makes every model tell; it is one of the imports of the addon `connector`,
and only databases where that is installed hear anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from connector.connector import is_module_installed
from connector.core.models import BaseModel
from connector.event import Event, on_record_create, on_record_unlink, on_record_write
from connector.session import ConnectorSession

Method = Callable[..., Any]


def _listening(event: Event, records: Any) -> ConnectorSession | None:
    """Give the session to fire with, None where nobody listens."""
    if not is_module_installed(records.env, "connector"):
        return None
    session = ConnectorSession.from_env(records.env)
    return session if event.has_consumer_for(session, records._name) else None


def _telling_create(create: Method) -> Method:
    @wraps(create)
    def create_and_tell(self: Any, vals: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Any:
        records = create(self, vals)
        if session := _listening(on_record_create, self):
            many = [vals] if isinstance(vals, Mapping) else vals
            for record, values in zip(records, many, strict=True):
                on_record_create.fire(session, self._name, record.id, values)
        return records

    return create_and_tell


def _telling_write(write: Method) -> Method:
    @wraps(write)
    def write_and_tell(self: Any, vals: Mapping[str, Any]) -> Any:
        result = write(self, vals)
        if session := _listening(on_record_write, self):
            for record_id in self.ids:
                on_record_write.fire(session, self._name, record_id, vals)
        return result

    return write_and_tell


def _telling_unlink(unlink: Method) -> Method:
    @wraps(unlink)
    def tell_and_unlink(self: Any) -> Any:
        if session := _listening(on_record_unlink, self):
            for record_id in self.ids:
                on_record_unlink.fire(session, self._name, record_id)
        return unlink(self)

    return tell_and_unlink


BaseModel.create = _telling_create(BaseModel.create)  # type: ignore[method-assign]
BaseModel.write = _telling_write(BaseModel.write)  # type: ignore[method-assign]
BaseModel.unlink = _telling_unlink(BaseModel.unlink)  # type: ignore[method-assign]
