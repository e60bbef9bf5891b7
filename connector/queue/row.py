"""A job as a row of `queue_job`: what is kept of a new one, and the job of a stored one."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

from connector.exception import JobArgumentError
from connector.queue import codec
from connector.queue.call import Job
from connector.queue.method import call_method
from connector.queue.state import State

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
    job.worker_uuid = row.get("worker")
    for name in ("eta", "date_enqueued", "date_started", "date_done", "result", "exc_info"):
        setattr(job, name, row.get(name))
    job.is_stored = True
    return job


def row_of(job: Job, state: State) -> dict[str, Any]:
    """
    What is kept of a new job, as `insert` takes it.

    Raises:
        JobArgumentError: an argument, or another value, cannot be kept.
    """
    args = [_kept_argument(job, index, value) for index, value in enumerate(job.args)]
    kwargs = {name: _kept(job, name, value) for name, value in job.kwargs.items()}
    return {
        "uuid": job.uuid,
        "name": codec.encode(job.description, "the description"),
        "func_string": _func_string(job),
        "state": state,
        "channel": job.channel,
        "default_channel": getattr(job.func, "default_channel", "root"),
        "priority": job.priority,
        "eta": job.eta.isoformat() if job.eta else None,
        "max_retries": job.max_retries,
        "func_name": job.func_name,
        "model_name": codec.encode(job.model_name, "the model's name"),
        "args": args,
        "kwargs": kwargs,
        "user_id": job.user_id,
        "company_id": job.company_id,
        "context": codec.encode(dict(job.context), "the context"),
        "identity_key": codec.encode(job.identity_key, "the identity key"),
        "date_created": job.date_created.isoformat(),
    }


def keepable(context: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a context that has a JSON form; the rest is of this process only."""
    return {key: value for key, value in context.items() if codec.is_keepable({key: value})}


def insert(cr: Any, rows: Sequence[dict[str, Any]]) -> None:
    """Write new jobs with one statement, which answers the uuids of those it has written."""
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    cr.execute_unflushed(_INSERT, {"rows": text})


def _kept_argument(job: Job, index: int, value: Any) -> Any:
    try:
        return codec.encode(value)
    except JobArgumentError:
        return _kept(job, _parameter(job, index), value)


def _kept(job: Job, name: str, value: Any) -> Any:
    called = job.func_name if job.func is not call_method else f"{job.model_name}.{job.args[2]}"
    return codec.encode(value, f"the argument {name!r} of {called}")


def _parameter(job: Job, index: int) -> str:
    """The name of a positional argument; session or self comes before all of them."""
    func = job.func
    if func is call_method and index < 3:
        return ("model_name", "records", "method")[index]
    if func is call_method:
        # After model, records and name of the method come the arguments of that.
        func, index = getattr(type(job.args[1]), job.args[2]), index - 3
    for place, (name, parameter) in enumerate(list(inspect.signature(func).parameters.items())[1:]):
        if parameter.kind is parameter.VAR_POSITIONAL:
            return f"{name}[{index - place}]"
        if place == index:
            return name
    return f"number {index}"


def _func_string(job: Job) -> str:
    return codec.printable(job.func_string)
