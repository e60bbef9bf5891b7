"""
Jobs that wait for one another, described before they are delayed.

    Step                       something to be done, which others can follow
    |-- Delayable              one call: of a job function, or of a method of records
    |-- Chain                  one step after the other
    `-- Group                  steps side by side

    chain(a, group(b, c), d).delay()          b and c wait for a, d waits for both
    group(a, b).on_done(c).delay()            c waits for both
    records.delayable().export().split(100)   a job for each hundred of the records

Nothing is stored before `delay`, which stores everything in the transaction of the session.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from graphlib import CycleError, TopologicalSorter
from typing import Any, Self

from connector.exception import JobDefinitionError
from connector.queue.call import Job
from connector.queue.function import JobFunction
from connector.queue.method import call_method
from connector.queue.new_jobs import awaited
from connector.queue.storage import JOB_OPTIONS, OpenERPJobStorage, collected
from connector.session import ConnectorSession


class Step:
    """Something to be done, which other steps can follow."""

    def __init__(self) -> None:
        self.followers: list[Step] = []

    def on_done(self, *steps: Step) -> Self:
        """Let *steps* wait until this one is done."""
        self.followers.extend(_steps(steps))
        return self

    def heads(self) -> list[Delayable]:
        """The calls that begin this step."""
        raise NotImplementedError

    def own_tails(self) -> list[Delayable]:
        """The calls that end this step, without what follows it."""
        raise NotImplementedError

    def parts(self) -> Iterator[Step]:
        """The steps that this one is made of."""
        yield from ()

    def tails(self) -> list[Delayable]:
        """The calls after which everything here is done."""
        found: list[Delayable] = []
        seen: set[int] = set()
        left: list[Step] = [self]
        while left:
            step = left.pop()
            if id(step) in seen:
                continue
            seen.add(id(step))
            left.extend(step.followers)
            if not step.followers:
                found.extend(step.own_tails())
        return found

    def delay(self) -> list[str]:
        """
        Store all jobs; give the uuids, parents before their children.

        Raises:
            JobDefinitionError: steps wait for each other in a circle.
        """
        try:
            parents = _connected(self)
            order = list(TopologicalSorter(parents).static_order())
        except (CycleError, RecursionError) as error:
            raise JobDefinitionError("Steps wait for each other in a circle.") from error
        jobs = {call: call.described() for call in order}
        parents_of = {
            jobs[call].uuid: [*call.awaited, *(jobs[parent].uuid for parent in parents[call])]
            for call in order
        }
        return order[0].storage.store_many(list(jobs.values()), parents_of)


class Delayable(Step):
    """
    One call that may become a job; *options* are those of `delay`.

    For a method of records, write `records.delayable(**options).method(...)`.
    """

    def __init__(
        self,
        func: JobFunction,
        session: ConnectorSession,
        model_name: str,
        /,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self._func = func
        self._session = session
        self._model_name = model_name
        self._args = args
        self._options = {name: kwargs.pop(name) for name in tuple(kwargs) if name in JOB_OPTIONS}
        self._kwargs = kwargs

    def heads(self) -> list[Delayable]:
        return [self]

    def own_tails(self) -> list[Delayable]:
        return [self]

    @property
    def storage(self) -> OpenERPJobStorage:
        return OpenERPJobStorage(self._session)

    @property
    def awaited(self) -> list[str]:
        """The uuids of stored jobs that the call waits for."""
        return awaited(self._options.get("depends_on"))

    def wait_for(self, uuids: Iterable[str]) -> None:
        """Let the call wait for jobs that are stored already."""
        self._options["depends_on"] = [*self.awaited, *uuids]

    def described(self) -> Job:
        """The job of the call, for the user and in the context of its session; not stored."""
        options = {name: value for name, value in self._options.items() if name != "depends_on"}
        job = Job(
            self._func,
            model_name=self._model_name,
            args=(self._model_name, *self._args),
            kwargs=self._kwargs,
            **options,
        )
        self.storage.adopt(job)
        return job

    def job(self) -> Job:
        """Store the call and give its job; with an identity key it may be another one's."""
        job = self.described()
        job.uuid = self.storage.store(job, self.awaited).uuid
        return job

    def split(self, size: int, chain: bool = False) -> Step:
        """
        The same call for each *size* of the records: side by side, or one after the other.

        Raises:
            JobDefinitionError: it is no call of a method of records, there are none, *size* is
                no number from 1 on, or one identity key is given for all parts, so that only the
                first would become a job.
        """
        if isinstance(self._options.get("identity_key"), str):
            raise JobDefinitionError(
                f"The parts cannot share the identity key {self._options['identity_key']!r}: only "
                "the first would become a job. Give a function of the job, as identity_exact."
            )
        if self._func is not call_method or not isinstance(size, int) or size < 1:
            raise JobDefinitionError(
                "Only the call of a method is split, into groups of one record or more."
            )
        records, *rest = self._args
        if not records:
            raise JobDefinitionError(f"{records!r} holds nothing to split; delay no job for it.")
        calls = [
            Delayable(
                self._func,
                self._session,
                self._model_name,
                records[start : start + size],
                *rest,
                **self._kwargs,
                **self._options,
            )
            for start in range(0, len(records), size)
        ]
        step: Step = Chain(*calls) if chain else Group(*calls)
        return step.on_done(*self.followers)


class Chain(Step):
    """Steps that are done one after the other."""

    def __init__(self, *steps: Step) -> None:
        super().__init__()
        self._steps = _filled(steps)

    def heads(self) -> list[Delayable]:
        return self._steps[0].heads()

    def own_tails(self) -> list[Delayable]:
        return self._steps[-1].tails()

    def parts(self) -> Iterator[Step]:
        yield from self._steps

    def pairs(self) -> Iterator[tuple[Step, Step]]:
        """Each step with the next one."""
        yield from zip(self._steps, self._steps[1:], strict=False)


class Group(Step):
    """Steps that are done side by side."""

    def __init__(self, *steps: Step) -> None:
        super().__init__()
        self._steps = _filled(steps)

    def heads(self) -> list[Delayable]:
        return [head for step in self._steps for head in step.heads()]

    def own_tails(self) -> list[Delayable]:
        return [tail for step in self._steps for tail in step.tails()]

    def parts(self) -> Iterator[Step]:
        yield from self._steps


def chain(*steps: Step) -> Chain:
    """Steps that are done one after the other."""
    return Chain(*steps)


def group(*steps: Step) -> Group:
    """Steps that are done side by side."""
    return Group(*steps)


@contextmanager
def batch(session: ConnectorSession, callback: Step) -> Iterator[list[str]]:
    """
    Let *callback* wait for every job that is delayed in the block on this session's cursor.

    A job that splits parts off while it runs keeps the callback waiting for them too.  A block
    that raises, or delays nothing, stores no callback.
    """
    with collected(session.cr) as uuids:
        yield uuids
    if uuids:
        for head in callback.heads():
            head.wait_for(uuids)
        callback.delay()


def _connected(first: Step) -> dict[Delayable, set[Delayable]]:
    """Every call from *first* on, in the order of description, with the calls it waits for."""
    steps = list(_reachable(first))
    parents: dict[Delayable, set[Delayable]] = {
        step: set() for step in steps if isinstance(step, Delayable)
    }
    for step in steps:
        for follower in step.followers:
            _await(follower.heads(), step.own_tails(), parents)
        if isinstance(step, Chain):
            for before, after in step.pairs():
                _await(after.heads(), before.tails(), parents)
    return parents


def _reachable(first: Step) -> Iterator[Step]:
    seen: set[int] = set()
    left = deque([first])
    while left:
        step = left.popleft()
        if id(step) not in seen:
            seen.add(id(step))
            left.extend([*step.parts(), *step.followers])
            yield step


def _await(
    calls: list[Delayable], awaited: list[Delayable], parents: dict[Delayable, set[Delayable]]
) -> None:
    for call in calls:
        parents[call].update(awaited)


def _filled(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    if not steps:
        raise JobDefinitionError("A chain or group needs at least one step.")
    return _steps(steps)


def _steps(given: tuple[Step, ...]) -> tuple[Step, ...]:
    for step in given:
        if not isinstance(step, Step):
            raise JobDefinitionError(
                f"{step!r} is no step. Describe one by func.delayable(session, model_name, ...), "
                "records.delayable().method(...), chain or group."
            )
    return given
