"""
The statements that begin and end a job, planned once a connection, and what they call.

    job_start(uuid, worker)         locks an enqueued job, marks it started and keeps its row
    job_start_free(uuid, worker)    the same, but never waits for whoever holds the row
    job_done(id, attempt, result)   raises `FENCE_LOST` when another start has the job
    job_children(id)                what waited for a job that is done

The row is kept as JSON in the setting `STARTED`, empty where the job was not to be started: so the
transaction that follows in the same round trip can answer it.
"""

from typing import Any

from connector.core.modules.signaling import CACHE_SEQUENCE, REGISTRY_SEQUENCE

#: First integer of the lock that the connection of a running job holds; the job's id follows.
JOB_LOCK_CLASS = 0x6A6F62
#: The SQLSTATE of an end that comes too late.
FENCE_LOST = "QJ001"
STARTED = "connector.started"

_MEMORY = "statements of jobs"

# The lock is taken in a select list, where it is tried for the found row only; in a WHERE clause
# the planner chooses what it is tried for.
_START = f"""
WITH found AS MATERIALIZED (
    SELECT id FROM queue_job WHERE uuid = $1 AND state = 'enqueued' %s
), target AS MATERIALIZED (
    SELECT id, pg_try_advisory_lock({JOB_LOCK_CLASS}, id) AS locked FROM found
), started AS (
    UPDATE queue_job AS job
       SET state = 'started', attempt = job.attempt + 1, retry = job.retry + 1,
           date_started = (clock_timestamp() AT TIME ZONE 'UTC'), worker = $2
      FROM target
     WHERE job.id = target.id AND target.locked AND job.state = 'enqueued'
    RETURNING job.id, job.uuid, job.attempt, job.retry, job.max_retries, job.identity_key,
              job.func_name, job.model_name, job.args, job.kwargs, job.channel, job.priority,
              job.user_id, job.company_id, job.context, job.name, job.date_created,
              (SELECT last_value FROM {REGISTRY_SEQUENCE}) AS registry_signal,
              (SELECT last_value FROM {CACHE_SEQUENCE}) AS cache_signal
)
SELECT set_config('{STARTED}', coalesce((SELECT row_to_json(started)::text FROM started), ''),
                  false)
"""  # noqa: S608 - names and numbers of the code

_DONE = """
WITH ended AS (
    UPDATE queue_job
       SET state = 'done', result = $3, date_done = (clock_timestamp() AT TIME ZONE 'UTC'),
           exc_name = NULL, exc_message = NULL, exc_info = NULL
     WHERE id = $1 AND state = 'started' AND attempt = $2
    RETURNING id
)
SELECT CASE WHEN NOT EXISTS (SELECT FROM ended) THEN queue_job_fence_lost($1, $2) END
"""

_CHILDREN = """
SELECT queue_job_release_children($1)
 WHERE EXISTS (SELECT FROM queue_job_dependency WHERE parent_id = $1)
"""

_STATEMENTS = f"""
PREPARE job_start (text, text) AS {_START % ""};
PREPARE job_start_free (text, text) AS {_START % "FOR NO KEY UPDATE SKIP LOCKED"};
PREPARE job_done (integer, integer, text) AS {_DONE};
PREPARE job_children (integer) AS {_CHILDREN}
"""

_FENCE_LOST = f"""
CREATE OR REPLACE FUNCTION queue_job_fence_lost(job_id integer, mine integer)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'job % is not started in attempt %', job_id, mine
          USING ERRCODE = '{FENCE_LOST}';
END $$
"""

# The row lock puts two parents that end together in order: the second one sees the first done.
_RELEASE_CHILDREN = """
CREATE OR REPLACE FUNCTION queue_job_release_children(parent integer)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM queue_job
      WHERE state = 'wait_dependencies'
        AND id IN (SELECT child_id FROM queue_job_dependency WHERE parent_id = parent)
      ORDER BY id FOR NO KEY UPDATE;
    UPDATE queue_job AS child SET state = 'pending'
     WHERE child.id IN (SELECT child_id FROM queue_job_dependency WHERE parent_id = parent)
       AND child.state = 'wait_dependencies'
       AND NOT EXISTS (
           SELECT FROM queue_job_dependency AS edge JOIN queue_job AS other
               ON other.id = edge.parent_id
            WHERE edge.child_id = child.id AND other.state <> 'done');
END $$
"""

CREATE = f"{_RELEASE_CHILDREN}; {_FENCE_LOST}"
DROP = """
DROP FUNCTION IF EXISTS queue_job_fence_lost(integer, integer);
DROP FUNCTION IF EXISTS queue_job_release_children(integer)
"""


def prepare(cr: Any) -> None:
    """Have the statements ready on the connection of this cursor."""
    if _MEMORY not in cr.memory:
        cr.execute_unflushed(_STATEMENTS)
        cr.memory[_MEMORY] = True
