"""Huey on Redis: one worker process."""

from __future__ import annotations

import os
import sys

from huey import RedisHuey
from redis import ConnectionPool

from benchmarks.queue_speed import work

MODULE = "benchmarks.queue_speed.huey_peer"
COMMAND = [sys.executable, "-m", "huey.bin.huey_consumer", f"{MODULE}.huey"]
COMMAND += ["-k", "process", "-w", "1", "-q"]

huey = RedisHuey("bench", connection_pool=ConnectionPool.from_url(os.environ["REDIS_URL"]))
tasks = {name: huey.task()(getattr(work, name)) for name in ("do_nothing", "insert_one")}


def enqueue(function: str, jobs: int) -> None:
    for number in range(jobs):
        tasks[function](number)
