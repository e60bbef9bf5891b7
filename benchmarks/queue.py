"""
How quick the queue is, beside other queues on the same servers, in the same run.

    [DATABASE_URL=... REDIS_URL=...] python benchmarks/queue.py [--jobs N] [--rounds N]
        [--only RQ,Celery] [--one-core] [--json FILE]

Without the URLs a durable PostgreSQL and a Redis are started and stopped.  With them, the
database `queue_bench` is made and dropped, and the Redis database must be empty.

Jobs a second are those between the first job's end and the last one's, in one worker process,
whose start is left out; the contestants take turns, and a ratio is the median of its rounds.
`short` is this queue with the channel marked so.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
# Python puts the folder of a script first, where this file would be found for its own `queue`.
if sys.path[0] == os.fspath(ROOT / "benchmarks"):
    del sys.path[0]
sys.path.insert(0, os.fspath(ROOT))

import psycopg2  # noqa: E402
from psycopg2.extras import execute_values  # noqa: E402
from redis import Redis  # noqa: E402
from rq import Queue  # noqa: E402

from benchmarks.queue_speed import ours, stamps  # noqa: E402
from connector.core import modules, sql  # noqa: E402
from connector.core.addon import use_addons_path  # noqa: E402
from connector.embedded import Services  # noqa: E402
from connector.queue import broker, channels, dispatcher  # noqa: E402
from connector.server_url import with_parameters  # noqa: E402
from connector.session import ConnectorSessionHandler  # noqa: E402

#: Ours, by how it is named here: what its configuration says of channels.
CHANNELS = {"root": "root", "root:4": "root:4", "short": "root.bench:0:short"}
PEERS = {
    "RQ SimpleWorker": "rq_peer",
    "Celery": "celery_peer",
    "Dramatiq": "dramatiq_peer",
    "Huey": "huey_peer",
    "Procrastinate": "procrastinate_peer",
    "PgQueuer": "pgqueuer_peer",
}
FUNCTIONS = {"one INSERT": "insert_one", "no-op": "do_nothing"}
MOST_SECONDS = 300

_LATENCY = "SELECT extract(epoch FROM date_started - date_created)::float FROM queue_job"
_ROWS = """
SELECT uuid || '+', name, func_string, state, channel, priority, max_retries, retry,
       attempt, func_name, model_name, args::text, kwargs::text, user_id, company_id,
       context::text, date_created FROM queue_job LIMIT %s
"""
_VALUES = """
INSERT INTO queue_job (uuid, name, func_string, state, channel, priority, max_retries, retry,
    attempt, func_name, model_name, args, kwargs, user_id, company_id, context, date_created)
VALUES %s
"""


class Row(NamedTuple):
    name: str
    ours: float
    #: what it is measured by; None where there is nothing but the number
    peer: float | None
    ratio: float | None
    runs: int


def main() -> None:
    options = _options()
    if options.one_core:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with _servers():
        rows = [*_fields(options), *_single(options)]
    load = [round(part, 2) for part in os.getloadavg()]
    cores = len(os.sched_getaffinity(0))
    print(f"\n{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, cores {cores}, load {load}")
    print(f"{'':<44}{'ours':>12}{'peer':>12}{'ratio':>8}{'runs':>6}")
    for row in rows:
        rest = [f"{value:.2f}" if value is not None else "" for value in (row.peer, row.ratio)]
        print(f"{row.name:<44}{row.ours:>12.2f}{rest[0]:>12}{rest[1]:>8}{row.runs:>6}")
    if options.json:
        result = {"load": load, "cores": cores, "rows": [row._asdict() for row in rows]}
        Path(options.json).write_text(json.dumps(result, indent=2))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--jobs", type=int, default=1000, help="Jobs of a run.")
    parser.add_argument("--rounds", type=int, default=3, help="Runs of each contestant.")
    parser.add_argument("--only", help="Peers, with commas between; all where not given.")
    parser.add_argument("--one-core", action="store_true", help="All processes share one core.")
    parser.add_argument("--json", help="File for the figures.")
    options = parser.parse_args()
    chosen = options.only.split(",") if options.only else list(PEERS)
    options.peers = [name for name in PEERS if any(name.startswith(word) for word in chosen)]
    return options


# -- servers ------------------------------------------------------------------


@contextmanager
def _servers() -> Iterator[None]:
    """The two servers, a database with the jobs, and what the processes need to find them."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp")))
        scratch.chmod(0o755)  # as root the servers run as somebody else
        if not ("DATABASE_URL" in os.environ and "REDIS_URL" in os.environ):
            services = stack.enter_context(Services(scratch / "servers"))
            os.environ["DATABASE_URL"] = services.database_url
            os.environ["REDIS_URL"] = services.redis_url
        os.environ["PYTHONPATH"] = os.fspath(ROOT)
        os.environ["BENCH_STAMPS"] = os.fspath(scratch / "stamps")
        os.environ["BENCH_DSN"] = with_parameters(os.environ["DATABASE_URL"], ours.DATABASE, {})
        sql.use_server(os.environ["DATABASE_URL"])
        use_addons_path([ours.ADDONS])
        broker.use_redis(os.environ["REDIS_URL"])
        stack.enter_context(_empty_redis())
        stack.enter_context(_database())
        yield


@contextmanager
def _empty_redis() -> Iterator[Redis]:
    redis = broker.current().redis
    if redis.dbsize():
        raise SystemExit("The Redis database is not empty. Name another one: redis://host/9")
    try:
        yield redis
    finally:
        redis.flushdb()


@contextmanager
def _database() -> Iterator[None]:
    if sql.database_exists(ours.DATABASE):
        sql.drop_database(ours.DATABASE)
    sql.create_database(ours.DATABASE)
    try:
        modules.initialise(ours.DATABASE)
        modules.install(ours.DATABASE, ["queue_worker", "queue_bench"])
        with sql.connect(ours.DATABASE).cursor() as cr:
            cr.execute("CREATE TABLE queue_bench (number integer)")
        yield
    finally:
        sql.close_all(ours.DATABASE)
        sql.drop_database(ours.DATABASE)


# -- the field ----------------------------------------------------------------


def _fields(options: argparse.Namespace) -> Iterator[Row]:
    """Each of ours beside each peer, with both jobs."""
    peers = {name: import_module(f"benchmarks.queue_speed.{PEERS[name]}") for name in options.peers}
    for peer in peers.values():
        getattr(peer, "install", lambda: None)()
    for title, function in FUNCTIONS.items():
        rates: dict[str, list[float]] = defaultdict(list)
        for turn in range(options.rounds):
            for name in _in_turn([*CHANNELS, *peers], turn):
                rate = (
                    _peer_rate(peers[name], function, options.jobs)
                    if name in peers
                    else _our_rate(function, options.jobs, CHANNELS[name])
                )
                print(f"{title}, {name}: {rate:.0f} jobs/s", file=sys.stderr, flush=True)
                rates[name].append(rate)
        for name in peers:
            for way in CHANNELS:
                yield _beside(f"{title}, {way} / {name}", rates[way], rates[name])


def _in_turn(names: Sequence[str], turn: int) -> Sequence[str]:
    """Every other round goes backwards: what grows meanwhile is nobody's advantage."""
    return names[::-1] if turn % 2 else names


def _beside(name: str, mine: Sequence[float], theirs: Sequence[float]) -> Row:
    ratio = statistics.median(one / other for one, other in zip(mine, theirs, strict=True))
    return Row(name, statistics.median(mine), statistics.median(theirs), ratio, len(mine))


def _our_rate(function: str, jobs: int, configured: str) -> float:
    return _rate(ours, function, jobs, ours.settings(configured))


def _peer_rate(peer: ModuleType, function: str, jobs: int) -> float:
    return _rate(peer, function, jobs, {})


def _rate(queue: ModuleType, function: str, jobs: int, settings: dict[str, str]) -> float:
    broker.current().redis.flushdb()
    stamps.begin(jobs)
    queue.enqueue(function, jobs)
    with _running(queue.COMMAND, settings):
        _wait(lambda: len(stamps.read()) == jobs, f"{queue.__name__} {function}")
    moments = stamps.read()
    return (jobs - 1) / (moments[-1] - moments[0])


@contextmanager
def _running(command: Sequence[str], settings: dict[str, str]) -> Iterator[None]:
    # A session of its own: some of them leave children behind.
    process = subprocess.Popen(
        command,
        env={**os.environ, **settings},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=None if os.environ.get("BENCH_LOUD") else subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + MOST_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"{what} has not ended after {MOST_SECONDS} s.")
        time.sleep(0.1)


# -- single figures -----------------------------------------------------------


def _single(options: argparse.Namespace) -> Iterator[Row]:
    rounds = range(options.rounds)
    commits = [_commits() for _ in rounds]
    yield Row(
        "commits a second of the machine", statistics.median(commits), None, None, len(rounds)
    )
    yield _pairs("delay_many / execute_values, rows/s", _delay_many, options)
    yield _pairs("dispatch / enqueue_many, jobs/s", _dispatch, options)
    jobs = max(100, options.jobs // 4)
    for way, configured in CHANNELS.items():
        records = [100 * _our_rate("insert_hundred", jobs, configured) for _ in rounds]
        rate = statistics.median(records)
        yield Row(f"records/s, 100 a job, {way}", rate, 25_000, rate / 25_000, len(rounds))
    latency = _latency()
    yield Row("latency of an idle system, median ms", latency, 20, latency / 20, 30)


def _pairs(
    name: str, measure: Callable[[int], tuple[float, float]], options: argparse.Namespace
) -> Row:
    found = [measure(options.jobs) for _ in range(options.rounds)]
    return _beside(name, [one for one, _ in found], [other for _, other in found])


def _commits() -> float:
    """Transactions of one INSERT that one connection commits in a second, waiting for the disk."""
    connection = psycopg2.connect(os.environ["BENCH_DSN"])
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            begun = time.perf_counter()
            for number in range(1000):
                cursor.execute("INSERT INTO queue_bench (number) VALUES (%s)", (number,))
            return 1000 / (time.perf_counter() - begun)
    finally:
        connection.close()


def _delay_many(jobs: int) -> tuple[float, float]:
    """`delay_many`, and the bare INSERT of the same rows."""
    with ConnectorSessionHandler(ours.DATABASE, 1).session() as session:
        session.cr.execute("DELETE FROM queue_job")
        ours.delay(session, "do_nothing", 1)
        begun = time.perf_counter()
        ours.delay(session, "do_nothing", jobs)
        mine = jobs / (time.perf_counter() - begun)
        session.cr.execute(_ROWS, (jobs,))
        rows = session.cr.fetchall()
        begun = time.perf_counter()
        with session.cr.connection.cursor() as cursor:
            execute_values(cursor, _VALUES, rows, page_size=1000)
        bare = jobs / (time.perf_counter() - begun)
        session.rollback()
    return mine, bare


def _dispatch(jobs: int) -> tuple[float, float]:
    """Claim, commit and push of jobs that wait, and the push alone as RQ does it."""
    redis = broker.current().redis
    redis.flushdb()
    ours.enqueue("do_nothing", jobs)
    seats = channels.settings_from_text(f"root:{jobs}")
    elected = dispatcher.Dispatcher(ours.DATABASE, broker.current(), seats)
    try:
        begun = time.perf_counter()
        elected.step()
        mine = jobs / (time.perf_counter() - begun)
    finally:
        elected.close()
    pushed = redis.llen(f"rq:queue:{broker.QUEUE_NAME}")
    if pushed != jobs:
        raise SystemExit(f"Of {jobs} jobs {pushed} were dispatched.")
    redis.flushdb()
    queue = Queue("bench", connection=redis)
    call = "benchmarks.queue_speed.work.do_nothing"
    begun = time.perf_counter()
    queue.enqueue_many([Queue.prepare_data(call, args=(number,)) for number in range(jobs)])
    return mine, jobs / (time.perf_counter() - begun)


def _latency() -> float:
    """Milliseconds from a job's commit to its start, where nothing else is to do."""
    stamps.begin(31)
    with ConnectorSessionHandler(ours.DATABASE, 1).session() as session:
        session.cr.execute("DELETE FROM queue_job")
    with _running(ours.COMMAND, ours.settings("root")):
        for number in range(1, 32):
            with ConnectorSessionHandler(ours.DATABASE, 1).session() as session:
                ours.delay(session, "do_nothing", 1)
            # One at a time, each after the system has come to rest.
            _wait(lambda: _ask(_DONE)[0][0] == number, "latency")  # noqa: B023 - waited for here
            time.sleep(0.1)
    return 1000 * statistics.median(row[0] for row in _ask(_LATENCY)[1:])


_DONE = "SELECT count(*) FROM queue_job WHERE state = 'done'"


def _ask(query: str) -> list[Any]:
    with sql.connect(ours.DATABASE).cursor(sql.READ_COMMITTED) as cr:
        cr.execute(query)
        return cr.fetchall()


if __name__ == "__main__":
    main()
