"""
Periodic jobs: each occurrence of a row of `ir_cron` becomes one job.

The dispatcher hands occurrences out: the job and the time of the next occurrence are one commit,
under the lock of the row, so that any number of machines makes one job of each.

Moments are UTC.

Of occurrences that were missed, each one runs where `doall` is set, else one stands for all.
Both are told in the description of the job and in the log.
"""

from __future__ import annotations

import ast
import logging
from datetime import datetime
from typing import Any

from connector.connector import pg_try_advisory_lock
from connector.core import sql
from connector.exception import (
    ConnectorException,
    FailedJobError,
    NothingToDoJob,
    RetryableJobError,
)
from connector.queue.call import Job
from connector.queue.function import register
from connector.queue.method import method_of
from connector.queue.rhythm import Rhythm, day_of_month
from connector.queue.row import insert, row_of
from connector.queue.state import State
from connector.session import ConnectorSession

logger = logging.getLogger(__name__)

CHANNEL = "root.cron"
#: Rows looked at, and occurrences of one row handed out, in one transaction.
LIMIT = 100
#: A run that would overlap the one before it comes back after this time.
OVERLAP_SECONDS = 10

_DUE = """
SELECT cron.id, cron.name, cron.priority, cron.numbercall, cron.doall, cron.user_id,
       users.company_id, cron.nextcall, cron.month_day, cron.interval_number, cron.interval_type,
       clock_timestamp() AT TIME ZONE 'UTC' AS now
  FROM ir_cron AS cron LEFT JOIN res_users AS users ON users.id = cron.user_id
 WHERE cron.active AND cron.numbercall <> 0
   AND cron.nextcall <= clock_timestamp() AT TIME ZONE 'UTC'
 ORDER BY cron.nextcall, cron.id LIMIT %(limit)s
   FOR NO KEY UPDATE OF cron SKIP LOCKED
"""

_ADVANCE = """
UPDATE ir_cron
   SET nextcall = %(next)s, month_day = %(day)s, numbercall = %(left)s, active = %(left)s <> 0
 WHERE id = %(id)s
"""

_CALL = "SELECT name, model, function, args FROM ir_cron WHERE id = %(id)s"


def run_cron(session: ConnectorSession, model_name: str, cron_id: int, occurrence: datetime) -> Any:
    """Run a periodic job."""
    if not pg_try_advisory_lock(session.env, f"cron:{cron_id}"):
        raise RetryableJobError(
            f"The run of cron {cron_id} before this one is not over.",
            seconds=OVERLAP_SECONDS,
            ignore_retry=True,
        )
    session.cr.execute(_CALL, {"id": cron_id})
    cron = session.cr.dictfetchone()
    if cron is None:
        raise NothingToDoJob("The cron is not there any more.")
    if cron["model"] not in session.env:
        raise FailedJobError(
            f"Cron {cron['name']!r} calls the model {cron['model']!r}, which is not there. "
            "Install its addon, or switch the cron off."
        )
    records = session.env[cron["model"]]
    return method_of(records, cron["function"])(*_arguments(cron))


run_cron.default_channel = CHANNEL  # type: ignore[attr-defined]  # as @job sets it
register(run_cron)


def hand_out(cr: Any) -> int:
    """Make jobs of all occurrences that are due; answer how many; the caller commits."""
    cr.execute_unflushed(_DUE, {"limit": LIMIT})
    return sum(_hand_out_safely(cr, cron) for cron in cr.dictfetchall())


def _hand_out_safely(cr: Any, cron: dict[str, Any]) -> int:
    """One row that cannot be handed out stops neither the others nor the dispatcher."""
    try:
        with cr.savepoint():
            return _hand_out(cr, cron)
    except (sql.errors.Error, ConnectorException) as error:
        if sql.errors.is_connection_lost(error):
            raise
        logger.exception(
            "Cron %r cannot be handed out, and is switched off. Mend it and switch it on.",
            cron["name"],
            extra={"cron": cron["id"]},
        )
        cr.execute_unflushed("UPDATE ir_cron SET active = false WHERE id = %(id)s", cron)
        return 0


def _hand_out(cr: Any, cron: dict[str, Any]) -> int:
    day = day_of_month(cron["nextcall"], cron["month_day"])
    rhythm = Rhythm(cron["nextcall"], cron["interval_number"], cron["interval_type"], day)
    number, left = rhythm.count_until(cron["now"]), cron["numbercall"]
    if cron["doall"]:
        runs = range(min(number, LIMIT if left < 0 else min(LIMIT, left)))
    else:
        runs = range(number - 1, number)
    missed = number - 1
    if missed:
        logger.warning(
            "Cron %r has missed %d runs", cron["name"], missed, extra={"cron": cron["id"]}
        )
    jobs = [_job(cron, rhythm.moment(index), missed) for index in runs]
    insert(cr, [row_of(job, State.PENDING) for job in jobs])
    left = left if left < 0 else left - len(runs)
    following = rhythm.moment(runs.stop)
    cr.execute_unflushed(_ADVANCE, {**cron, "next": following, "day": day, "left": left})
    return len(runs)


def _job(cron: dict[str, Any], moment: datetime, missed: int) -> Job:
    told = f", {missed} missed" if missed else ""
    job = Job(
        run_cron,
        model_name="ir.cron",
        args=("ir.cron", cron["id"], moment),
        priority=cron["priority"],
        description=f"Cron {cron['name']} of {moment:%Y-%m-%d %H:%M}{told}",
        # A run that has not begun stands for the next one; those to be caught up are each one.
        identity_key=f"cron:{cron['id']}:{moment if cron['doall'] else 'next'}",
    )
    job.user_id, job.company_id = cron["user_id"], cron["company_id"]
    return job


def _arguments(cron: dict[str, Any]) -> tuple[Any, ...]:
    try:
        return tuple(ast.literal_eval(cron["args"] or "()"))
    except (ValueError, SyntaxError, TypeError) as error:
        raise FailedJobError(
            f"The arguments of cron {cron['name']!r} are no tuple: {cron['args']!r}. Mend them."
        ) from error
