"""What a worker takes from Redis: `(database, uuid)` for the one entry point, or it is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rq.exceptions import DeserializationError
from rq.job import Job

from connector.queue.broker import ENTRY_POINT


class RefusedMessageError(Exception):
    """A message asks for something else than the entry point; it is dropped, never called."""


class Message(Job):
    """
    An RQ job that can only mean one thing.

    RQ's own class imports and calls whatever dotted path stands in Redis, with JSON as with
    pickle.  This one compares the path and never resolves it.
    """

    @property
    def call(self) -> tuple[str, str]:
        """
        Database and uuid of the job to run.

        Raises:
            RefusedMessageError: the message is not `ENTRY_POINT(database, uuid)`.
        """
        try:
            named, instance, args, kwargs = self.serializer.loads(self.data)
        except (ValueError, TypeError, AttributeError) as error:
            raise RefusedMessageError(f"Message {self.id} cannot be read.") from error
        if named != ENTRY_POINT or instance is not None or kwargs:
            raise RefusedMessageError(f"Message {self.id} names {named!r}, not {ENTRY_POINT!r}.")
        if not isinstance(args, list) or [type(arg) for arg in args] != [str, str]:
            raise RefusedMessageError(f"Message {self.id} does not hold a database and a uuid.")
        return args[0], args[1]

    @property
    def func(self) -> Callable[..., Any]:
        """The entry point; RQ's way of calling it leads here too."""
        self.call  # noqa: B018  # refuses
        from queue_worker.runner import run

        return run

    def _deserialize_data(self) -> None:
        try:
            super()._deserialize_data()  # type: ignore[no-untyped-call]  # RQ is half typed
        except DeserializationError as error:
            raise RefusedMessageError(f"Message {self.id} cannot be read.") from error
