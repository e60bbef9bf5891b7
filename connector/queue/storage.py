"""Where jobs are kept: rows of `queue_job`, written in the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from connector.exception import NoSuchJobError
from connector.queue import codec
from connector.queue.call import Job
from connector.queue.function import JobFunction
from connector.queue.state import State
from connector.session import ConnectorSession

#: Times that a delay is written again because the job that stood in its way had just started.
IDENTITY_TRIES = 5

# The rows come in the order of the array, and so do their ids: a join would mix them.
_INSERT = """
INSERT INTO queue_job (
    uuid, name, func_string, state, channel, priority, eta, max_retries, retry, attempt,
    func_name, model_name, args, kwargs, user_id, company_id, context, identity_key,
    date_created)
SELECT row.uuid, row.name, row.func_string, row.state,
       coalesce(row.channel, (
           SELECT complete_name FROM queue_job_channel AS assigned
             JOIN queue_job_function AS function ON function.channel_id = assigned.id
            WHERE function.name = row.func_name), row.default_channel),
       row.priority, row.eta, row.max_retries, 0, 0,
       row.func_name, row.model_name, row.args, row.kwargs, row.user_id, row.company_id,
       row.context, row.identity_key, row.date_created
  FROM jsonb_to_recordset(%(rows)s) AS row (
           uuid text, name text, func_string text, state text, channel text, default_channel text,
           priority integer, eta timestamp, max_retries integer, func_name text, model_name text,
           args jsonb, kwargs jsonb, user_id integer, company_id integer, context jsonb,
           identity_key text, date_created timestamp)
ON CONFLICT (identity_key)
    WHERE identity_key IS NOT NULL AND state IN ('pending', 'enqueued', 'wait_dependencies')
    DO NOTHING
RETURNING uuid
"""

_STANDING = """
SELECT uuid FROM queue_job
 WHERE identity_key = %(key)s AND state IN ('pending', 'enqueued', 'wait_dependencies')
"""

_STORE_PARENTS = """
INSERT INTO queue_job_dependency (child_id, parent_id)
SELECT child.id, parent.id FROM queue_job AS child, queue_job AS parent
 WHERE child.uuid = %(child)s AND parent.uuid = ANY(%(parents)s)
"""

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
       model_name, args, kwargs, user_id, company_id, context, identity_key, date_created
  FROM queue_job WHERE uuid = %(uuid)s
"""


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


class OpenERPJobStorage:
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
        self, func: JobFunction, model_name: str, *args: Any, **kwargs: Any
    ) -> str:
        """Store a call whose options are mixed with the keyword arguments of the function."""
        options = {name: kwargs.pop(name) for name in tuple(kwargs) if name in JOB_OPTIONS}
        return self.enqueue(func, model_name, (model_name, *args), kwargs, **options)

    def store(self, job: Job, depends_on: Sequence[str] = ()) -> Delayed:
        """
        Write a new job into the transaction of the session.

        Where another job with its identity key waits, nothing is written and that one is
        answered.  A transaction that holds a new key makes others with the key wait for it.

        Raises:
            JobArgumentError: an argument cannot be kept.
        """
        self._adopt(job)
        job.state = State.WAIT_DEPENDENCIES if depends_on else State.PENDING
        row = row_of(job, job.state)
        for _ in range(IDENTITY_TRIES):
            # Past the pending writes of the models: a job refers to none of their rows, and
            # sending them now would end their batch.
            insert(self.session.cr, [row])
            if self.session.cr.fetchone() is not None:
                self._store_parents(job, depends_on)
                self._tell([job.uuid])
                return Delayed(job.uuid, True)
            self.session.cr.execute_unflushed(_STANDING, {"key": job.identity_key})
            standing = self.session.cr.fetchone()
            if standing is not None:
                self._tell([standing[0]])
                return Delayed(standing[0], False)
        raise NoSuchJobError(
            f"The job with identity key {job.identity_key!r} starts and comes back all the time."
        )

    def store_many(self, jobs: Sequence[Job]) -> list[str]:
        """Write many new jobs with one statement; those with an identity key go one by one."""
        keyed = sorted(
            (job for job in jobs if job.identity_key), key=lambda j: j.identity_key or ""
        )
        standing = {id(job): self.store(job).uuid for job in keyed}
        plain = [job for job in jobs if id(job) not in standing]
        for job in plain:
            self._adopt(job)
        if plain:
            rows = [row_of(job, State.PENDING) for job in plain]
            insert(self.session.cr, rows)
            self._tell([job.uuid for job in plain])
        return [standing.get(id(job), job.uuid) for job in jobs]

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

    def _adopt(self, job: Job) -> None:
        """Let the job run as the session does."""
        session = self.session
        job.user_id = session.uid
        job.context = _keepable(session.context)
        if "company_id" in session.context:
            job.company_id = session.context["company_id"]
        else:
            job.company_id = session.env.user.company_id.id or None

    def _tell(self, uuids: Sequence[str]) -> None:
        for collecting in _collecting.get(self.session.cr, ()):
            collecting.extend(uuids)

    def _store_parents(self, job: Job, parents: Sequence[str]) -> None:
        if not parents:
            return
        # A parent that ends in another transaction right now does not see this child; the
        # sweep finds children whose parents are all done.
        self.session.cr.execute_unflushed(
            _STORE_PARENTS, {"child": job.uuid, "parents": list(parents)}
        )


#: Keywords of `delay` that are options of the job and never reach its function.
JOB_OPTIONS = frozenset(
    {"priority", "eta", "max_retries", "description", "channel", "identity_key", "depends_on"}
)


def job_of(row: dict[str, Any], env: Any) -> Job:
    """The job of a row of `queue_job`; recordsets among its arguments are browsed in *env*."""
    job = Job(
        row["func_name"],
        model_name=row["model_name"],
        args=tuple(codec.decode(row["args"], env)),
        kwargs=codec.decode(row["kwargs"], env),
        priority=row["priority"],
        job_uuid=row["uuid"],
        max_retries=row["max_retries"],
        description=row["name"],
        identity_key=row["identity_key"],
    )
    job.channel = row["channel"]
    job.retry = row["retry"]
    job.attempt = row["attempt"]
    job.user_id = row["user_id"]
    job.company_id = row["company_id"]
    job.context = codec.decode(row["context"] or {}, env)
    job.date_created = row["date_created"]
    job.state = State(row.get("state", State.STARTED))
    job.eta = row.get("eta")
    return job


def row_of(job: Job, state: State) -> dict[str, Any]:
    """What is kept of a new job, as `insert` takes it."""
    return {
        "uuid": job.uuid,
        "name": job.description,
        "func_string": job.func_string,
        "state": state,
        "channel": job.channel,
        "default_channel": getattr(job.func, "default_channel", "root"),
        "priority": job.priority,
        "eta": job.eta.isoformat() if job.eta else None,
        "max_retries": job.max_retries,
        "func_name": job.func_name,
        "model_name": job.model_name,
        "args": codec.encode(list(job.args)),
        "kwargs": codec.encode(job.kwargs),
        "user_id": job.user_id,
        "company_id": job.company_id,
        "context": codec.encode(dict(job.context)),
        "identity_key": job.identity_key,
        "date_created": job.date_created.isoformat(),
    }


def insert(cr: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Write new jobs with one statement, which answers the uuids of those it has written."""
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    cr.execute_unflushed(_INSERT, {"rows": text})


def _keepable(context: Any) -> dict[str, Any]:
    """The part of a context that has a JSON form; the rest is of this process only."""
    kept = {}
    for key, value in context.items():
        if codec.is_keepable(value):
            kept[key] = value
    return kept
