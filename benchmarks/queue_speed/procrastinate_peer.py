"""Procrastinate: one worker, one job at a time, which is its default."""

from __future__ import annotations

import os
import sys

import procrastinate

from benchmarks.queue_speed import work

COMMAND = [sys.executable, "-m", __name__]


def _app(connector: procrastinate.BaseConnector) -> procrastinate.App:
    app = procrastinate.App(connector=connector)
    for name in ("do_nothing", "insert_one"):
        app.task(getattr(work, name), name=name)
    return app


def install() -> None:
    with _app(procrastinate.SyncPsycopgConnector(conninfo=os.environ["BENCH_DSN"])).open() as app:
        app.schema_manager.apply_schema()


def enqueue(function: str, jobs: int) -> None:
    with _app(procrastinate.SyncPsycopgConnector(conninfo=os.environ["BENCH_DSN"])).open() as app:
        app.tasks[function].batch_defer(*({"number": number} for number in range(jobs)))


if __name__ == "__main__":
    _app(procrastinate.PsycopgConnector(conninfo=os.environ["BENCH_DSN"])).run_worker()
