"""
How quick the queue is, beside a stock RQ SimpleWorker on the same servers, in the same run.

    DATABASE_URL=... REDIS_URL=... python benchmarks/queue.py [--jobs N] [--json FILE]

Each figure is jobs a second through dispatcher and one worker, its start left out.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Python puts the folder of a script first, where this file would be found for its own `queue`.
sys.path[0] = str(Path(__file__).parents[1])

from psycopg2.extras import execute_values  # noqa: E402

from benchmarks import queue_peer  # noqa: E402
from connector.core import modules, sql  # noqa: E402
from connector.core.addon import use_addons_path  # noqa: E402
from connector.queue import broker  # noqa: E402
from connector.queue.job import delay_many  # noqa: E402
from connector.session import ConnectorSessionHandler  # noqa: E402

DATABASE = "queue_bench"
ADDONS = Path(__file__).parent / "queue_addons"
MODEL = "res.partner"

_RATE = """
SELECT (count(*) - 1) / extract(epoch FROM max(date_done) - min(date_done))
  FROM queue_job WHERE state = 'done'
"""
_LATENCY = "SELECT extract(epoch FROM date_started - date_created) FROM queue_job"
_VALUES = """
INSERT INTO queue_job (uuid, name, func_string, state, channel, priority, max_retries, retry,
    attempt, func_name, model_name, args, kwargs, user_id, company_id, context, date_created)
VALUES %s
"""


def main() -> None:
    options = _options()
    sql.use_server(os.environ["DATABASE_URL"])
    use_addons_path([ADDONS])
    broker.use_redis(os.environ["REDIS_URL"])
    results: dict[str, float] = {}
    with _database():
        results.update(_bulk(options.jobs))
        for channels in ("root", "root:4"):
            for function in ("do_nothing", "insert_one"):
                results.update(_beside_rq(function, options.jobs, channels))
        results["records/s, 100 a job"] = 100 * _rate("insert_hundred", options.jobs, "root")
        results["latency, median ms"] = _latency()
    for name, figure in results.items():
        print(f"{name:<44}{figure:>12.2f}")
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=2))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=3000)
    parser.add_argument("--json", help="File for the figures.")
    return parser.parse_args()


@contextmanager
def _database() -> Iterator[None]:
    if sql.database_exists(DATABASE):
        sql.drop_database(DATABASE)
    sql.create_database(DATABASE)
    try:
        modules.initialise(DATABASE)
        modules.install(DATABASE, ["queue_worker", "queue_bench"])
        with sql.connect(DATABASE).cursor() as cr:
            cr.execute("CREATE TABLE queue_bench (number integer)")
            dsn = cr.connection.dsn
        os.environ["BENCH_DSN"] = dsn
        yield
    finally:
        sql.close_all(DATABASE)
        for connection in queue_peer._connections:
            connection.close()
        sql.drop_database(DATABASE)


def _bulk(jobs: int) -> dict[str, float]:
    """`delay_many` and the bare INSERT of the same rows."""
    with ConnectorSessionHandler(DATABASE, 1).session() as session:
        _delay(session, "do_nothing", 1)
        begun = time.perf_counter()
        _delay(session, "do_nothing", jobs)
        ours = jobs / (time.perf_counter() - begun)
        session.cr.execute(
            "SELECT uuid || '+', name, func_string, state, channel, priority, max_retries, retry,"
            " attempt, func_name, model_name, args::text, kwargs::text, user_id, company_id,"
            " context::text, date_created FROM queue_job LIMIT %s",
            (jobs,),
        )
        rows = session.cr.fetchall()
        begun = time.perf_counter()
        with session.cr.connection.cursor() as cursor:
            execute_values(cursor, _VALUES, rows, page_size=1000)
        bare = jobs / (time.perf_counter() - begun)
        session.rollback()
    return {"delay_many, jobs/s": ours, "delay_many / execute_values": ours / bare}


def _beside_rq(function: str, jobs: int, channels: str) -> dict[str, float]:
    redis = broker.current().redis
    redis.flushdb()
    peer = queue_peer.rate(redis, function, jobs)
    ours = _rate(function, jobs, channels)
    name = f"{function} ({channels})"
    return {f"{name}, jobs/s": ours, f"{name} / RQ SimpleWorker": ours / peer}


def _rate(function: str, jobs: int, channels: str) -> float:
    broker.current().redis.flushdb()
    with ConnectorSessionHandler(DATABASE, 1).session() as session:
        session.cr.execute("DELETE FROM queue_job")
        _delay(session, function, jobs)
    with _workers(channels):
        _wait_until_done(jobs)
    return float(_ask(_RATE)[0][0])


def _latency() -> float:
    with ConnectorSessionHandler(DATABASE, 1).session() as session:
        session.cr.execute("DELETE FROM queue_job")
    with _workers("root"):
        for number in range(1, 31):
            with ConnectorSessionHandler(DATABASE, 1).session() as session:
                _delay(session, "do_nothing", 1)
            _wait_until_done(number)
    return 1000 * statistics.median(float(row[0]) for row in _ask(_LATENCY))


def _delay(session: Any, function: str, jobs: int) -> None:
    from connector.addons.queue_bench import jobs as bench  # the addons path names it

    delay_many(getattr(bench, function), session, MODEL, [(number,) for number in range(jobs)])


@contextmanager
def _workers(channels: str) -> Iterator[None]:
    settings = {
        "CONNECTOR_ADDONS_PATH": str(ADDONS),
        "CONNECTOR_CHANNELS": channels,
        "CONNECTOR_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "connector.cli.main", "worker", "-n", "1", "-d", DATABASE]
    process = subprocess.Popen(command, env={**os.environ, **settings})
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _wait_until_done(jobs: int) -> None:
    while _ask("SELECT count(*) FROM queue_job WHERE state = 'done'")[0][0] < jobs:
        time.sleep(0.2)


def _ask(query: str) -> list[Any]:
    with sql.connect(DATABASE).cursor(sql.READ_COMMITTED) as cr:
        cr.execute(query)
        return cr.fetchall()


if __name__ == "__main__":
    main()
