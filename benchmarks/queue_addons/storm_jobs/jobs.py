"""
Jobs that leave one effect each, with the name of what they do meanwhile.

Their effect is in PostgreSQL before they wait: a job that is killed has something to lose.
"""

import time

from connector.exception import FailedJobError, RetryableJobError
from connector.queue.job import job


def _leave(session, model_name, label):
    session.cr.execute("INSERT INTO storm_effect (label) VALUES (%s)", (label,))


def _count(session, column):
    session.cr.execute(
        f"SELECT {column} FROM queue_job WHERE uuid = %s", (session.context["job_uuid"],)
    )
    return session.cr.fetchone()[0]


@job
def insert(session, model_name, label):
    """Leave an effect."""
    _leave(session, model_name, label)


@job(default_channel="root.quick")
def quick(session, model_name, label):
    """Leave an effect; of this channel a worker takes several at a time."""
    _leave(session, model_name, label)


@job
def keyed(session, model_name, label):
    """Leave an effect; it is delayed twice with one identity key."""
    _leave(session, model_name, label)


@job
def after(session, model_name, label):
    """Leave an effect, when another job is done."""
    _leave(session, model_name, label)


@job(default_channel="root.think")
def think(session, model_name, label, seconds):
    """Leave an effect and take time in Python."""
    _leave(session, model_name, label)
    time.sleep(seconds)


@job
def query(session, model_name, label, seconds):
    """Leave an effect and take time in PostgreSQL."""
    _leave(session, model_name, label)
    session.cr.execute("SELECT pg_sleep(%s)", (seconds,))


@job(default_channel="root.hang")
def hang(session, model_name, label):
    """Leave an effect, and hang in a statement for ten minutes unless it was killed before."""
    _leave(session, model_name, label)
    if _count(session, "attempt") == 1:
        session.cr.execute("SELECT pg_sleep(600)")


@job(retry_pattern={1: 1})
def again(session, model_name, label):
    """Leave an effect; ask for another try until the third."""
    _leave(session, model_name, label)
    if _count(session, "retry") < 3:
        raise RetryableJobError("Not yet")


@job
def refuse(session, model_name, label):
    """Leave an effect and fail, so that it is taken back."""
    _leave(session, model_name, label)
    raise FailedJobError("A person is needed")
