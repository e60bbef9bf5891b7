"""A job: the call of a job function, its options, and what became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from connector.exception import FailedJobError, JobDefinitionError, RetryableJobError
from connector.queue import codec, trace
from connector.queue.clock import Eta, eta_time, utc_now
from connector.queue.function import JobFunction, check_channel, function_name, load_function
from connector.queue.life import JobLife
from connector.queue.method import call_method, method_of
from connector.queue.retry import DEFAULT_MAX_RETRIES, RetryPattern

if TYPE_CHECKING:
    from connector.session import ConnectorSession

__all__ = ["DEFAULT_PRIORITY", "Eta", "Job", "eta_time", "identity_exact", "utc_now"]

DEFAULT_PRIORITY = 10
_CALL_METHOD = function_name(call_method)
#: What PostgreSQL keeps in a column of numbers.
LARGEST_INTEGER = 2**31 - 1
#: What PostgreSQL keeps in an index, in any alphabet.
LONGEST_KEY = 500


class Job(JobLife):
    """
    The call of a job function.

    *args* begins with the model's name by convention.  *eta* is UTC when it has no zone.
    *identity_key* is a text, or a function of the job such as `identity_exact`.
    Jobs are sorted by eta, priority and date, those without an eta first; two are equal when
    neither comes first.  They are compared with nothing else, not even by `!=`.

    Raises:
        JobDefinitionError: no function, arguments that are no tuple and dict, or an option
            that cannot be followed.
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
        super().__init__()
        self.func_name = func if isinstance(func, str) else function_name(func)
        self.model_name = model_name
        self.args = args or ()
        self.kwargs = kwargs or {}
        self.priority = checked_number(
            "priority", DEFAULT_PRIORITY if priority is None else priority
        )
        self.max_retries = checked_number(
            "max_retries", DEFAULT_MAX_RETRIES if max_retries is None else max_retries, least=0
        )
        self.channel = channel
        self.eta = eta
        self.uuid = job_uuid or str(uuid4())
        self.user_id: int | None = None
        self.company_id: int | None = None
        self.context: Mapping[str, Any] = {}
        #: Whether the job has a row; `store` makes one, or writes to it.
        self.is_stored = False
        self._description = description
        self._identity_key = identity_key

    @property
    def func(self) -> JobFunction:
        """The job function itself; see `load_function` for its errors."""
        return load_function(self.func_name)

    @property
    def retry_pattern(self) -> RetryPattern | None:  # type: ignore[override]  # asked, not kept
        """The retry pattern of the function, or of the method of records that it calls."""
        pattern: RetryPattern | None = getattr(self._called, "retry_pattern", None)
        return pattern

    @property
    def _called(self) -> Callable[..., Any]:
        """What the author has decorated: the function, or the method of records."""
        return method_of(*self.args[1:3]) if self.func is call_method else self.func

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
        called, args = self.func_name, self.args
        if called == _CALL_METHOD:
            called, args = f"{args[1]!r}.{args[2]}", args[3:]
        kwargs = [f"{name}={value!r}" for name, value in self.kwargs.items()]
        return f"{called}({', '.join([*map(repr, args), *kwargs])})"

    @property
    def identity_key(self) -> str | None:
        """The key that no other waiting job has; None lets any number wait."""
        if callable(self._identity_key):
            self._identity_key = self._identity_key(self)
        key = self._identity_key or None
        if key is not None and not (isinstance(key, str) and len(key) <= LONGEST_KEY):
            raise JobDefinitionError(
                f"An identity key is a text of at most {LONGEST_KEY} characters, not {key!r:.80}. "
                "Give that, or a function of the job such as identity_exact."
            )
        return key

    def call(self, session: ConnectorSession) -> Any:
        """Call the function on *session* as it is, in the trace of the job; give its result."""
        with trace.continued(self.context, self.func_name, job=self.uuid):
            return self.func(session, *self.args, **self.kwargs)

    def perform(self, session: ConnectorSession) -> Any:
        """
        Do the job here and now: a try as its user and in its context; keep and give its result.

        Raises:
            JobDefinitionError: it is cancelled.
            FailedJobError: the function asks for another try, and this was the last one.
            RetryableJobError: the function asks for another try.
        """
        if self.canceled:
            raise JobDefinitionError(f"Job {self.uuid} is cancelled. Put it back first.")
        self.retry += 1
        try:
            with ExitStack() as stack:
                if self.user_id:
                    stack.enter_context(session.change_user(self.user_id))
                stack.enter_context(session.change_context(self.run_context))
                self.result = self.call(session)
        except RetryableJobError as error:
            if error.ignore_retry:
                self.retry -= 1
            elif 0 < self.max_retries <= self.retry:
                raise FailedJobError(
                    f"Max. retries ({self.max_retries}) reached: {error}"
                ) from error
            raise
        return self.result

    @property
    def run_context(self) -> dict[str, Any]:
        """The context that the function works in: the one kept, with the job and its company."""
        company = {"company_id": self.company_id} if self.company_id else {}
        return {**company, **self.context, "job_uuid": self.uuid}

    def related_action(self, session: ConnectorSession) -> Any:
        """What `@related_action` of the function or method answers; None without one."""
        action = getattr(self._called, "related_action", None)
        return action(session, self) if action else None

    def __eq__(self, other: object) -> bool:
        return _place(self) == _place(other)

    def __hash__(self) -> int:
        return hash(self.date_created)

    def __lt__(self, other: Job) -> bool:
        return _comes_before(self, other)

    def __gt__(self, other: Job) -> bool:
        return _comes_before(other, self)

    def __le__(self, other: Job) -> bool:
        return not _comes_before(other, self)

    def __ge__(self, other: Job) -> bool:
        return not _comes_before(self, other)

    def __repr__(self) -> str:
        return f"<Job {self.uuid} {self.func_name} priority:{self.priority}>"


def identity_exact(job: Job) -> str:
    """The identity of a call: the same function, arguments, company and user give one key."""
    call = [job.func_name, job.args, sorted(job.kwargs.items()), job.company_id, job.user_id]
    return hashlib.sha1(codec.dumps(call).encode(), usedforsecurity=False).hexdigest()


def _comes_before(one: object, other: object) -> bool:
    return _place(one) < _place(other)


def _place(job: object) -> tuple[datetime, int, datetime]:
    if not isinstance(job, Job):
        raise TypeError(f"A job cannot be compared with {job!r}.")
    return job.eta or datetime.min, job.priority, job.date_created


def checked_number(option: str, number: int, least: int = -LARGEST_INTEGER) -> int:
    """
    The number of an option, if PostgreSQL can keep it.

    Raises:
        JobDefinitionError: it is no whole number, or too large or small.
    """
    is_number = isinstance(number, int) and not isinstance(number, bool)
    if is_number and least <= number <= LARGEST_INTEGER:
        return number
    raise JobDefinitionError(
        f"{option}={number!r} cannot be kept: give a whole number from {least} to "
        f"{LARGEST_INTEGER}."
    )
