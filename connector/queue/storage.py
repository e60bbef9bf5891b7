"""Where jobs are kept: rows of `queue_job`, written in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from connector.exception import JobDefinitionError, NoSuchJobError
from connector.queue import trace
from connector.queue.call import Job
from connector.queue.function import JobFunction
from connector.queue.new_jobs import awaited, write_new
from connector.queue.row import job_of, keepable
from connector.queue.stored_jobs import update
from connector.session import ConnectorSession

__all__ = ["JOB_OPTIONS", "Delayed", "JobStorage", "OpenERPJobStorage", "collected"]

_STORE_PART = """
INSERT INTO queue_job_dependency (child_id, parent_id)
SELECT waiting.child_id, part.id
  FROM queue_job AS whole
  JOIN queue_job_dependency AS waiting ON waiting.parent_id = whole.id
  JOIN queue_job AS part ON part.uuid = %(part)s
 WHERE whole.uuid = %(whole)s
ON CONFLICT DO NOTHING
"""

_LOAD = """
SELECT id, uuid, name, state, channel, priority, eta, max_retries, retry, attempt, func_name,
       model_name, args, kwargs, user_id, company_id, context, identity_key, date_created,
       date_enqueued, date_started, date_done, result, exc_info, worker
  FROM queue_job WHERE uuid = %(uuid)s
"""


#: Keywords of `delay` that are options of the job and never reach its function.
JOB_OPTIONS = frozenset(
    {"priority", "eta", "max_retries", "description", "channel", "identity_key", "depends_on"}
)

#: Lists that the uuids of delayed jobs are added to, per cursor.
_collecting: WeakKeyDictionary[Any, list[list[str]]] = WeakKeyDictionary()


@contextmanager
def collected(cr: Any) -> Iterator[list[str]]:
    """The uuids of all jobs that are delayed on this cursor meanwhile."""
    uuids: list[str] = []
    lists = _collecting.setdefault(cr, [])
    lists.append(uuids)
    try:
        yield uuids
    finally:
        lists.pop()


class Delayed(NamedTuple):
    """What `delay` leaves behind: the job that stands, and whether it is the one given."""

    uuid: str
    is_new: bool


class JobStorage:
    """Where jobs are kept."""

    def store(self, job: Job, depends_on: Sequence[str] = ()) -> Delayed:
        """Keep a job."""
        raise NotImplementedError

    def load(self, job_uuid: str) -> Job:
        """Give a job that is kept."""
        raise NotImplementedError

    def exists(self, job_uuid: str) -> bool:
        """Say whether a job is kept."""
        raise NotImplementedError


class OpenERPJobStorage(JobStorage):
    """Jobs in the database of a session, with its user, company and context."""

    def __init__(self, session: ConnectorSession) -> None:
        self.session = session

    def enqueue(
        self,
        func: JobFunction,
        model_name: str | None = None,
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
        priority: int | None = None,
        eta: Any = None,
        max_retries: int | None = None,
        description: str | None = None,
        channel: str | None = None,
        identity_key: str | Callable[[Job], str] | None = None,
        depends_on: Sequence[str] = (),
    ) -> str:
        """Store the call of *func* and give the uuid of its job; see `store`."""
        job = Job(
            func,
            model_name=model_name,
            args=args,
            kwargs=kwargs,
            priority=priority,
            eta=eta,
            max_retries=max_retries,
            description=description,
            channel=channel,
            identity_key=identity_key,
        )
        return self.store(job, depends_on).uuid

    def enqueue_resolve_args(
        self, func: JobFunction, /, model_name: str, *args: Any, **kwargs: Any
    ) -> str:
        """Store a call whose options are mixed with the keyword arguments of the function."""
        options = {name: kwargs.pop(name) for name in tuple(kwargs) if name in JOB_OPTIONS}
        return self.enqueue(func, model_name, (model_name, *args), kwargs, **options)

    def store(self, job: Job, depends_on: Sequence[str] = ()) -> Delayed:
        """
        Write a job into the transaction of the session; *depends_on* must be done before it.

        Where another job with its identity key waits, nothing is written and that one is
        answered.  A transaction that holds a new key makes others with the key wait for it.

        Of a job that is stored already, what a person may change is written: state, priority,
        eta, channel, tries, description, result.

        Raises:
            JobArgumentError: an argument cannot be kept.
            NoSuchJobError: a job of *depends_on*, or the stored job itself, is not there.
            JobDefinitionError: a job of *depends_on* is cancelled.
            JobError: the job runs; only its worker changes it.
        """
        if job.is_stored:
            update(self.session.cr, job)
            return Delayed(job.uuid, False)
        uuid = self.store_many([job], {job.uuid: awaited(depends_on)})[0]
        return Delayed(uuid, uuid == job.uuid)

    def store_many(
        self, jobs: Sequence[Job], depends_on: Mapping[str, Sequence[str]] | None = None
    ) -> list[str]:
        """
        Write new jobs with one statement, in the order of their identity keys; give the uuids.

        *depends_on* names, for some of the jobs, those that must be done before: of *jobs*, or
        stored ones.  See `store`, for what is raised too.
        """
        parents = {uuid: before for uuid, before in (depends_on or {}).items() if before}
        self.adopt(*jobs)
        self._send_new_owners(jobs)
        stands = write_new(self.session.cr, jobs, parents)
        uuids = [stands[job.uuid] for job in jobs]
        self._tell(uuids)
        return uuids

    def add_part(self, job_uuid: str) -> None:
        """
        Let what waits for the running job wait for this one too: it does a part of its work.

        Outside a job nothing waits, and nothing is done.
        """
        whole = self.session.context.get("job_uuid")
        if whole:
            self.session.cr.execute_unflushed(_STORE_PART, {"whole": whole, "part": job_uuid})

    def exists(self, job_uuid: str) -> bool:
        """Whether a job of that uuid is stored."""
        self.session.cr.execute("SELECT 1 FROM queue_job WHERE uuid = %(uuid)s", {"uuid": job_uuid})
        return self.session.cr.fetchone() is not None

    def load(self, job_uuid: str) -> Job:
        """
        The stored job.

        Raises:
            NoSuchJobError: there is none of that uuid.
            NotReadableJobError: its arguments cannot be read.
        """
        self.session.cr.execute(_LOAD, {"uuid": job_uuid})
        row = self.session.cr.dictfetchone()
        if row is None:
            raise NoSuchJobError(f"There is no job {job_uuid}. It may have been removed.")
        return job_of(row, self.session.env)

    def db_record_from_uuid(self, job_uuid: str) -> Any:
        """The record of a job, for any user; an empty one where there is none."""
        return self.session.env["queue.job"].sudo().search([("uuid", "=", job_uuid)], limit=1)

    def db_record(self, job: Job) -> Any:
        """The record of a job, for any user; an empty one where there is none."""
        return self.db_record_from_uuid(job.uuid)

    def adopt(self, *jobs: Job) -> None:
        """Let jobs that belong to nobody yet run as the session does."""
        own = [job for job in jobs if job.user_id is None]
        if not own:
            return
        session = self.session
        context = {**keepable(session.context), **trace.carried()}
        for job in own:
            job.user_id, job.company_id, job.context = session.uid, self._company_id(), context

    def _company_id(self) -> int | None:
        context = self.session.context
        if "company_id" not in context:
            return self.session.env.user.company_id.id or None
        asked = context["company_id"]
        if not asked or (isinstance(asked, int) and not isinstance(asked, bool)):
            return asked or None
        raise JobDefinitionError(
            f"The company_id of the context is {asked!r}; a job keeps an id, or None."
        )

    def _send_new_owners(self, jobs: Sequence[Job]) -> None:
        """Jobs go past the pending writes of the models; what their rows refer to may not wait."""
        new = self.session.env.transaction.new
        users, companies = new.get("res.users", ()), new.get("res.company", ())
        if any(job.user_id in users or job.company_id in companies for job in jobs):
            self.session.env.flush()

    def _tell(self, uuids: Sequence[str]) -> None:
        for collecting in _collecting.get(self.session.cr, ()):
            collecting.extend(uuids)
