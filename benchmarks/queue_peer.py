"""The stock RQ SimpleWorker that the queue is measured beside: it keeps no record of a job."""

from __future__ import annotations

import os
import time

import psycopg2
from redis import Redis
from rq import Queue, SimpleWorker

stamps: list[float] = []
_connections: list[psycopg2.extensions.connection] = []


def do_nothing(number: int) -> None:
    """Do nothing."""
    stamps.append(time.perf_counter())


def insert_one(number: int) -> None:
    """Insert one row in a transaction of its own, on a connection that is kept."""
    if not _connections:
        _connections.append(psycopg2.connect(os.environ["BENCH_DSN"]))
    with _connections[0] as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO queue_bench (number) VALUES (%s)", (number,))
    stamps.append(time.perf_counter())


def rate(redis: Redis, function: str, jobs: int) -> float:
    """Jobs a second of one SimpleWorker, its start left out."""
    queue = Queue("bench", connection=redis)
    call = globals()[function]
    queue.enqueue_many([Queue.prepare_data(call, args=(number,)) for number in range(jobs)])
    stamps.clear()
    SimpleWorker([queue], connection=redis).work(burst=True, logging_level="WARNING")
    return (jobs - 1) / (stamps[-1] - stamps[0])
