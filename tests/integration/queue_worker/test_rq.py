"""What RQ knows of the queue, and what its known faults do to it: nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

from rq import Queue as RQQueue
from rq import Worker as RQWorker
from rq.command import send_shutdown_command
from rq.job import JobStatus
from rq.registry import clean_registries
from rq.serializers import JSONSerializer
from rq.utils import now

from connector.queue import broker
from queue_worker.message import Message
from queue_worker.worker import Worker

#: Promise 2: what is lost is sent again, and what died is started again, within this time.
RECOVERY_SECONDS = 15
QUEUE = f"rq:queue:{broker.QUEUE_NAME}"


def test_rq_sees_workers_and_queue(queue):
    """
    `rq info` lists the queue and each worker with its state; so do RQ's dashboards.
    """
    uuid = queue.delay(queue.jobs.leave_effect_slowly, "one", 3)

    with queue.workers(2):
        queue.wait_for_state(uuid, "started")
        queue.wait_until(lambda: len(workers()) == 2)
        queue.wait_until(lambda: "busy" in {worker.get_state() for worker in workers()})
        busy = next(worker for worker in workers() if worker.get_state() == "busy")
        current = busy.get_current_job_id()
        told = rq_info(queue)
        queue.wait_for_state(uuid, "done")

    assert current == broker.message_id(queue.database.name, uuid)
    assert "connector" in told
    assert "2 workers, 1 queue" in told
    assert busy.name in told
    queue.wait_until(lambda: not workers())


def test_a_worker_comes_back_on_the_list_after_a_flush(queue):
    """
    Seconds after Redis was flushed, RQ's list and the dispatcher's count have the worker again.
    """
    with queue.workers():
        queue.wait_until(lambda: len(workers()) == 1)
        broker.current().redis.flushdb()
        queue.wait_until(
            lambda: len(workers()) == 1 and broker.current().live_workers() == 1, seconds=5
        )


def test_a_worker_ends_when_rq_asks_it_to(queue):
    """
    RQ's command to shut down lets the running job end; the supervisor starts another worker.
    """
    uuid = queue.delay(queue.jobs.leave_effect_slowly, "one", 2)

    with queue.workers():
        queue.wait_for_state(uuid, "started")
        queue.wait_until(workers)
        (first,) = (worker.name for worker in workers())
        send_shutdown_command(broker.current().redis, first)
        queue.wait_for_state(uuid, "done")
        queue.wait_until(lambda: first not in {worker.name for worker in workers()} and workers())

    assert queue.job(uuid)["worker"] == first
    assert queue.effects() == ["one"]


def test_workers_are_replaced_after_so_many_jobs(queue):
    """
    With `max_jobs` a worker process runs no more than that.
    """
    assert most_jobs_of_a_process(queue, max_jobs=2) == 2


def test_workers_are_replaced_when_they_have_grown(queue):
    """
    A worker whose process is above `max_memory` after a job ends; each job has another process.
    """
    assert most_jobs_of_a_process(queue, max_memory=1) == 1


def test_no_worker_waits_long_for_redis():
    """
    RQ's own wait between two tries to connect, a minute at most, is two seconds at most.
    """
    assert RQWorker.max_connection_wait_time > 2
    assert Worker.max_connection_wait_time <= 2


def test_a_message_lost_between_pop_and_start_is_sent_again(queue):
    """
    One of several queues: RQ pops with BLPOP, and who dies then takes the only trace along.
    One queue: with BLMOVE, and the trace is a list that nobody reads.  Both jobs run in time.
    """
    uuids = [queue.delay(queue.jobs.leave_effect, label) for label in ("popped", "moved")]
    redis = broker.current().redis
    for uuid in uuids:
        mark_enqueued(queue, uuid)
    broker.current().push(queue.database.name, uuids)
    assert redis.blpop(["rq:queue:other", QUEUE], 1)
    assert redis.lmove(QUEUE, f"{QUEUE}:intermediate", "LEFT", "RIGHT")
    assert not broker.current().waiting()

    begun = time.monotonic()
    with queue.workers():
        queue.wait_until(lambda: states(queue) == {"done"}, RECOVERY_SECONDS)

    assert time.monotonic() - begun < RECOVERY_SECONDS
    assert sorted(queue.effects()) == ["moved", "popped"]


def test_a_finished_job_that_rq_abandons_does_not_run_again(queue):
    """
    RQ's clean-up, as any dashboard calls it, takes a finished job for abandoned and queues it
    again; the worker finds no job to do.
    """
    uuid = queue.delay(queue.jobs.leave_effect, "once")

    with queue.workers():
        queue.wait_for_state(uuid, "done")
        abandon(queue.database.name, uuid)
        queue.wait_until(lambda: "Message without a job to do" in queue.log.read_text())
        queue.wait_until(lambda: not broker.current().waiting())

    assert queue.effects() == ["once"]
    assert (queue.job(uuid)["state"], queue.job(uuid)["attempt"]) == ("done", 1)


def abandon(database: str, uuid: str) -> None:
    """Leave what a success beside a registering dependent leaves, and let RQ clean up."""
    redis = broker.current().redis
    rq_queue = RQQueue(
        broker.QUEUE_NAME, connection=redis, job_class=Message, serializer=JSONSerializer
    )
    message = Message.create(
        broker.ENTRY_POINT,
        args=(database, uuid),
        id=broker.message_id(database, uuid),
        connection=redis,
        serializer=JSONSerializer,
        origin=broker.QUEUE_NAME,
        status=JobStatus.FINISHED,
    )
    message.retries_left = 3
    message.save()
    expired = (now() - timedelta(hours=1)).timestamp()
    redis.zadd(f"rq:wip:{broker.QUEUE_NAME}", {f"{message.id}:execution": expired})
    clean_registries(rq_queue)


def most_jobs_of_a_process(queue: Any, **settings: object) -> int:
    for number in range(4):
        queue.delay(queue.jobs.leave_effect, str(number))
    with queue.workers(**settings):
        queue.wait_until(lambda: len(queue.effects()) == 4)
    rows = queue.rows("SELECT count(*) FROM queue_sample_effect GROUP BY process")
    return max(int(row[0]) for row in rows)


def mark_enqueued(queue: Any, uuid: str) -> None:
    with queue.database.cursor() as cr:
        cr.execute(
            "UPDATE queue_job SET state = 'enqueued',"
            " date_enqueued = clock_timestamp() AT TIME ZONE 'UTC' WHERE uuid = %s",
            (uuid,),
        )


def workers() -> list[RQWorker]:
    return RQWorker.all(connection=broker.current().redis)


def rq_info(queue: Any) -> str:
    url = queue.environment["REDIS_URL"]
    return subprocess.run(
        [sys.executable, "-m", "rq.cli", "info", "--url", url],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout


def states(queue: Any) -> set[str]:
    return {row[0] for row in queue.rows("SELECT DISTINCT state FROM queue_job")}
