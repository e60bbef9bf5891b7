"""
Writing new jobs: their rows with one statement, at most one job per identity key, their edges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector.core import sql
from connector.exception import JobArgumentError, JobDefinitionError, NoSuchJobError
from connector.queue.call import Job
from connector.queue.row import insert, row_of
from connector.queue.state import State

#: Times that a delay is written again because the job that stood in its way had just started.
IDENTITY_TRIES = 5

_STANDING = """
SELECT identity_key, uuid FROM queue_job
 WHERE identity_key = ANY(%(keys)s) AND state IN ('pending', 'enqueued', 'wait_dependencies')
"""

_STATES = "SELECT uuid, state FROM queue_job WHERE uuid = ANY(%(uuids)s)"

_STORE_EDGES = """
INSERT INTO queue_job_dependency (child_id, parent_id)
SELECT child.id, parent.id
  FROM unnest(%(children)s::text[], %(parents)s::text[]) AS edge (child, parent)
  JOIN queue_job AS child ON child.uuid = edge.child
  JOIN queue_job AS parent ON parent.uuid = edge.parent
ON CONFLICT DO NOTHING
"""


def write_new(cr: Any, jobs: Sequence[Job], parents: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """
    Write jobs that wait for *parents*; answer for each uuid the one of the job that stands.

    Raises:
        NoSuchJobError, JobDefinitionError: see `OpenERPJobStorage.store`.
    """
    done = _done_parents(cr, jobs, parents)
    for job in jobs:
        waits = set(parents.get(job.uuid, ())) - done
        job.state = State.WAIT_DEPENDENCIES if waits else State.PENDING
    stands = _write(cr, jobs, has_edges=bool(parents))
    _store_edges(cr, jobs, parents, stands)
    return stands


def _write(cr: Any, jobs: Sequence[Job], has_edges: bool) -> dict[str, str]:
    """
    Write new jobs; answer for each uuid the one of the job that stands.

    It goes past the pending writes of the models: sending them now would end their batch.
    """
    stands: dict[str, str] = {}
    # Two transactions that take several keys take them in one order, and so never wait for
    # each other.
    left = _in_order_of_keys(jobs)
    for _ in range(IDENTITY_TRIES):
        written = _insert(cr, left, has_edges)
        for job in left:
            if job.uuid in written:
                job.is_stored = True
                stands[job.uuid] = job.uuid
        left = [job for job in left if not job.is_stored]
        standing = standing_for(cr, left)
        for job in left:
            if job.identity_key in standing:
                stands[job.uuid] = standing[job.identity_key]
        left = [job for job in left if job.uuid not in stands]
        if not left:
            return stands
    raise NoSuchJobError(
        f"The job with identity key {left[0].identity_key!r} starts and comes back all the time."
    )


def _in_order_of_keys(jobs: Sequence[Job]) -> list[Job]:
    try:
        return sorted(jobs, key=lambda job: job.identity_key or "")
    except JobArgumentError:
        for job in jobs:
            row_of(job, job.state)  # its error names the argument, that of a key cannot
        raise


def _insert(cr: Any, jobs: Sequence[Job], has_edges: bool) -> set[str]:
    rows = [row_of(job, job.state) for job in jobs]
    if cr.isolation_level == sql.READ_COMMITTED or not any(job.identity_key for job in jobs):
        insert(cr, rows)
        return {row[0] for row in cr.fetchall()}
    if has_edges:
        return _insert_graph(cr, rows)
    # The snapshot is older than a job with the key that was committed meanwhile, which is
    # an error here and no conflict; that one is found on another connection.
    cr.execute_unflushed("SAVEPOINT queue_job_identity")
    try:
        insert(cr, rows)
        written = {row[0] for row in cr.fetchall()}
    except sql.errors.SerializationFailure:
        cr.execute_unflushed("ROLLBACK TO SAVEPOINT queue_job_identity")
        written = set()
    cr.execute_unflushed("RELEASE SAVEPOINT queue_job_identity")
    return written


def _insert_graph(cr: Any, rows: Sequence[dict[str, Any]]) -> set[str]:
    """A job that this snapshot does not show cannot be waited for: only another one does."""
    try:
        insert(cr, rows)
    except sql.errors.SerializationFailure as error:
        error.add_note(
            "Another transaction has taken an identity key of this graph since this one began. "
            "Do the whole transaction again, as Registry.run does."
        )
        raise
    return {row[0] for row in cr.fetchall()}


def standing_for(cr: Any, jobs: Sequence[Job]) -> dict[str, str]:
    """The uuids of the jobs that wait with the keys of these."""
    if not jobs:
        return {}
    keys = {"keys": sorted({job.identity_key for job in jobs if job.identity_key})}
    cr.execute_unflushed(_STANDING, keys)
    found = dict(cr.fetchall())
    if cr.isolation_level == sql.READ_COMMITTED or len(found) == len(keys["keys"]):
        return found
    with sql.connect(cr.dbname).cursor(sql.READ_COMMITTED) as present:
        present.execute(_STANDING, keys)
        return {**dict(present.fetchall()), **found}


def awaited(depends_on: Any) -> list[str]:
    """
    The uuids that the option `depends_on` names.

    Raises:
        JobDefinitionError: it is none of list, tuple and set of uuids.
    """
    if depends_on is None:
        return []
    if isinstance(depends_on, list | tuple | set | frozenset):
        return list(depends_on)
    raise JobDefinitionError(
        f"depends_on={depends_on!r} is no list of uuids; give one, of what `delay` has answered."
    )


def _done_parents(cr: Any, jobs: Sequence[Job], parents: Mapping[str, Sequence[str]]) -> set[str]:
    """Of the parents that are stored already, those that are done."""
    new = {job.uuid for job in jobs}
    asked = {uuid for before in parents.values() for uuid in before} - new
    if not asked:
        return set()
    cr.execute_unflushed(_STATES, {"uuids": sorted(asked)})
    states = dict(cr.fetchall())
    for uuid in sorted(asked):
        if uuid not in states:
            raise NoSuchJobError(
                f"There is no job {uuid} that another one could wait for. "
                "Give uuids that `delay` has answered."
            )
        if states[uuid] == State.CANCELLED:
            raise JobDefinitionError(
                f"Job {uuid} is cancelled: what waits for it would never run. "
                "Put it back first, or leave it out."
            )
    return {uuid for uuid, state in states.items() if state == State.DONE}


def _store_edges(
    cr: Any,
    jobs: Sequence[Job],
    parents: Mapping[str, Sequence[str]],
    stands: Mapping[str, str],
) -> None:
    # A parent that ends in another transaction right now does not see this child; the
    # sweep finds children whose parents are all done.
    edges = [
        (job.uuid, stands.get(parent, parent))
        for job in jobs
        if job.is_stored
        for parent in parents.get(job.uuid, ())
    ]
    if edges:
        children, before = zip(*edges, strict=True)
        cr.execute_unflushed(_STORE_EDGES, {"children": list(children), "parents": list(before)})
