"""Celery on Redis: one prefork process, results ignored, as its guide on optimising has it."""

from __future__ import annotations

import os
import sys

from celery import Celery

from benchmarks.queue_speed import work

MODULE = "benchmarks.queue_speed.celery_peer"
COMMAND = [sys.executable, "-m", "celery", "-A", MODULE, "worker", "-c", "1", "-l", "WARNING"]


def _broker() -> str:
    # Celery knows a Unix socket by another scheme.
    place, _, parameters = os.environ["REDIS_URL"].partition("?db=")
    socket = place.replace("unix://", "redis+socket://")
    return f"{socket}?virtual_host={parameters}" if socket != place else os.environ["REDIS_URL"]


app = Celery("bench", broker=_broker())
app.conf.task_ignore_result = True

tasks = {name: app.task(getattr(work, name)) for name in ("do_nothing", "insert_one")}


def enqueue(function: str, jobs: int) -> None:
    with app.producer_pool.acquire() as producer:
        for number in range(jobs):
            tasks[function].apply_async((number,), producer=producer)
