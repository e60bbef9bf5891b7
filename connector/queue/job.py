"""
Jobs as an author of a connector sees them: `@job`, `func.delay`, `Job` and its storage.

    @job(default_channel="root.shop", retry_pattern={1: 10, 5: 60})
    def import_record(session, model_name, backend_id, external_id):
        ...

    import_record.delay(session, "shop.order", backend.id, "1000123", priority=5)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, overload

from connector.deprecate import log_deprecate
from connector.exception import JobArgumentError, JobDefinitionError
from connector.queue.call import DEFAULT_PRIORITY, Job, identity_exact
from connector.queue.function import (
    JOB_REGISTRY,
    check_channel,
    function_name,
    is_method,
    register,
)
from connector.queue.graph import Chain, Group, Step, batch, chain, group
from connector.queue.graph import Delayable as DelayableCall
from connector.queue.journal import log, report_progress
from connector.queue.retry import (
    DEFAULT_MAX_RETRIES,
    RETRY_INTERVAL_SECONDS,
    RetryPattern,
    check_pattern,
)
from connector.queue.row import row_of
from connector.queue.state import DONE, ENQUEUED, FAILED, PENDING, STARTED, STATES, State
from connector.queue.storage import JOB_OPTIONS, JobStorage, OpenERPJobStorage

if TYPE_CHECKING:
    from connector.session import ConnectorSession

__all__ = [
    "DEFAULT_MAX_RETRIES",
    "DEFAULT_PRIORITY",
    "DONE",
    "ENQUEUED",
    "FAILED",
    "JOB_REGISTRY",
    "PENDING",
    "RETRY_INTERVAL",
    "STARTED",
    "STATES",
    "Chain",
    "Group",
    "Job",
    "JobStorage",
    "OpenERPJobStorage",
    "State",
    "Step",
    "batch",
    "chain",
    "delay_many",
    "group",
    "identity_exact",
    "job",
    "log",
    "related_action",
    "report_progress",
    "whitelist_unpickle_global",
]

#: The name of 8.0.
RETRY_INTERVAL = RETRY_INTERVAL_SECONDS

F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class Delayable(Protocol[P, R]):
    """A job function: called it runs at once, delayed it becomes a job and gives its uuid."""

    delay: Callable[..., str]
    #: Describes the call for `chain` and `group`, with the arguments of `delay`.
    delayable: Callable[..., DelayableCall]
    default_channel: str
    retry_pattern: RetryPattern | None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...


@overload
def job(func: Callable[P, R]) -> Delayable[P, R]: ...
@overload
def job(
    func: None = None,
    default_channel: str = "root",
    retry_pattern: RetryPattern | None = None,
) -> Callable[[Callable[P, R]], Delayable[P, R]]: ...


def job(
    func: Callable[..., Any] | None = None,
    default_channel: str = "root",
    retry_pattern: RetryPattern | None = None,
) -> Any:
    """
    Make a function of a module a job function.

    It is `func(session, model_name, *args, **kwargs)`.  A direct call runs it at once;
    `func.delay(session, model_name, *args, priority=, eta=, max_retries=, description=,
    channel=, identity_key=, depends_on=, **kwargs)` writes a job into the session's transaction
    and gives its uuid: a rollback leaves no job, and no job starts before the commit.
    *depends_on* names jobs that must be done before.  `func.delayable(...)` takes the same and
    stores nothing yet: it is a step of a `chain` or `group`.

    On a method of a model it only gives channel and retry pattern to the jobs of
    `records.with_delay().method(...)`.

    *retry_pattern* says how long the job waits after which number of tries:
    `{1: 10, 5: (30, 60)}` is 10 seconds after the first four, then 30 to 60 at random.

    Raises:
        JobDefinitionError: the channel is not below root, or the pattern cannot be followed.
        NotImplementedError: *func* is hidden in another function.
    """
    if func is None:
        return partial(_define, default_channel=default_channel, retry_pattern=retry_pattern)
    return _define(func, default_channel, retry_pattern)


def _define(func: F, default_channel: str, retry_pattern: RetryPattern | None) -> F:
    check_channel(default_channel)
    if retry_pattern is not None and not isinstance(retry_pattern, dict):
        raise JobDefinitionError(f"A retry pattern is a dict; {retry_pattern!r} is none.")
    check_pattern(retry_pattern)
    options: dict[str, Any] = {"default_channel": default_channel, "retry_pattern": retry_pattern}
    if not is_method(func):
        function_name(func)
        options["delay"] = partial(_delay, func)
        options["delayable"] = partial(DelayableCall, func)
        register(func)
    for name, value in options.items():
        setattr(func, name, value)
    return func


def _delay(
    func: Callable[..., Any],
    /,
    session: ConnectorSession,
    model_name: str,
    *args: Any,
    **kwargs: Any,
) -> str:
    return OpenERPJobStorage(session).enqueue_resolve_args(func, model_name, *args, **kwargs)


def delay_many(
    func: Callable[..., Any],
    session: ConnectorSession,
    model_name: str,
    rows: Iterable[tuple[Any, ...]],
    **options: Any,
) -> list[str]:
    """
    Delay one call of *func* for each row of arguments, with one statement for all.

    *options* are those of `delay`, without `depends_on`, and hold for every job.

    Raises:
        TypeError: an option that `delay` does not have.
        JobDefinitionError: one identity key for several rows: only the first would be a job; or
            a row is no list or tuple.
        JobArgumentError: an argument cannot be kept; the message names its row, from 0.
    """
    unknown = set(options) - (JOB_OPTIONS - {"depends_on"})
    if unknown:
        raise TypeError(f"A job has no option {', '.join(sorted(unknown))}.")
    jobs = [
        Job(func, model_name=model_name, args=(model_name, *_listed(row)), **options)
        for row in rows
    ]
    if len(jobs) > 1 and isinstance(options.get("identity_key"), str):
        raise JobDefinitionError(
            f"{len(jobs)} calls cannot share the identity key {options['identity_key']!r}: only "
            "the first would become a job. Give a function of the job, as identity_exact."
        )
    try:
        return OpenERPJobStorage(session).store_many(jobs)
    except JobArgumentError:
        _name_row(jobs)
        raise


def _listed(row: Any) -> tuple[Any, ...]:
    if isinstance(row, list | tuple):
        return tuple(row)
    raise JobDefinitionError(
        f"{row!r:.80} is no row of arguments; give a tuple of them for each job."
    )


def _name_row(jobs: Sequence[Job]) -> None:
    """Raise the error of the first row that cannot be kept, with its number."""
    for number, job_ in enumerate(jobs):
        try:
            row_of(job_, State.PENDING)
        except JobArgumentError as error:
            raise JobArgumentError(f"Row {number}: {error}") from None


def related_action(
    action: Callable[..., Any] = lambda session, job: None, **kwargs: Any
) -> Callable[[F], F]:
    """
    Say what a person is shown who wants to see the record behind a job.

    *action* is called as `action(session, job, **kwargs)` and gives a window action or None.
    """

    def decorate(func: F) -> F:
        func.related_action = partial(action, **kwargs) if kwargs else action  # type: ignore[attr-defined]
        return func

    return decorate


def whitelist_unpickle_global(obj: Any) -> None:
    """Deprecated: arguments are kept as JSON, so that nothing is ever unpickled."""
    log_deprecate("whitelist_unpickle_global does nothing: arguments of jobs are JSON")
