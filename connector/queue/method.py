"""The call of a method of records as a job, and the job functions behind chains and batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.exception import JobDefinitionError, NotReadableJobError
from connector.queue.function import register
from connector.session import ConnectorSession


def call_method(
    session: ConnectorSession,
    model_name: str,
    records: Any,
    method: str,
    /,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Call a method of records."""
    return method_of(records.with_env(session.env), method)(*args, **kwargs)


register(call_method)


def method_of(records: Any, name: str) -> Callable[..., Any]:
    """
    The method of that name of the records' model.

    Raises:
        NotReadableJobError: the model has no such method, or it belongs to Python.
    """
    method = None if name.startswith("__") else getattr(type(records), name, None)
    if not callable(method):
        raise NotReadableJobError(
            f"The model {records._name!r} has no method {name!r}. "
            "Install the addon that defines it, or cancel the job."
        )
    found: Callable[..., Any] = getattr(records, name)
    return found


def check_method(records: Any, name: str) -> Callable[..., Any]:
    """
    The method that a job shall call.

    Raises:
        JobDefinitionError: the model has no such method.
    """
    try:
        return method_of(records, name)
    except NotReadableJobError as error:
        raise JobDefinitionError(
            f"{records._name!r} has no method {name!r} that a job could call."
        ) from error
