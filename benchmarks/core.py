"""
Speed of the core's models beside what people would use instead: same tables, same run.

    python benchmarks/core.py [--runs 5] [--only WORD ...] [--peers NAME ...] [--large] [--json]

A row is one pair: the ratio is the peer's time over ours, taken run by run, its median shown;
above one, ours is faster. CPU is the same ratio over the processor time of client and server,
which a busy machine disturbs less. All run in turn on a PostgreSQL of the project's own wheels,
which waits for the disk, in a directory that is removed. Rights, defaults, constraints and log
columns are on; ``user`` is an ordinary user.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

# Beside this script lie connector.py and queue.py, which would be found before the packages of
# those names: the imports below come after the repository has been put in their place.
sys.path[0] = str(Path(__file__).parents[1])

import psycopg2  # noqa: E402

from benchmarks.core_speed.figures import figures, large_figures  # noqa: E402
from benchmarks.core_speed.ours import Ours  # noqa: E402
from benchmarks.core_speed.plain import Plain  # noqa: E402
from benchmarks.core_speed.tables import Tables, bench_database, ordinary_user  # noqa: E402
from connector.core import api, sql  # noqa: E402
from connector.core.registry import Registry  # noqa: E402
from connector.embedded import Services  # noqa: E402

Work = Callable[[], object]

SIZES = (1_000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class Operation:
    """What is done, by whom, and what the ratio has to reach."""

    name: str
    #: what the tables hold before: empty, full or half
    start: str
    #: method of ``Ours``
    ours: str
    #: name -> (method, goal); the name's first word is the contender
    peers: dict[str, tuple[str, float]]
    is_import: bool = False


OPERATIONS = (
    Operation("create many", "empty", "create_many", {
        "psycopg2 COPY": ("create_copy", 0.6),
        "Django bulk_create": ("create_many", 1.5),
        "SQLAlchemy add_all": ("create_many", 4),
    }),
    Operation("create one by one", "empty", "create_each", {
        "psycopg2 INSERT loop": ("create_each", 3.5),
        "Django save loop": ("create_each", 5),
        "SQLAlchemy ORM loop": ("create_each", 8),
    }),
    Operation("stored computed field", "empty", "create_computed", {
        "ours without": ("create_many", 1 / 1.5),
    }),
    Operation("read 3 fields", "full", "read", {
        "psycopg2 fetchall": ("read", 0.3),
        "Django": ("read", 1.6),
        "SQLAlchemy ORM": ("read", 1.6),
    }),
    Operation("search by key", "full", "find", {
        "psycopg2 SELECT": ("find", 0.9),
        "Django": ("find", 2.4),
        "SQLAlchemy ORM": ("find", 2.4),
        "Peewee": ("find", 2.4),
    }),
    Operation("search, prefetched", "full", "find_prefetched", {
        "psycopg2 SELECT": ("find", 6),
    }),
    Operation("write one by one", "full", "write_each", {
        "psycopg2 COPY, UPDATE": ("write_copy", 0.5),
        "Django bulk_update": ("write_many", 10),
    }),
    Operation("import in batches", "half", "import_batches", {
        "psycopg2 unnest": ("import_batches", 0.4),
        "SQLAlchemy Core batch": ("import_core_batches", 0.9),
        "Peewee batch": ("import_batches", 0.9),
        "SQLAlchemy Core loop": ("import_core_each", 8),
        "SQLAlchemy ORM loop": ("import_orm_each", 8),
        "Peewee loop": ("import_each", 8),
    }, is_import=True),
    Operation("import, each flushed", "half", "import_each", {
        "psycopg2 loop": ("import_each", 0.9),
        "SQLAlchemy Core loop": ("import_core_each", 1.7),
    }, is_import=True),
)  # fmt: skip


class Bench:
    """The contenders on one database."""

    def __init__(self, url: str, server: int, name: str, cr: Any, tables: Tables) -> None:
        # Peers are imported here: only who measures needs them.
        from benchmarks.core_speed.alchemy import Alchemy
        from benchmarks.core_speed.djangos import Django
        from benchmarks.core_speed.peewees import Peewee

        dsn = {**psycopg2.extensions.parse_dsn(url), "dbname": name}
        root = api.Environment(cr, 1, {})
        self.cr, self.tables, self.server = cr, tables, server
        self.ours = {
            "user": Ours(root(user=ordinary_user(root)), tables.data),
            "superuser": Ours(root, tables.data),
        }
        self.peers: dict[str, Any] = {
            "psycopg2": Plain(psycopg2.connect(**dsn), tables.data),
            "Django": Django(dsn, tables.data),
            "SQLAlchemy": Alchemy(dsn, tables.data),
            "Peewee": Peewee(dsn, tables.data),
        }
        # What the peers' packages consist of is looked at by nobody's garbage collection.
        gc.collect()
        gc.freeze()

    def close(self) -> None:
        """End the connections of the peers, so that the database can be dropped."""
        for peer in self.peers.values():
            peer.close()

    def measure(
        self, operation: Operation, runs: int, chosen: Collection[str] = ()
    ) -> Iterator[dict[str, Any]]:
        """
        Run all contenders in turn, after one round that does not count; a row for each pair.

        Of the peers only those *chosen*, where some are.
        """
        peers = {
            peer: how
            for peer, how in operation.peers.items()
            if not chosen or peer.split()[0] in chosen
        }
        works: dict[tuple[str, str], Work] = {
            ("ours", who): getattr(ours, operation.ours) for who, ours in self.ours.items()
        }
        for peer, (method, _) in peers.items():
            for who, ours in self.ours.items():
                contender = self.peers.get(peer.split()[0])
                works[peer, who if contender is None else ""] = getattr(contender or ours, method)
        works = _paired(works)
        rounds = [self._round(operation, works) for _ in range(runs + 1)][1:]
        for who in self.ours:
            for peer, (_, goal) in peers.items():
                key = (peer, "") if (peer, "") in works else (peer, who)
                pairs = [(taken["ours", who], taken[key]) for taken in rounds]
                yield {
                    "name": operation.name,
                    "who": who,
                    "peer": peer,
                    "ours_ms": _median(ours.wall * 1000 for ours, _ in pairs),
                    "peer_ms": _median(other.wall * 1000 for _, other in pairs),
                    "ratio": _median(other.wall / ours.wall for ours, other in pairs),
                    "cpu_ratio": _median(other.cpu / ours.cpu for ours, other in pairs),
                    "goal": round(goal, 2),
                    "statements": pairs[-1][0].statements,
                    "runs": [round(other.wall / ours.wall, 2) for ours, other in pairs],
                }

    def _round(self, operation: Operation, works: dict[Any, Work]) -> dict[Any, Taken]:
        taken = {}
        for key, work in works.items():
            self.tables.uid = self.ours[key[1]].env.uid if key[1] else 1
            getattr(self.tables, operation.start)()
            taken[key] = self._taken(work)
            if operation.is_import and not self.tables.imported_rightly():
                raise SystemExit(f"{operation.name} by {' '.join(key)}: the result is wrong")
        return taken

    def _taken(self, work: Work) -> Taken:
        gc.collect()
        statements, cpu = self.cr.statement_count, _cpu_seconds(self.server)
        start = time.perf_counter()
        work()
        wall = time.perf_counter() - start
        return Taken(wall, _cpu_seconds(self.server) - cpu, self.cr.statement_count - statements)


@dataclass(frozen=True)
class Taken:
    """What one run of one contender took."""

    wall: float
    cpu: float
    statements: int


def _paired(works: dict[tuple[str, str], Work]) -> dict[tuple[str, str], Work]:
    """The first peer between the two users: each is timed right before or after it."""
    (user, superuser, *others) = works
    return {key: works[key] for key in (user, *others[:1], superuser, *others[1:])}


def _median(values: Any) -> float:
    return round(statistics.median(values), 2)


def _cpu_seconds(server: int) -> float:
    """Processor time of this process and of the processes that *server* has made; on Linux."""
    spent = time.process_time()
    children = Path(f"/proc/{server}/task/{server}/children")
    for child in children.read_text().split() if children.exists() else ():
        try:
            spent += int(Path(f"/proc/{child}/schedstat").read_text().split()[0]) / 1e9
        except OSError:
            continue  # the process is gone
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--imported", type=int, default=5_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=[""], help="parts of names; 'figures' too")
    parser.add_argument("--peers", nargs="+", default=[], help="psycopg2 Django ... ours")
    parser.add_argument("--large", action="store_true", help="figures up to a million rows too")
    parser.add_argument("--json", nargs="?", const="-", metavar="FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-core-") as home:
        Path(home).chmod(0o755)  # started by root, the server runs as another user
        with Services(home) as services:
            services.ensure_postgres()
            found = run(services.database_url, services.pids()["postgres"], options)
            sql.close_all()
    if options.json == "-":
        json.dump(found, sys.stdout, indent=1)
    elif options.json:
        Path(options.json).write_text(json.dumps(found, indent=1), encoding="utf-8")


def run(url: str, server: int, options: argparse.Namespace) -> dict[str, Any]:
    """Measure what is asked for, show it, and give it back."""
    sql.use_server(url)
    show = partial(print, file=sys.stderr if options.json == "-" else sys.stdout, flush=True)
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    load = " ".join(f"{part:.1f}" for part in os.getloadavg())
    show(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine}, load {load}")
    rows: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    with (
        bench_database() as name,
        api.Environment.manage(),
        Registry(name).cursor() as cr,
        sql.connect(name).cursor(sql.READ_COMMITTED) as admin,
    ):
        tables = Tables(admin, options.rows, options.imported)
        tables.empty()
        bench = Bench(url, server, name, cr, tables)
        for operation in OPERATIONS:
            if any(word in operation.name for word in options.only):
                for row in bench.measure(operation, options.runs, options.peers):
                    rows.append(row)
                    show(_line(row))
        env = bench.ours["user"].env
        if any(word in "figures" for word in options.only):
            others += map(partial(_shown, show), figures(env, url))
        if options.large:
            others += map(partial(_shown, show), large_figures(env, tables, url, SIZES))
        bench.close()
    return {"machine": machine, "load": load, "rows": rows, "figures": others}


def _shown(show: Callable[[str], None], figure: dict[str, Any]) -> dict[str, Any]:
    show(f"{figure['figure']:60}{figure['value']:12,} {figure['unit']}")
    return figure


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['name']:22}{row['who']:10}{row['peer']:22}{row['ours_ms']:9.1f} ms"
        f"{row['peer_ms']:9.1f} ms  ratio {row['ratio']:6.2f}  cpu {row['cpu_ratio']:6.2f}"
        f"  goal {row['goal']:5.2f}  {row['statements']} statements"
    )


if __name__ == "__main__":
    main()
