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
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from connector import config
from connector.connector import held_locks, try_locks
from connector.core import sql
from connector.core.environment import Environment
from connector.core.modules import identity
from connector.core.registry import Registry
from connector.exception import ConnectorException, FailedJobError, RetryableJobError
from connector.queue import codec, transitions
from connector.queue.call import Job
from connector.queue.retry import chance, conflict_wait
from connector.queue.row import job_of
from connector.queue.transitions import Start
from connector.session import ConnectorSession, checkpoints_by
from queue_worker.conclusion import conclude, roll_back
from queue_worker.deadline import Deadline
from queue_worker.outcome import Outcome, Postponed, Rerun, WorkerStops, decide
from queue_worker.race import is_race

logger = logging.getLogger(__name__)

#: A job whose record locks were taken by another one during a checkpoint comes back after it.
LOCK_RETRY_SECONDS = 2
#: A job comes back after it when the models of its database cannot be loaded.
LOAD_RETRY_SECONDS = 10
#: Of PostgreSQL's own limits beyond the job's, so that the job's error comes first.
SERVER_MARGIN_SECONDS = 10
#: Kept by the connection too: it must end a session whose statement has failed, and who hangs then.
_SILENCE = "idle_in_transaction_session_timeout"
_AWAKE = "is no copy"


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
    for _ in run_group(database, [uuid], lambda: False):
        pass


def run_group(database: str, uuids: Sequence[str], is_to_end: Callable[[], bool]) -> Iterator[str]:
    """
    Run jobs one after the other; answer each when it begins.  Errors as of `run`.

    A job is started in the commit that ends the one before.  Until then it is enqueued, under a
    lock of this connection: when the process dies, a try is spent for the one that was running
    alone.  When *is_to_end*, those that have not begun are given back.
    """
    line = deque(uuids)
    cr = sql.connect(database).chained_cursor(config.current().job_isolation_level)
    limits = _limits(config.current().job_timeout)
    cr.set_in_each(limits)
    cr.keep_set({_SILENCE: limits[_SILENCE]})
    try:
        registry = Registry(database)
        if _is_asleep(cr):
            logger.warning("%s", identity.asleep_message(database))
            return
        if len(line) > 1:
            transitions.lock_enqueued(cr, uuids)
        row = None
        while row or (line and not is_to_end()):
            row = row or transitions.start_and_begin(cr, line[0], worker_label())
            uuid = line.popleft()
            if row is None:
                logger.info("Message without a job to do", extra={"job": uuid})
                continue
            yield uuid
            with Environment.manage():
                run = JobRun(registry, cr, row, line[0] if line and not is_to_end() else None)
                run.run()
            cr.transaction = None  # the next job knows nothing of this one
            registry, row = run.registry, run.follower
            registry.signal_changes()
    except sql.errors.Error as error:
        if not sql.errors.is_connection_lost(error):
            raise
        logger.warning("Connection lost; the sweep decides", extra={"job": uuids[0]})
    finally:
        _leave(cr, line)


def _leave(cr: sql.ChainedCursor, line: Collection[str]) -> None:
    """Give back what has not begun, and the connection without a lock."""
    try:
        if not cr.connection.closed and (line or cr.may_hold_session_locks):
            cr.rollback()
            transitions.take_back(cr, list(line))
            cr.commit()
            transitions.release_locks(cr)
    except sql.errors.Error:
        logger.debug("The sweep will find what was not begun", exc_info=True)
    finally:
        cr.close()


def _is_asleep(cr: sql.Cursor) -> bool:
    """Whether the database is a copy; asked once a connection, which sees one database only."""
    if _AWAKE not in cr.memory:
        if identity.is_asleep(cr):
            return True
        cr.memory[_AWAKE] = True
    return False


def _limits(seconds: float) -> dict[str, int]:
    """PostgreSQL's own limits of a job, in milliseconds; none is no limit, whatever it has else."""
    limit = int((seconds + SERVER_MARGIN_SECONDS) * 1000) if seconds else 0
    return {"statement_timeout": limit, _SILENCE: limit}


def _postponed_by(error: Exception) -> Postponed:
    note = f"The models cannot be loaded: {error}"
    return Postponed(LOAD_RETRY_SECONDS, note, type(error).__name__, spent=False)


class JobRun:
    """One start of one job, from its call to the state that is written for it."""

    def __init__(
        self, registry: Registry, cr: sql.ChainedCursor, row: dict[str, Any], next_: str | None
    ) -> None:
        #: another one after `run`, where another process has changed the models
        self.registry = registry
        #: the row of the job *next_*, where it was started in the commit that ended this one
        self.follower: dict[str, Any] | None = None
        self._cr = cr
        self._row = row
        self._next = next_ if cr.isolation_level == sql.READ_COMMITTED else None
        self._fence = Start(row["id"], row["attempt"], row["identity_key"])
        self._deadline = Deadline(config.current().job_timeout, cr.connection.cancel)

    def run(self) -> None:
        """Run the job, again in place where it conflicts, and write down what came of it."""
        try:
            self._follow_signals()
        except Exception as error:
            # Not the job's fault: the models cannot be loaded as they are now.
            self._conclude(_postponed_by(error))
            raise
        runs = 1
        while isinstance(outcome := self._run_once(runs), Rerun):
            logger.info("Job conflicts, runs again", extra={"job": self._row["uuid"]})
            time.sleep(conflict_wait(runs - 1, chance))
            runs += 1
        self._conclude(outcome)

    def _follow_signals(self) -> None:
        numbers = self._row["registry_signal"], self._row["cache_signal"]
        self.registry = self.registry.check_signaling(self._cr, numbers)

    def _run_once(self, runs: int) -> Outcome | None:
        """None when effect and `done` are committed, or the fence is lost."""
        job = None
        try:
            with checkpoints_by(self._cr, self._checkpoint), self._deadline.armed():
                session = self._session()
                job = job_of(self._row, session.env)
                result = job.call(session)
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
        roll_back(self._cr)
        outcome = decide(
            error,
            job or Job(self._row["func_name"], max_retries=self._row["max_retries"]),
            runs=runs,
            is_lost=bool(self._cr.connection.closed),
            is_race=lambda cause: is_race(cause, self.registry),
        )
        if isinstance(error, WorkerStops | KeyboardInterrupt):
            self._conclude(outcome)
            raise error
        return outcome

    def _session(self) -> ConnectorSession:
        if self._row["user_id"] is None:
            raise FailedJobError(
                "The user that the job works for is not there any more. "
                "Cancel the job, and delay it again as another one."
            )
        context = codec.decode(
            self._row["context"] or {}, Environment(self._cr, self._row["user_id"], {})
        )
        context["job_uuid"] = self._row["uuid"]
        if self._row["company_id"]:
            context.setdefault("company_id", self._row["company_id"])
        return ConnectorSession(self._cr, self._row["user_id"], context)

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
            missing = locks - try_locks(Environment(cr, self._row["user_id"], {}), locks)
        if missing:
            raise RetryableJobError(
                f"Another job took the lock {min(missing)!r} at a checkpoint.",
                seconds=LOCK_RETRY_SECONDS,
                ignore_retry=True,
            )

    def _finish(self, result: str | None) -> None:
        try:
            if self._next is None:
                transitions.finish_and_end(self._cr, self._fence, result)
            else:
                self.follower = transitions.finish_and_start(
                    self._cr, self._fence, result, self._next, worker_label()
                )
        except sql.errors.Error as error:
            if not transitions.is_fence_lost(error):
                raise
            raise FenceLostError("Another start of the job has taken over.") from error

    def _conclude(self, outcome: Outcome | None) -> None:
        conclude(self._cr, self._row["uuid"], self._fence, outcome)


def _flush(cr: sql.Cursor) -> None:
    """Send what waits while the job's time still counts; its errors are the job's."""
    if cr.transaction is not None:
        cr.transaction.flush()


def _text(result: Any) -> str | None:
    """What the row keeps of a result: text as it is, other values as JSON where they have one."""
    if result is None:
        return None
    if isinstance(result, str) or not codec.is_keepable(result):
        return codec.printable(str(result)) or None
    return codec.dumps(result)
