"""
A worker that runs each job in a child process of its own.

What a job leaves in memory, leaks or breaks goes with its child.  The worker holds no connection
to PostgreSQL when it forks; the child opens its own and takes the lock of the job on it, so that
the lock lives exactly as long as the one who does the work:

    the child is killed     the lock is free, the sweep puts the job back
    the worker is killed    the child brings its job to its end; until then nobody else may start it
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from redis import Redis

from connector import config
from connector.core import sql
from connector.core.exceptions import CoreError, DatabaseUnreachableError
from connector.core.registry import Registry
from connector.embedded import locks
from queue_worker import deadline, runner
from queue_worker.outcome import WorkerStops
from queue_worker.worker import BEAT_SECONDS, Worker

logger = logging.getLogger(__name__)

#: Asks a child to stop its job.
STOP_SIGNAL = signal.SIGUSR1
#: How a child ends that has met no error of its own; the job's errors are none.
WENT_WELL = 0
#: PostgreSQL was away, or the database is not there.
CANNOT_WORK = 75
BROKE_DOWN = 70
#: Seconds for a child to give its job back before it is killed.
GIVE_BACK_SECONDS = 3.0
#: How old the models may be that a child begins with; an older one loads the newer ones itself.
CHECK_SECONDS = 1.0


class ForkingWorker(Worker):
    """Takes messages as `Worker` does; a child process runs each job and ends with it."""

    group = 1

    def __init__(self, connection: Redis, *, max_memory: int | None = None) -> None:
        super().__init__(connection, max_memory=max_memory)
        self._checked: dict[str, float] = {}

    def run_job(self, database: str, uuid: str) -> None:
        """
        Fork, let the child run the job, and wait for its end.

        Raises:
            DatabaseUnreachableError: the child could not work; the job waits for the sweep.
        """
        self._prepare(database)
        pid = os.fork()
        if pid == 0:
            _be_child(database, uuid)
        self._horse_pid = pid
        try:
            _, status = os.waitpid(pid, 0)
        finally:
            self._horse_pid = 0
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            logger.warning("Child %d was killed by signal %d; the sweep decides", pid, -code)
        elif code == CANNOT_WORK:
            raise DatabaseUnreachableError(f"Child {pid} could not work on {database!r}.")

    def kill_horse(self, sig: signal.Signals = STOP_SIGNAL) -> None:
        """Ask the child to stop its job, if there is a child."""
        if self._horse_pid:
            with suppress(ProcessLookupError):
                os.kill(self._horse_pid, sig)

    def request_force_stop(self, signum: int, frame: FrameType | None) -> None:
        """The second signal: the child gives its job back, and both end."""
        child, self._horse_pid = self._horse_pid, 0  # RQ's way would stop the job
        try:
            super().request_force_stop(signum, frame)
        except SystemExit:
            _end(child)
            raise
        finally:
            self._horse_pid = child

    def _wind_up(self) -> None:
        """The children do; here no job runs, and a timer must not be there when it forks."""

    def _prepare(self, database: str) -> None:
        """Have the models in memory, as they are now, and no connection to the database."""
        registry = Registry(database)
        if time.monotonic() - self._checked.get(database, -CHECK_SECONDS) >= CHECK_SECONDS:
            self._checked[database] = time.monotonic()
            registry.check_signaling()
        sql.close_all()


def _end(child: int) -> None:
    if not child:
        return
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(child, signal.SIGTERM)
        end = time.monotonic() + GIVE_BACK_SECONDS
        while time.monotonic() < end:
            if os.waitpid(child, os.WNOHANG) != (0, 0):
                return
            time.sleep(0.05)
        os.kill(child, signal.SIGKILL)


def _be_child(database: str, uuid: str) -> NoReturn:
    """Run one job and end, without anything that the parent would do at its own end."""
    code = BROKE_DOWN
    try:
        _begin_as_child()
        runner.run(database, uuid)
        code = WENT_WELL
    except SystemExit:
        code = WENT_WELL  # the job is given back
    except CoreError as error:
        logger.warning("Cannot run a job: %s", error)
        code = CANNOT_WORK
    except BaseException:
        logger.exception("Cannot run a job")
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(code)


def _begin_as_child() -> None:
    locks.forget_parents()
    deadline.wind_up(config.current().job_timeout)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the worker, which decides
    signal.signal(signal.SIGTERM, _give_back)
    # For a thread: the main thread hears no signal while it waits for PostgreSQL.
    signal.pthread_sigmask(signal.SIG_BLOCK, [STOP_SIGNAL])
    for task in (_watch, _hear_stop):
        threading.Thread(target=task, name=task.__name__, daemon=True).start()


def _give_back(_number: int, _frame: FrameType | None) -> NoReturn:
    raise WorkerStops


def _watch() -> None:
    while True:
        time.sleep(BEAT_SECONDS)
        deadline.wind_up(config.current().job_timeout)
        deadline.watch_current()


def _hear_stop() -> None:
    signal.sigwait([STOP_SIGNAL])
    limit = deadline.current()
    if limit is not None:
        limit.stop()
