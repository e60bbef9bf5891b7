"""Methods of records as jobs: `records.with_delay().method()`, and steps of chains and groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector.core.models import BaseModel
from connector.exception import JobDefinitionError
from connector.queue.graph import Delayable
from connector.queue.method import call_method, check_method
from connector.queue.storage import JOB_OPTIONS
from connector.session import ConnectorSession


class RecordDelay:
    """`records.with_delay(...)`: a method called on it becomes a job, which is the answer."""

    def __init__(self, records: Any, options: dict[str, Any]) -> None:
        unknown = set(options) - JOB_OPTIONS
        if unknown:
            raise TypeError(f"A job has no option {', '.join(sorted(unknown))}.")
        self._records = records
        self._options = options

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *args, **kwargs: self._call(name, args, kwargs).job()

    def _call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Delayable:
        records = self._records
        method = check_method(records, name)
        clashing = JOB_OPTIONS & set(kwargs)
        if clashing:
            raise JobDefinitionError(
                f"Give {', '.join(sorted(clashing))} to with_delay(), not to {name}()."
            )
        options = {"description": _told(method), **self._options}
        if channel := getattr(method, "default_channel", None):
            options.setdefault("channel", channel)
        session = ConnectorSession.from_env(records.env)
        return Delayable(
            call_method, session, records._name, records, name, *args, **kwargs, **options
        )


class RecordDelayable(RecordDelay):
    """`records.delayable(...)`: a method called on it becomes a step that is delayed later."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *args, **kwargs: self._call(name, args, kwargs)


def with_delay(records: BaseModel, **options: Any) -> RecordDelay:
    """Call a method of the records in a job; *options* are those of `delay`."""
    return RecordDelay(records, options)


def delayable(records: BaseModel, **options: Any) -> RecordDelayable:
    """Describe the call of a method of the records, for `chain`, `group` and `split`."""
    return RecordDelayable(records, options)


def _told(method: Callable[..., Any]) -> str:
    told = (method.__doc__ or "").strip()
    return told.splitlines()[0] if told else f"{method.__qualname__}"
