"""A job: the call of a job function, its options, and what became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import uuid4

from connector.exception import JobDefinitionError
from connector.queue import codec
from connector.queue.function import JobFunction, check_channel, function_name, load_function
from connector.queue.method import call_method, method_of
from connector.queue.retry import DEFAULT_MAX_RETRIES, RetryPattern
from connector.queue.state import State

if TYPE_CHECKING:
    from connector.session import ConnectorSession

DEFAULT_PRIORITY = 10

Eta: TypeAlias = datetime | timedelta | int | float | None


def utc_now() -> datetime:
    """The present as the database keeps it: UTC, without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def eta_time(eta: Eta) -> datetime | None:
    """The moment that an eta means: a moment, a span or seconds from now, or none."""
    if not eta:
        return None
    if isinstance(eta, datetime):
        return eta.astimezone(UTC).replace(tzinfo=None) if eta.tzinfo else eta
    span = eta if isinstance(eta, timedelta) else timedelta(seconds=eta)
    return utc_now() + span


class Job:
    """
    The call of a job function.

    *args* begins with the model's name by convention.  *eta* is UTC when it has no zone.
    *identity_key* is a text, or a function of the job such as `identity_exact`.

    Raises:
        JobDefinitionError: no function, or arguments that are no tuple and dict.
    """

    def __init__(
        self,
        func: JobFunction | str,
        model_name: str | None = None,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        priority: int | None = None,
        eta: Eta = None,
        job_uuid: str | None = None,
        max_retries: int | None = None,
        description: str | None = None,
        channel: str | None = None,
        identity_key: str | Callable[[Job], str] | None = None,
    ) -> None:
        if not func:
            raise JobDefinitionError("A job needs a function.")
        if not isinstance(args, tuple | None) or not isinstance(kwargs, dict | None):
            raise JobDefinitionError("The arguments of a job are a tuple and a dict.")
        if channel is not None:
            check_channel(channel)
        self.func_name = func if isinstance(func, str) else function_name(func)
        self.model_name = model_name
        self.args = args or ()
        self.kwargs = kwargs or {}
        self.priority = DEFAULT_PRIORITY if priority is None else priority
        self.max_retries = DEFAULT_MAX_RETRIES if max_retries is None else max_retries
        self.channel = channel
        self.eta = eta_time(eta)
        self.uuid = job_uuid or str(uuid4())
        self.state = State.PENDING
        #: Tries begun; a requeue sets it back.
        self.retry = 0
        #: Starts ever; never goes back, so it tells one start from all others.
        self.attempt = 0
        self.user_id: int | None = None
        self.company_id: int | None = None
        self.context: Mapping[str, Any] = {}
        self.date_created = utc_now()
        self._description = description
        self._identity_key = identity_key

    @property
    def func(self) -> JobFunction:
        """The job function itself; see `load_function` for its errors."""
        return load_function(self.func_name)

    @property
    def retry_pattern(self) -> RetryPattern | None:
        """The retry pattern of the function, or of the method of records that it calls."""
        func = self.func
        if func is call_method:
            func = method_of(*self.args[1:3])
        pattern: RetryPattern | None = getattr(func, "retry_pattern", None)
        return pattern

    @property
    def description(self) -> str:
        """What a person reads: the one given, else the function's docstring or name."""
        if self._description:
            return self._description
        told = (self.func.__doc__ or "").strip()
        return told.splitlines()[0] if told else f"Function {self.func.__name__}"

    @property
    def func_string(self) -> str:
        """The call as Python would write it."""
        args = [repr(arg) for arg in self.args]
        kwargs = [f"{name}={value!r}" for name, value in self.kwargs.items()]
        return f"{self.func_name}({', '.join(args + kwargs)})"

    @property
    def identity_key(self) -> str | None:
        """The key that no other waiting job has; None lets any number wait."""
        if callable(self._identity_key):
            self._identity_key = self._identity_key(self)
        return self._identity_key or None

    def perform(self, session: ConnectorSession) -> Any:
        """Call the function on *session* and give its result."""
        return self.func(session, *self.args, **self.kwargs)

    def related_action(self, session: ConnectorSession) -> Any:
        """What `@related_action` of the function answers for this job; None without one."""
        action = getattr(self.func, "related_action", None)
        return action(session, self) if action else None

    def __repr__(self) -> str:
        return f"<Job {self.uuid} {self.func_name} priority:{self.priority}>"


def identity_exact(job: Job) -> str:
    """The identity of a call: the same function, arguments, company and user give one key."""
    call = [job.func_name, job.args, sorted(job.kwargs.items()), job.company_id, job.user_id]
    return hashlib.sha1(codec.dumps(call).encode(), usedforsecurity=False).hexdigest()
