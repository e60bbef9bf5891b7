"""
The runner: one job, one session, one cursor; it alone begins and ends the job's transactions.

The lock of the job lives on the connection that carries its effect, so both die together.
`started` is committed under the lock; the effect and `done` are one commit, fenced by the
attempt.  A message that comes twice finds no enqueued job, or the lock taken, and does nothing.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from connector import config
from connector.connector import held_locks, try_locks
from connector.core import sql
from connector.core.environment import Environment
from connector.core.modules import identity
from connector.core.registry import Registry
from connector.exception import ConnectorException, RetryableJobError
from connector.queue import codec, transitions
from connector.queue.call import Job
from connector.queue.retry import chance, conflict_wait
from connector.queue.storage import job_of
from connector.queue.transitions import Start
from connector.session import ConnectorSession, checkpoints_by
from queue_worker.databases import asleep_message
from queue_worker.deadline import Deadline
from queue_worker.outcome import Failed, Finished, Lost, Outcome, Postponed, Rerun, decide
from queue_worker.race import is_race

logger = logging.getLogger(__name__)

#: A job whose record locks were taken by another one during a checkpoint comes back after it.
LOCK_RETRY_SECONDS = 2
#: Times that the end of a job is written again because another transaction was in the way.
WRITE_TRIES = 5
#: Of PostgreSQL's own limits beyond the job's, so that the job's error comes first.
SERVER_MARGIN_SECONDS = 10

_LIMITS = """
SELECT set_config('statement_timeout', %(ms)s, true),
       set_config('idle_in_transaction_session_timeout', %(ms)s, true)
"""


class FenceLostError(ConnectorException):
    """Another start of the job has taken over; this one must not write anything."""


def worker_label() -> str:
    """Where a job runs, as its row shows it: `host:pid`."""
    return f"{socket.gethostname()}:{os.getpid()}"


def run(database: str, uuid: str) -> None:
    """
    Run the job if it is still enqueued; what becomes of it is written in its row.

    Nothing is raised for an error of the job.

    Raises:
        DatabaseUnreachableError: PostgreSQL is away; the job stays enqueued for the sweep.
    """
    with Environment.manage():
        registry = Registry(database)
        cr = registry.cursor(config.current().job_isolation_level)
        try:
            registry = registry.check_signaling(cr)
            if _is_asleep(registry, cr):
                logger.warning("%s", asleep_message(database))
                return
            row = transitions.start(cr, uuid, worker_label())
            if row is None:
                transitions.release_locks(cr)
                logger.info("Message without a job to do", extra={"job": uuid})
                return
            cr.commit()
            JobRun(registry, cr, row).run()
            if not cr.connection.closed:
                transitions.release_locks(cr)
        except sql.errors.Error as error:
            if not sql.errors.is_connection_lost(error):
                raise
            logger.warning("Connection lost; the sweep decides", extra={"job": uuid})
        finally:
            cr.close()
        registry.signal_changes()


def _is_asleep(registry: Registry, cr: sql.Cursor) -> bool:
    """Whether the database is a copy; one that is itself stays so for as long as it is loaded."""
    if registry not in _awake:
        if identity.is_asleep(cr):
            return True
        _awake.add(registry)
    return False


#: Registries of databases that are no copies.
_awake: WeakSet[Registry] = WeakSet()


class JobRun:
    """One start of one job, from its call to the state that is written for it."""

    def __init__(self, registry: Registry, cr: sql.Cursor, row: dict[str, Any]) -> None:
        self._registry = registry
        self._cr = cr
        self._row = row
        self._fence = Start(row["id"], row["attempt"], row["identity_key"])
        self._deadline = Deadline(config.current().job_timeout, cr.connection.cancel)

    def run(self) -> None:
        """Run the job, again in place where it conflicts, and write down what came of it."""
        runs = 1
        while isinstance(outcome := self._run_once(runs), Rerun):
            logger.info("Job conflicts, runs again", extra={"job": self._row["uuid"]})
            time.sleep(conflict_wait(runs - 1, chance))
            runs += 1
        self._conclude(outcome)

    def _run_once(self, runs: int) -> Outcome | None:
        """None when effect and `done` are committed, or the fence is lost."""
        job = None
        try:
            with checkpoints_by(self._cr, self._checkpoint), self._deadline.armed():
                session = self._session()
                job = job_of(self._row, session.env)
                result = job.perform(session)
                _flush(self._cr)
            self._finish(_text(result))
            return None
        except FenceLostError:
            self._cr.rollback()
            logger.warning("Job was taken over", extra={"job": self._row["uuid"]})
            return None
        except BaseException as error:
            return self._outcome(error, job, runs)

    def _outcome(self, error: BaseException, job: Job | None, runs: int) -> Outcome:
        if isinstance(error, sql.errors.QueryCanceled) and self._deadline.passed:
            cancelled, error = error, self._deadline.error()
            error.__cause__ = cancelled
        if not self._cr.connection.closed:
            _rolled_back(self._cr)
        outcome = decide(
            error,
            job or Job(self._row["func_name"], max_retries=self._row["max_retries"]),
            runs=runs,
            is_lost=bool(self._cr.connection.closed),
            is_race=lambda cause: is_race(cause, self._registry),
        )
        if isinstance(error, SystemExit | KeyboardInterrupt):
            self._conclude(outcome)
            raise error
        return outcome

    def _session(self) -> ConnectorSession:
        self._set_limits()
        context = codec.decode(self._row["context"] or {}, None)
        context["job_uuid"] = self._row["uuid"]
        if self._row["company_id"]:
            context.setdefault("company_id", self._row["company_id"])
        return ConnectorSession(self._cr, self._row["user_id"], context)

    def _set_limits(self) -> None:
        seconds = self._deadline.seconds
        limit = seconds + SERVER_MARGIN_SECONDS if seconds else 0
        self._cr.execute_unflushed(_LIMITS, {"ms": str(int(limit * 1000))})

    def _checkpoint(self) -> None:
        """
        Commit in the middle of the job; `session.commit()` in a job leads here.

        Raises:
            FenceLostError: another start has taken over; nothing is committed.
            RetryableJobError: another job took one of the record locks meanwhile.
        """
        cr = self._cr
        with self._deadline.lifted():
            locks = held_locks(cr)
            if not transitions.holds_fence(cr, self._fence):
                raise FenceLostError("Another start of the job has taken over.")
            cr.commit()
            self._set_limits()
            missing = locks - try_locks(Environment(cr, self._row["user_id"], {}), locks)
        if missing:
            raise RetryableJobError(
                f"Another job took the lock {min(missing)!r} at a checkpoint.",
                seconds=LOCK_RETRY_SECONDS,
                ignore_retry=True,
            )

    def _finish(self, result: str | None) -> None:
        if not transitions.finish(self._cr, self._fence, result):
            raise FenceLostError("Another start of the job has taken over.")
        self._cr.commit()

    def _conclude(self, outcome: Outcome | None) -> None:
        match outcome:
            case Finished(result):
                self._write(lambda cr: transitions.finish(cr, self._fence, result))
            case Postponed(seconds, note, exc_name, spent):
                logger.info("Job comes back: %s", note, extra={"job": self._row["uuid"]})
                self._write(
                    lambda cr: transitions.postpone(
                        cr,
                        self._fence,
                        seconds=seconds,
                        note=note,
                        exc_name=exc_name,
                        spent=spent,
                    )
                )
            case Failed(exc_name, message, exc_info):
                logger.error("Job failed: %s", message, extra={"job": self._row["uuid"]})
                self._write(
                    lambda cr: transitions.fail(
                        cr, self._fence, exc_name=exc_name, message=message, exc_info=exc_info
                    )
                )
            case Lost():
                logger.warning(
                    "Connection lost; the sweep decides", extra={"job": self._row["uuid"]}
                )

    def _write(self, change: Callable[[sql.Cursor], bool]) -> None:
        """Write the end of a job in a transaction of its own; the effect is rolled back."""
        for last in (*[False] * (WRITE_TRIES - 1), True):
            try:
                change(self._cr)
                self._cr.commit()
                return
            except (sql.errors.UniqueViolation, sql.errors.OperationalError) as error:
                lost = sql.errors.is_connection_lost(error)
                if lost or last:
                    raise
                self._cr.rollback()


def _flush(cr: sql.Cursor) -> None:
    """Send what waits while the job's time still counts; its errors are the job's."""
    if cr.transaction is not None:
        cr.transaction.flush()


def _rolled_back(cr: sql.Cursor) -> None:
    try:
        cr.rollback()
    except sql.errors.Error:
        logger.debug("The rollback failed", exc_info=True)


def _text(result: Any) -> str | None:
    """What the row keeps of a result: text as it is, other values as JSON where they have one."""
    if result is None or isinstance(result, str):
        return result or None
    return codec.dumps(result) if codec.is_keepable(result) else repr(result)
