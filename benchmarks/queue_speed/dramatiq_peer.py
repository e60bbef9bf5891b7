"""Dramatiq on Redis: one process with its usual eight threads."""

from __future__ import annotations

import os
import sys

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from benchmarks.queue_speed import work

MODULE = "benchmarks.queue_speed.dramatiq_peer"
COMMAND = [sys.executable, "-m", "dramatiq", MODULE, "--processes", "1"]

dramatiq.set_broker(RedisBroker(url=os.environ["REDIS_URL"]))
actors = {name: dramatiq.actor(getattr(work, name)) for name in ("do_nothing", "insert_one")}


def enqueue(function: str, jobs: int) -> None:
    for number in range(jobs):
        actors[function].send(number)
