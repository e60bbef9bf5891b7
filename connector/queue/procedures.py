"""
The two functions in the database that begin and end a job, each with one call and planned once.

    queue_job_start(uuid, worker, patient)    the row as JSON; NULL when it is not to be started
    queue_job_done(id, attempt, result)       raises `FENCE_LOST` when another start has the job
"""

from connector.core.modules.signaling import CACHE_SEQUENCE, REGISTRY_SEQUENCE

#: First integer of the lock that the connection of a running job holds; the job's id follows.
JOB_LOCK_CLASS = 0x6A6F62
#: The SQLSTATE of an end that comes too late.
FENCE_LOST = "QJ001"

# The lock is taken for the found row only; in a WHERE clause the planner would choose what it is
# tried for.  One who is not patient starts the job together with the end of another one, and
# must not wait there for whoever holds the row.
_START = f"""
CREATE OR REPLACE FUNCTION queue_job_start(wanted text, runner text, patient boolean)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    target integer;
    started json;
BEGIN
    SELECT id INTO target FROM queue_job WHERE uuid = wanted AND state = 'enqueued';
    IF target IS NULL OR NOT pg_try_advisory_lock({JOB_LOCK_CLASS}, target) THEN
        RETURN NULL;
    END IF;
    IF NOT patient THEN
        PERFORM FROM queue_job WHERE id = target FOR NO KEY UPDATE SKIP LOCKED;
        IF NOT FOUND THEN
            PERFORM pg_advisory_unlock({JOB_LOCK_CLASS}, target);
            RETURN NULL;
        END IF;
    END IF;
    UPDATE queue_job AS job
       SET state = 'started', attempt = job.attempt + 1, retry = job.retry + 1,
           date_started = (clock_timestamp() AT TIME ZONE 'UTC'), worker = runner
     WHERE job.id = target AND job.state = 'enqueued'
    RETURNING (SELECT row_to_json(kept) FROM (SELECT
        job.id, job.uuid, job.attempt, job.retry, job.max_retries, job.identity_key,
        job.func_name, job.model_name, job.args, job.kwargs, job.channel, job.priority,
        job.user_id, job.company_id, job.context, job.name, job.date_created,
        (SELECT last_value FROM {REGISTRY_SEQUENCE}) AS registry_signal,
        (SELECT last_value FROM {CACHE_SEQUENCE}) AS cache_signal) AS kept) INTO started;
    IF started IS NULL THEN
        PERFORM pg_advisory_unlock({JOB_LOCK_CLASS}, target);
    END IF;
    RETURN started::text;
END $$
"""  # noqa: S608 - names and numbers of the code

# Where nothing waits for the job, which is the rule, its children cost one look.
_DONE = f"""
CREATE OR REPLACE FUNCTION queue_job_done(job_id integer, mine integer, answer text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE queue_job
       SET state = 'done', result = answer, date_done = (clock_timestamp() AT TIME ZONE 'UTC'),
           exc_name = NULL, exc_message = NULL, exc_info = NULL
     WHERE id = job_id AND state = 'started' AND attempt = mine;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'job % is not started in attempt %', job_id, mine
              USING ERRCODE = '{FENCE_LOST}';
    END IF;
    IF EXISTS (SELECT FROM queue_job_dependency WHERE parent_id = job_id) THEN
        PERFORM queue_job_release_children(job_id);
    END IF;
END $$
"""  # noqa: S608 - a name of the code

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

CREATE = f"{_RELEASE_CHILDREN}; {_START}; {_DONE}"
DROP = """
DROP FUNCTION IF EXISTS queue_job_start(text, text, boolean);
DROP FUNCTION IF EXISTS queue_job_done(integer, integer, text);
DROP FUNCTION IF EXISTS queue_job_release_children(integer)
"""
