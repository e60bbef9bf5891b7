"""A stock RQ SimpleWorker."""

from __future__ import annotations

import os
import sys

from redis import Redis
from rq import Queue, SimpleWorker

from benchmarks.queue_speed import work

COMMAND = [sys.executable, "-m", __name__]


def _queue() -> Queue:
    return Queue("bench", connection=Redis.from_url(os.environ["REDIS_URL"]))


def enqueue(function: str, jobs: int) -> None:
    call = getattr(work, function)
    _queue().enqueue_many([Queue.prepare_data(call, args=(number,)) for number in range(jobs)])


if __name__ == "__main__":
    SimpleWorker([_queue()]).work(logging_level="WARNING")
