"""Messages that come twice or are no messages, seats, and an orderly end."""

from __future__ import annotations

import json
import os
import pickle
import signal
import time
import zlib
from typing import Any

import pytest
from rq import Queue as RQQueue
from rq.command import send_stop_job_command
from rq.serializers import JSONSerializer

from connector.queue import broker

QUEUE = f"rq:queue:{broker.QUEUE_NAME}"


def test_a_message_that_comes_often_runs_its_job_once(queue):
    """
    Twenty deliveries of one job to three workers leave one effect and one start.
    """
    with queue.workers(3):
        uuid = queue.delay(queue.jobs.leave_effect_slowly, "once", 1)
        queue.wait_for_state(uuid, "started")
        for _ in range(20):
            broker.current().push(queue.database.name, [uuid])
        queue.wait_for_state(uuid, "done")
        queue.wait_until(lambda: not broker.current().waiting())

    assert queue.effects() == ["once"]
    assert queue.job(uuid)["attempt"] == 1


def test_a_message_for_another_function_is_dropped(queue, tmp_path):
    """
    A worker calls nothing but the entry point, whoever writes into its queue and whatever: such a
    message is dropped, and the worker goes on.
    """
    witness = tmp_path / "witness"
    redis = broker.current().redis
    touch = f"touch {witness}"
    RQQueue(broker.QUEUE_NAME, connection=redis).enqueue("os.system", touch)  # by pickle
    RQQueue(broker.QUEUE_NAME, connection=redis, serializer=JSONSerializer).enqueue(
        "os.system", touch
    )
    entry, database = broker.ENTRY_POINT, queue.database.name
    forged = [
        json.dumps(["os.system", None, [touch], {}]).encode(),
        zlib.compress(json.dumps(["os.system", None, [touch], {}]).encode()),
        pickle.dumps(("os.system", None, (touch,), {})),
        json.dumps([entry, "os.system", [database, touch], {}]).encode(),
        json.dumps([entry, None, [database], {}]).encode(),
        json.dumps([entry, None, [database, {"uuid": touch}], {}]).encode(),
        json.dumps([entry, None, [database, touch], {}]).encode(),
        json.dumps([entry, None, ["no such database", touch], {}]).encode(),
        json.dumps([entry, None, ["template1", touch], {}]).encode(),
        b"[[[",
        b"\x00\xff",
    ]
    for number, data in enumerate(forged):
        redis.hset(f"rq:job:forged-{number}", mapping={"data": data, "origin": "connector"})
        redis.rpush(QUEUE, f"forged-{number}")
    redis.rpush(QUEUE, "nothing-behind-it")

    with queue.workers() as supervisor:
        uuid = queue.delay(queue.jobs.leave_effect, "after")
        queue.wait_for_state(uuid, "done")
        assert supervisor.poll() is None

    assert not witness.exists()
    assert redis.keys("rq:job:*") == []
    assert redis.lrange(QUEUE, 0, -1) == redis.lrange(f"{QUEUE}:intermediate", 0, -1) == []
    assert " ended (" not in queue.log.read_text()


@pytest.mark.parametrize(("channels", "most"), [("root:2", 2), ("root,root.sample:1", 1)])
def test_no_more_jobs_run_than_there_are_seats(queue, channels, most):
    """
    With more workers than seats, never more jobs than seats are enqueued or started.
    """
    for number in range(6):
        queue.delay(queue.jobs.leave_effect_slowly, str(number), 0.4, channel="root.sample")
    seen = []

    with queue.workers(4, channels=channels):
        queue.wait_until(lambda: seen.append(seated(queue)) or len(queue.effects()) == 6)

    assert max(seen) == most


def test_redis_stays_shallow_without_seats(queue):
    """
    Of a channel without a capacity, never more than four jobs a live worker are handed over.
    """
    for number in range(40):
        queue.delay(queue.jobs.leave_effect_slowly, str(number), 0.05)
    seen = []

    with queue.workers(2):
        queue.wait_until(lambda: broker.current().live_workers() == 2)
        queue.wait_until(lambda: seen.append(seated(queue)) or len(queue.effects()) == 40)

    assert 2 < max(seen) <= 4 * 2


@pytest.mark.parametrize("options", [(), ("--fork",)])
def test_the_end_of_a_job_wakes_the_dispatcher(queue, options):
    """
    Where one seat is to be had, the next job starts when the one before ends, not at the next poll.
    """
    for number in range(8):
        queue.delay(queue.jobs.leave_effect, str(number))

    with queue.workers(2, options=options, channels="root:1"):
        queue.wait_until(lambda: len(queue.effects()) == 8)

    (gap,) = queue.rows(
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) FROM ("
        " SELECT extract(epoch FROM date_started - lag(date_done) OVER (ORDER BY date_started))"
        " AS gap FROM queue_job) AS gaps"
    )
    assert 0 < gap[0] < 0.4


def test_a_sequential_channel_stops_at_a_failed_job(queue):
    """
    After a failed job nothing of its sequential channel starts, until a person has decided.
    """
    failed = queue.delay(queue.jobs.fail, "no", channel="root.sample")
    waiting = queue.delay(queue.jobs.leave_effect, "next", channel="root.sample")

    with queue.workers(2, channels="root,root.sample:1:sequential"):
        queue.wait_for_state(failed, "failed")
        time.sleep(2)
        assert queue.job(waiting)["state"] == "pending"
        with queue.database.env() as env:
            env["queue.job"].search([("uuid", "=", failed)]).button_cancelled()
        queue.wait_for_state(waiting, "done")

    assert queue.effects() == ["next"]


def test_a_channel_is_paused_and_resumed_live(queue):
    """
    A pause written into the database holds jobs back at once, without a restart.
    """
    with queue.workers():
        set_paused(queue, True)
        uuid = queue.delay(queue.jobs.leave_effect, "held")
        time.sleep(2)
        assert queue.job(uuid)["state"] == "pending"
        set_paused(queue, False)
        queue.wait_for_state(uuid, "done")


def test_a_stop_lets_the_running_job_end(queue):
    """
    SIGTERM ends the workers after their running jobs, and starts no more.
    """
    first = queue.delay(queue.jobs.leave_effect_slowly, "first", 2)

    with queue.workers() as supervisor:
        queue.wait_for_state(first, "started")
        later = queue.delay(queue.jobs.leave_effect_slowly, "later", 2)
        supervisor.send_signal(signal.SIGTERM)
        assert supervisor.wait(15) == 0

    assert queue.job(first)["state"] == "done"
    assert queue.job(later)["state"] in ("pending", "enqueued")
    assert queue.effects() == ["first"]


def test_a_forced_stop_gives_the_job_back(queue):
    """
    A second signal, a second later, gives the running job back with its try unspent.
    """
    uuid = queue.delay(queue.jobs.leave_effect_slowly, "interrupted", 8)

    with queue.workers():
        process = int(queue.wait_for_state(uuid, "started")["worker"].partition(":")[2])
        os.kill(process, signal.SIGTERM)
        time.sleep(1.5)
        os.kill(process, signal.SIGTERM)
        queue.wait_until(lambda: queue.job(uuid)["attempt"] == 2)
        assert queue.job(uuid)["retry"] == 1
        assert queue.effects() == []


@pytest.mark.parametrize("name", ["leave_effect_slowly", "hang_at_first"])
@pytest.mark.parametrize("options", [(), ("--fork",)])
def test_a_running_job_is_stopped_by_its_worker(queue, name, options):
    """
    RQ's command to stop a job ends it in Python and in a statement; it is failed and leaves
    nothing, and the worker goes on.
    """
    uuid = queue.delay(getattr(queue.jobs, name), "stopped", 60)
    message = broker.message_id(queue.database.name, uuid)
    redis = broker.current().redis

    with queue.workers(options=options):
        queue.wait_for_state(uuid, "started")
        queue.wait_until(lambda: redis.hget(f"rq:job:{message}", "worker_name"))
        send_stop_job_command(redis, message, serializer=JSONSerializer)
        job = queue.wait_for_state(uuid, "failed", seconds=5)
        queue.wait_for_state(queue.delay(queue.jobs.leave_effect, "after"), "done")

    assert job["exc_name"] == "connector.exception.JobStoppedError"
    assert job["attempt"] == 1
    assert queue.effects() == ["after"]


def seated(queue: Any) -> int:
    rows = queue.rows("SELECT count(*) FROM queue_job WHERE state IN ('enqueued', 'started')")
    return int(rows[0][0])


def set_paused(queue: Any, paused: bool) -> None:
    with queue.database.env() as env:
        env["queue.job.channel"].search([("complete_name", "=", "root.sample")]).write(
            {"paused": paused}
        )
