"""Jobs of every temper."""

import itertools
import os
import time

from connector.connector import pg_try_advisory_lock
from connector.exception import FailedJobError, NothingToDoJob, RetryableJobError
from connector.queue.job import job

EFFECT = "queue.sample.effect"


@job(default_channel="root.sample", retry_pattern={1: 1})
def leave_effect(session, model_name, label):
    """Leave an effect."""
    session.env[model_name].create({"label": label, "process": os.getpid()})
    return f"left {label}"


@job
def leave_effect_slowly(session, model_name, label, seconds):
    """Leave an effect, then take time in Python."""
    session.env[model_name].create({"label": label, "process": os.getpid()})
    session.env[model_name].search([])
    time.sleep(seconds)


@job
def leave_effect_in_a_long_statement(session, model_name, label, seconds):
    """Leave an effect, then take time in PostgreSQL."""
    session.env[model_name].create({"label": label, "process": os.getpid()})
    session.env.cr.execute("SELECT pg_sleep(%s)", (seconds,))


@job
def hang_at_first(session, model_name, label, seconds):
    """Leave an effect; in the first attempt, then hang in one statement of PostgreSQL."""
    session.env[model_name].create({"label": label, "process": os.getpid()})
    session.env.cr.execute(
        "SELECT attempt FROM queue_job WHERE uuid = %s", (session.context["job_uuid"],)
    )
    if session.env.cr.fetchone()[0] == 1:
        session.env.cr.execute("SELECT pg_sleep(%s)", (seconds,))


@job(retry_pattern={1: 1})
def succeed_at_try(session, model_name, label, wanted):
    """Ask for a retry until the wanted try, leaving an effect each time."""
    session.env[model_name].create({"label": label})
    session.env.cr.execute(
        "SELECT retry FROM queue_job WHERE uuid = %s", (session.context["job_uuid"],)
    )
    if session.env.cr.fetchone()[0] < wanted:
        raise RetryableJobError("Not yet")


@job
def ask_for_seconds(session, model_name, seconds, ignore_retry):
    """Ask to come back."""
    raise RetryableJobError("Come back", seconds=seconds, ignore_retry=ignore_retry)


@job
def fail(session, model_name, label):
    """Leave an effect and fail."""
    session.env[model_name].create({"label": label})
    session.env[model_name].search([])
    raise FailedJobError("A person is needed")


@job
def find_nothing(session, model_name):
    """Have nothing to do."""
    raise NothingToDoJob("The record is gone")


@job
def commit_in_between(session, model_name, label, seconds):
    """Leave an effect before and one after a checkpoint."""
    session.env[model_name].create({"label": f"{label} before"})
    assert pg_try_advisory_lock(session.env, f"sample:{label}")
    session.commit()
    session.env.cr.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
    time.sleep(seconds)
    session.env[model_name].create({"label": f"{label} after"})


@job
def make_unique(session, model_name, code, seconds):
    """Make a record unless it is there, with time for another one to make it meanwhile."""
    if session.env[model_name].search([("code", "=", code)]):
        return "found"
    time.sleep(seconds)
    session.env[model_name].create({"code": code})
    return "made"


@job
def conflict(session, model_name, label):
    """Meet a serialization failure in the first run, none in the second."""
    session.env[model_name].create({"label": label})
    if not _conflicts:
        _conflicts.append(label)
        session.env.cr.execute(
            "DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'serialization_failure'; END $$"
        )
    _conflicts.clear()


_conflicts: list[str] = []


@job
def die(session, model_name, label):
    """Leave an effect and kill the own process."""
    session.env[model_name].create({"label": label})
    session.env[model_name].search([])
    os.kill(os.getpid(), 9)


@job
def refuse_to_end(session, model_name, label):
    """Leave an effect and swallow every error that would end the job."""
    session.env[model_name].create({"label": label})
    session.env[model_name].search([])
    while True:
        try:
            time.sleep(60)
        except Exception:
            continue


@job
def hold_the_interpreter(session, model_name, label):
    """Leave an effect and compute in C, where Python delivers no signal, for hours."""
    session.env[model_name].create({"label": label})
    session.env[model_name].search([])
    return sum(itertools.repeat(1, 10**14))
