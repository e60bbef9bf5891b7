"""
Jobs in tests: run them at once, or hold them fast and look at them.

    with mock_job_delay_to_direct("acme.jobs.export_order"):
        ...                                             .delay() calls the function itself

    with trap_jobs() as trap:
        ...                                             whatever is delayed stays here
    trap.assert_jobs_count(2)
    trap.assert_enqueued_job(export_order, args=("acme.order", 7))
    trap.perform_enqueued_jobs()
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from connector.exception import JobDefinitionError
from connector.queue import codec
from connector.queue.call import Job, eta_time
from connector.queue.function import JobFunction, load_function
from connector.queue.method import call_method
from connector.queue.row import row_of
from connector.queue.state import State
from connector.queue.storage import JOB_OPTIONS, Delayed, OpenERPJobStorage
from connector.session import ConnectorSession

__all__ = ["JobTrap", "TrappedJob", "mock_job_delay_to_direct", "trap_jobs"]

#: An eta given as a span is counted from the moment of the delay.
ETA_TOLERANCE = timedelta(seconds=1)


@contextmanager
def mock_job_delay_to_direct(job_path: str) -> Iterator[Any]:
    """
    Let `.delay()` of one job function call the function itself, and give the function.

    *job_path* is its dotted path.  The options of a job are left out of the call, and what is
    given is a uuid, as `delay` does.  Meanwhile `.delay` is a mock, so that a test can say
    `function.delay.assert_called_once_with(...)`.

    Raises:
        NotReadableJobError: there is no job function of that path.
    """
    func = load_function(job_path)

    def direct(session: ConnectorSession, model_name: str, *args: Any, **kwargs: Any) -> str:
        func(session, model_name, *args, **_without_options(kwargs))
        return str(uuid4())

    with patch.object(func, "delay", side_effect=direct):
        yield func


def _without_options(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kwargs.items() if name not in JOB_OPTIONS}


@dataclass(frozen=True, eq=False)
class TrappedJob:
    """A job that was delayed while a trap was set."""

    job: Job
    session: ConnectorSession
    depends_on: tuple[str, ...]

    @property
    def func(self) -> JobFunction:
        return self.job.func

    @property
    def method(self) -> Any:
        """The method that the job calls; None where it is the call of a function."""
        if self.job.func is not call_method:
            return None
        return getattr(self.job.args[1], self.job.args[2])

    @property
    def args(self) -> tuple[Any, ...]:
        """The arguments of the function, or of the method."""
        return self.job.args[3:] if self.job.func is call_method else self.job.args

    @property
    def kwargs(self) -> dict[str, Any]:
        return self.job.kwargs

    def is_call_of(self, func: Callable[..., Any], records_too: bool = False) -> bool:
        """Say whether the job calls *func*, a job function or a method of records."""
        records = getattr(func, "__self__", None)
        if records is None:
            return self.job.func is func
        if self.method is None or self.job.args[2] != func.__name__:
            return False
        called = self.job.args[1]
        return bool(called == records if records_too else called._name == records._name)

    def has(self, properties: Mapping[str, Any]) -> bool:
        """Say whether the job has these options of `delay`."""
        return all(self._has(name, value) for name, value in properties.items())

    def _has(self, name: str, value: Any) -> bool:
        if name not in JOB_OPTIONS:
            known = ", ".join(sorted(JOB_OPTIONS))
            raise JobDefinitionError(f"A job has no property {name!r}; there are {known}.")
        if name == "depends_on":
            return set(self.depends_on) == set(value)
        found = getattr(self.job, name)
        if name == "identity_key" and callable(value):
            value = value(self.job)
        if name == "eta" and value is not None and not isinstance(value, datetime):
            span = value if isinstance(value, timedelta) else timedelta(seconds=value)
            return bool(found and abs(found - self.job.date_created - span) < ETA_TOLERANCE)
        return bool(found == (eta_time(value) if name == "eta" else value))

    def perform(self) -> Any:
        """Call the function as a worker does: its user, its context, arguments read from JSON."""
        row = row_of(self.job, State.STARTED)
        context = {**codec.decode(row["context"], None), "job_uuid": self.job.uuid}
        if self.job.company_id:
            context.setdefault("company_id", self.job.company_id)
        env = self.session.env(user=self.job.user_id, context=context)
        args, kwargs = codec.decode(row["args"], env), codec.decode(row["kwargs"], env)
        return self.func(ConnectorSession.from_env(env), *args, **kwargs)

    def __str__(self) -> str:
        return self.job.func_string


class JobTrap:
    """The jobs that were delayed while the trap was set, and are not performed yet."""

    def __init__(self) -> None:
        self.enqueued_jobs: list[TrappedJob] = []

    def assert_jobs_count(self, expected: int, only: Callable[..., Any] | None = None) -> None:
        """Assert how many jobs wait, of one function or method with *only*."""
        found = self._jobs_of(only)
        assert len(found) == expected, (
            f"{len(found)} jobs are enqueued where {expected} are expected{self._told(found)}"
        )

    def assert_enqueued_job(
        self,
        func: Callable[..., Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | None = None,
    ) -> TrappedJob:
        """
        Assert that a call waits, and give the first job of it.

        *func* is a job function, or a method of the records that were delayed; *args* are its
        arguments after the session, *properties* the options of `delay` that matter.
        """
        for trapped in self.enqueued_jobs:
            if (
                trapped.is_call_of(func, records_too=True)
                and trapped.args == tuple(args)
                and trapped.kwargs == dict(kwargs or {})
                and trapped.has(properties or {})
            ):
                return trapped
        called = ", ".join(
            [*map(repr, args), *(f"{name}={value!r}" for name, value in (kwargs or {}).items())]
        )
        wanted = f"{_name_of(func)}({called})" + (f" with {properties}" if properties else "")
        raise AssertionError(f"No job {wanted} is enqueued{self._told(self.enqueued_jobs)}")

    def perform_enqueued_jobs(
        self, only: Callable[..., Any] | None = None, follow: bool = False
    ) -> list[Any]:
        """
        Perform the jobs that wait, parents before their children, and give their results.

        With *only* those of one function or method; a child whose parent is left waiting waits
        too.  With *follow* also those that they delay.  An error of a job comes out of here, and
        the job stays.
        """
        standing = None if follow else list(self.enqueued_jobs)
        results = []
        while (trapped := self._next(only, standing)) is not None:
            results.append(trapped.perform())
            self.enqueued_jobs.remove(trapped)
        return results

    def store(
        self, storage: OpenERPJobStorage, job: Job, depends_on: Sequence[str] = ()
    ) -> Delayed:
        """Take a job in the place of `OpenERPJobStorage.store`; it is refused as there."""
        storage.adopt(job)
        row_of(job, State.PENDING)  # raises where an argument cannot be kept
        for trapped in self.enqueued_jobs:
            if job.identity_key and trapped.job.identity_key == job.identity_key:
                delayed = Delayed(trapped.job.uuid, False)
                break
        else:
            self.enqueued_jobs.append(TrappedJob(job, storage.session, tuple(depends_on)))
            delayed = Delayed(job.uuid, True)
        storage._tell([delayed.uuid])
        return delayed

    def _next(
        self, only: Callable[..., Any] | None, standing: list[TrappedJob] | None
    ) -> TrappedJob | None:
        waiting = {trapped.job.uuid for trapped in self.enqueued_jobs}
        for trapped in self._jobs_of(only):
            if (standing is None or trapped in standing) and not waiting & set(trapped.depends_on):
                return trapped
        return None

    def _jobs_of(self, func: Callable[..., Any] | None) -> list[TrappedJob]:
        return [each for each in self.enqueued_jobs if func is None or each.is_call_of(func)]

    def _told(self, jobs: Sequence[TrappedJob]) -> str:
        lines = [f"\n  {trapped}" for trapped in jobs] or ["\n  none"]
        return "; enqueued are:" + "".join(lines)


@contextmanager
def trap_jobs() -> Iterator[JobTrap]:
    """
    Hold fast all jobs that are delayed in the block, however that is done.

    Nothing is stored; otherwise a job is taken or refused as by the database, one with the
    identity key of another that waits included.
    """
    trap = JobTrap()

    def store(self: OpenERPJobStorage, job: Job, depends_on: Sequence[str] = ()) -> Delayed:
        return trap.store(self, job, depends_on)

    def store_many(
        self: OpenERPJobStorage,
        jobs: Sequence[Job],
        depends_on: Mapping[str, Sequence[str]] | None = None,
    ) -> list[str]:
        stands: dict[str, str] = {}
        for job in jobs:
            before = [stands.get(uuid, uuid) for uuid in (depends_on or {}).get(job.uuid, ())]
            stands[job.uuid] = trap.store(self, job, before).uuid
        return [stands[job.uuid] for job in jobs]

    with patch.multiple(OpenERPJobStorage, store=store, store_many=store_many):
        yield trap


def _name_of(func: Callable[..., Any]) -> str:
    records = getattr(func, "__self__", None)
    return (
        f"{func.__module__}.{func.__name__}" if records is None else f"{records!r}.{func.__name__}"
    )
