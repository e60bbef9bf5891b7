"""
Telling those who follow a job that it has failed, after the failure is committed.

The runner tells it in the same process.  A job whose worker died is failed by the sweep, which
knows no models; it writes a job that tells it.
"""

from __future__ import annotations

from typing import Any

from connector.core import SUPERUSER_ID
from connector.queue.call import Job
from connector.queue.function import register
from connector.queue.row import insert, row_of
from connector.queue.state import State
from connector.session import ConnectorSession


def tell(session: ConnectorSession, uuid: str) -> None:
    """Let the Connector Managers follow a job, if it is failed, and post a message on it."""
    jobs = session.env["queue.job"].search([("uuid", "=", uuid)])
    jobs.filtered(lambda job: job.state == State.FAILED).tell_failed()


def tell_failure(session: ConnectorSession, model_name: str, uuid: str) -> None:
    """Tell that a job has failed whose worker died."""
    tell(session, uuid)


register(tell_failure)


def tell_later(cr: Any, uuid: str, func_name: str) -> None:
    """Write the job that tells it, for whoever has no models; the caller commits."""
    job = Job(tell_failure, model_name="queue.job", args=("queue.job", uuid))
    if func_name == job.func_name:
        return  # one that kills its worker must not make others
    job.user_id = SUPERUSER_ID
    insert(cr, [row_of(job, State.PENDING)])
