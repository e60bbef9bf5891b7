"""
A lean RQ worker: one queue, one job at a time, in its own process.

RQ keeps a record of every job in Redis, in 18 round trips.  Here PostgreSQL keeps the record:
a job takes one, which ends the one before, wakes the dispatcher and receives the next message,
or three where the worker has to wait for it.  Heartbeat and state go out once a second from a
thread, all at once, so that a worker is on the list again a second after Redis was flushed.
"""

from __future__ import annotations

import logging
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker, worker_registration
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker import WorkerStatus

from connector import config
from connector.core.exceptions import CoreError, DatabaseUnreachableError
from connector.queue import broker
from connector.queue.channels import SHORT_GROUP
from queue_worker import deadline, runner
from queue_worker.inbox import Inbox
from queue_worker.message import Message, RefusedMessageError
from queue_worker.outcome import WorkerStops

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
#: RQ counts a worker as dead when it has not beaten for this long.
WORKER_TTL_SECONDS = 30
#: Seconds of one wait for a message; the wait itself costs nothing.
DEQUEUE_SECONDS = 5
RECONNECT_SECONDS = 2.0

# RQ looks here for the one who can stop a job.  Only where the message is still there: it is
# deleted with the job's end, which a beat may come after.
_NAME_WORKER = """
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'worker_name', ARGV[1]) end
"""


class Worker(SimpleWorker):
    """Takes messages from the one queue of a Redis and runs their jobs."""

    job_class = Message
    #: Short jobs that it takes at a time, at most.
    group = SHORT_GROUP
    max_connection_wait_time = RECONNECT_SECONDS

    def __init__(self, connection: Redis, *, max_memory: int | None = None) -> None:
        super().__init__(
            [broker.QUEUE_NAME],
            name=runner.worker_label(),
            connection=connection,
            job_class=Message,
            serializer=JSONSerializer,
            worker_ttl=WORKER_TTL_SECONDS,
            log_job_description=False,
        )
        self._max_memory = max_memory
        self._parent = os.getppid()
        self._suspension_seen = 0.0
        self._max_jobs: int | None = None
        self._inbox = Inbox(self.connection, self.queues[0], self.group)
        self._others: list[Message] = []
        self._message: Job | None = None
        self._beating = threading.Event()
        self._beat_thread = threading.Thread(target=self._keep_beating, daemon=True)

    # -- life ---------------------------------------------------------------

    def work(self, burst: bool = False, **options: Any) -> bool:  # type: ignore[override]  # fewer ways
        """Work as RQ does; it counts a group as one job, and here every job of it counts."""
        self._max_jobs = options.get("max_jobs")
        return super().work(burst, **options)

    def bootstrap(self, *_logging: Any, **_more_logging: Any) -> None:
        """Come on the list; how to log is decided by the one that starts the process."""
        while not self._has_come():
            time.sleep(RECONNECT_SECONDS)
        self.set_state(WorkerStatus.STARTED)
        self._wind_up()
        self._beat_thread.start()

    @property
    def connection_timeout(self) -> int:
        """RQ lets a socket wait no shorter than this."""
        return DEQUEUE_SECONDS + broker.ANSWER_SECONDS

    def _has_come(self) -> bool:
        try:
            self.register_birth()
            self.subscribe()  # type: ignore[no-untyped-call]  # RQ is half typed
        except RedisError as error:
            logger.warning("Redis does not answer, trying again: %s", error)
            return False
        return True

    def register_birth(self) -> None:
        """Appear in Redis, also where a dead process had the same host and pid."""
        self.birth_date = self.last_heartbeat = now()
        self._beat()

    def teardown(self) -> None:
        """Leave the list; the thread that hears commands ends with the process."""
        self._beating.set()
        deadline.stop_timer()
        self._inbox.tell()
        with suppress(RedisError):
            with self.connection.pipeline() as pipeline:
                broker.leave(pipeline, self.name)
                pipeline.execute()
            self.register_death()  # type: ignore[no-untyped-call]

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """The thread beats; RQ's own five beats a job are not sent."""

    def set_state(self, state: str, pipeline: Any = None) -> None:
        """Remember the state; the next beat tells it."""
        self._state = state

    def _shutdown(self) -> None:
        """
        End after the running job, or at once where none runs.

        The flag is set in every case: the exception may strike where a library swallows it.
        Nothing is sent to Redis from here, inside a signal handler in the middle of a job.
        """
        self._stop_requested = True
        if self._state != WorkerStatus.BUSY:
            raise StopRequested

    def request_force_stop(self, signum: int, frame: FrameType | None) -> None:
        """The second signal: the running job is given back."""
        try:
            super().request_force_stop(signum, frame)
        except SystemExit:
            raise WorkerStops from None

    def check_for_suspension(self, burst: bool) -> None:
        if time.monotonic() - self._suspension_seen >= BEAT_SECONDS:
            self._suspension_seen = time.monotonic()
            self._inbox.tell()
            with _patience():
                super().check_for_suspension(burst)

    def run_maintenance_tasks(self) -> None:
        """RQ's registries are not used and its intermediate list is not trusted: PostgreSQL is."""
        self.last_cleaned_at = now()  # type: ignore[assignment]  # RQ declares None alone
        with _patience():
            for queue in self.queues:
                worker_registration.clean_worker_registry(queue)

    def _pubsub_exception_handler(self, exc: Exception, _pubsub: Any, _thread: Any) -> None:
        """Hear commands again when Redis is back, whatever kept it away."""
        if not isinstance(exc, RedisError):
            raise exc
        logger.debug("No commands from Redis: %s", exc)
        time.sleep(RECONNECT_SECONDS)

    def get_current_job_id(self, pipeline: Any = None) -> str | None:
        """What runs now, by its message; RQ asks before it stops a job."""
        message = self._message
        return None if message is None else str(message.id)

    def kill_horse(self, sig: signal.Signals = signal.SIGTERM) -> None:
        """Stop the job that RQ was asked to stop, from the thread that hears commands."""
        limit, message = deadline.current(), self._message
        # In this order: a job that began since has another message.
        if limit is not None and message is not None and message.id == self._stopped_job_id:
            limit.stop()

    def _keep_beating(self) -> None:
        while not self._beating.wait(BEAT_SECONDS):
            self._wind_up()
            deadline.watch_current()
            if os.getppid() != self._parent:
                # Without its supervisor nobody would end this process.
                os.kill(os.getpid(), signal.SIGTERM)
                return
            try:
                self._beat()
            except RedisError as error:
                logger.debug("No heartbeat to Redis: %s", error)

    def _wind_up(self) -> None:
        """Have the process end where a job lets nothing else of it run."""
        deadline.wind_up(config.current().job_timeout)

    def _beat(self) -> None:
        self.last_heartbeat = now()
        message = self._message
        seen = {
            **self.serialize(),
            "state": self._state,
            "current_job": "" if message is None else message.id,
            "successful_job_count": self.successful_job_count,
            "failed_job_count": self.failed_job_count,
        }
        with self.connection.pipeline(transaction=False) as pipeline:
            pipeline.hset(self.key, mapping=seen)
            pipeline.expire(self.key, WORKER_TTL_SECONDS)
            worker_registration.register(self, pipeline)
            broker.beat(pipeline, self.name)
            if message is not None:
                pipeline.eval(_NAME_WORKER, 1, message.key, self.name)
            pipeline.execute()

    # -- jobs ---------------------------------------------------------------

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """Wait for a message; None when *timeout* or *max_idle_time* is over."""
        self.set_state(WorkerStatus.IDLE)
        until = None if max_idle_time is None else time.monotonic() + max_idle_time
        while not self._stop_requested:
            try:
                messages = self._inbox.take(None if timeout is None else DEQUEUE_SECONDS)
            except RedisError as error:
                logger.warning("Redis does not answer, trying again: %s", error)
                time.sleep(RECONNECT_SECONDS / 2)
                continue
            if messages:
                self._others = messages[1:]
                return messages[0], self.queues[0]
            if timeout is None or (until is not None and time.monotonic() > until):
                return None
            self.check_for_suspension(False)
        return None

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run the job of a message, or of several short ones; then forget them all."""
        self.set_state(WorkerStatus.BUSY)
        assert isinstance(job, Message)
        messages, self._others = [job, *self._others], []
        self._message = job
        database = None
        try:
            # Several come of one database only.
            calls = {message.call: message for message in messages}
            database = job.call[0]
            self._run_all(database, {uuid: message for (_, uuid), message in calls.items()})
        except RefusedMessageError as error:
            logger.error("%s It is dropped.", error)
        except CoreError as error:
            # The job stays enqueued for the sweep.
            logger.warning("Cannot run a job: %s", error, extra={"message_id": job.id})
            if isinstance(error, DatabaseUnreachableError):
                time.sleep(RECONNECT_SECONDS)  # others would fare no better just now
        except Exception:
            self.failed_job_count += 1
            logger.exception("Cannot run a job", extra={"message_id": job.id})
        finally:
            self._message = None
            self._inbox.end(messages, database)
            self.set_state(WorkerStatus.IDLE)
        self._recycle()

    def _run_all(self, database: str, messages: dict[str, Message]) -> None:
        if len(messages) == 1:
            self.run_job(database, *messages)
            self.successful_job_count += 1
            return
        for uuid in runner.run_group(database, list(messages), self._is_to_end):
            self._message = messages[uuid]
            self.successful_job_count += 1

    def run_job(self, database: str, uuid: str) -> None:
        """
        Run one job, and return when its row says what became of it.

        Raises:
            DatabaseUnreachableError: PostgreSQL is away.
        """
        runner.run(database, uuid)

    def _is_to_end(self) -> bool:
        jobs = self.successful_job_count + self.failed_job_count
        return self._stop_requested or bool(self._max_jobs and jobs >= self._max_jobs)

    def _recycle(self) -> None:
        """Ask for an end when the process has become too large; another one takes its place."""
        self._stop_requested = self._is_to_end()
        if self._max_memory and _peak_memory() > self._max_memory:
            logger.info("Worker has reached its memory limit and ends")
            self._stop_requested = True


@contextmanager
def _patience() -> Iterator[None]:
    """Go on without an answer of Redis: what is asked here may wait."""
    try:
        yield
    except RedisError as error:
        logger.debug("Redis does not answer: %s", error)


def _peak_memory() -> int:
    """The most bytes that this process has had in memory."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
