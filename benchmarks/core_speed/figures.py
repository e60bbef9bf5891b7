"""Figures without a peer; each that memory counts for is taken in a process of its own."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from timeit import repeat
from typing import Any

from connector.core import api, fields, models, sql
from connector.core.addon import declared_in
from connector.core.registry import Registry

__all__ = ["figures", "large_figures"]

MODELS = 120
FILL = """
    INSERT INTO bench_partner (name, ref, email, active, credit)
    SELECT 'Name ' || n, 'R' || n, 'n' || n || '@example.com', true, n * 1.5
      FROM generate_series(1, %s) AS n
"""

Figure = dict[str, Any]


def figures(env: Any, url: str) -> Iterator[Figure]:
    """Registry, memory, and the cost of the smallest steps."""
    name = env.cr.dbname
    yield from _apart("registry_times", url, name)
    yield from _apart("registry_memory", url, name)
    yield from _nanoseconds(env)


def large_figures(env: Any, tables: Any, url: str, sizes: tuple[int, ...]) -> Iterator[Figure]:
    """Cost per row and memory from small tables to large ones."""
    for size in sizes:
        tables.empty()
        yield from _per_row(env, size)
    peaks = []
    for size in sizes[-2:]:
        tables.empty()
        tables.cr.execute(FILL, (size,))
        tables.cr.execute("ANALYZE bench_partner")
        tables.cr.commit()
        for figure in _apart("iterate", url, env.cr.dbname):
            yield figure
            if figure["figure"].endswith("peak above it"):
                peaks.append(figure["value"])
    yield _figure("iterating, peak of the larger / smaller (goal 1.2)", peaks[1] / peaks[0], "x")
    tables.empty()


def _figure(what: str, value: float, unit: str) -> Figure:
    return {"figure": what, "value": round(value, 2), "unit": unit}


def _apart(function: str, url: str, name: str) -> Iterator[Figure]:
    """Run one of the functions below in a new process."""
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        f"from benchmarks.core_speed import figures\n"
        f"for line in figures.{function}({url!r}, {name!r}): print(*line, sep='|')"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    for line in done.stdout.splitlines():
        what, value, unit = line.split("|")
        yield _figure(what, float(value), unit)


def registry_times(url: str, name: str) -> Iterator[tuple[str, float, str]]:
    """The first load, imports of the addon included, and loads again."""
    sql.use_server(url)
    with api.Environment.manage():
        first = _seconds(lambda: Registry(name))
        again = min(_seconds(lambda: Registry.new(name)) for _ in range(5))
    yield "registry of base, first load", first * 1000, "ms"
    yield "registry of base, reload", again * 1000, "ms"
    yield "reload / first load (goal 0.25)", again / first, "x"


def registry_memory(url: str, name: str) -> Iterator[tuple[str, float, str]]:
    """What a second registry of about 120 models takes, when the first one is there."""
    sql.use_server(url)
    with api.Environment.manage():
        with declared_in("bench"):
            classes = _many_models(MODELS - len(Registry(name).models))
        kept = [_registry_with(name, classes)]
        gc.collect()
        tracemalloc.start()
        kept.append(_registry_with(name, classes))
        gc.collect()
        size = tracemalloc.get_traced_memory()[0]
    yield f"memory of a further registry of {len(kept[-1].models)} models", size / 1e6, "MB"


def _registry_with(name: str, classes: list[Any]) -> Any:
    registry = Registry.new(name)
    with registry.cursor() as cr:
        for model_class in classes:
            model_class._build_model(registry, cr)
        registry.setup_models(cr)
    return registry


def _many_models(count: int) -> list[Any]:
    made = []
    for number in range(count):

        class Many(models.Model):
            _name = f"bench.many{number}"

            name = fields.Char(required=True)
            code = fields.Char(index=True)
            active = fields.Boolean(default=True)
            amount = fields.Float()
            day = fields.Date()
            partner_id = fields.Many2one("res.partner")
            country_id = fields.Many2one("res.country")
            note = fields.Text()

        made.append(Many)
    return made


def iterate(url: str, name: str) -> Iterator[tuple[str, float, str]]:
    """Walk over all partners, by the superuser."""
    sql.use_server(url)
    with api.Environment.manage():
        registry = Registry(name)
        with declared_in("bench"):
            from benchmarks.core_speed.tables import declare

            classes = declare()
        with registry.cursor() as cr:
            for model_class in classes:
                model_class._build_model(registry, cr)
            registry.setup_models(cr)
            partner = api.Environment(cr, 1, {})["bench.partner"]
            partner.search([], limit=10).mapped("name")
            gc.collect()
            # From here on the peak is that of the loop, not that of loading the registry.
            Path("/proc/self/clear_refs").write_text("5")
            before = _memory("VmRSS")
            count, start = 0, time.perf_counter()
            for record in partner.search([]):
                count += bool(record.name)
            taken = time.perf_counter() - start
    yield f"iterating {count:,} records, memory before", before, "MB"
    yield f"iterating {count:,} records, peak above it", _memory("VmHWM") - before, "MB"
    yield f"iterating {count:,} records, a record", taken / count * 1e6, "us"


def _memory(kind: str) -> float:
    """MB of this process that are in memory now (VmRSS), or were at most (VmHWM); on Linux."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{kind}:")[2].split()[0]) / 1024


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _nanoseconds(env: Any) -> Iterator[Figure]:
    record = env["bench.partner"].create({"name": "One"})
    env.flush()
    partner, id_ = env["bench.partner"], record.id
    steps: dict[str, Callable[[], object]] = {
        "env[...]": lambda: env["bench.partner"],
        "browse": lambda: partner.browse(id_),
        "cached attribute": lambda: record.name,
    }
    number = 100_000
    # What calling the empty lambda costs is none of the step.
    idle = min(repeat(lambda: None, number=number, repeat=5))
    for what, step in steps.items():
        step()
        best = min(repeat(step, number=number, repeat=5)) - idle
        yield _figure(what, best / number * 1e9, "ns")
    env.cr.rollback()


def _per_row(env: Any, size: int) -> Iterator[Figure]:
    partner = env["bench.partner"]

    def create() -> None:
        for start in range(0, size, 10_000):
            count = min(10_000, size - start)
            partner.create([{"name": f"Name {start + n}", "credit": 1.5} for n in range(count)])
        env.cr.commit()

    def read() -> None:
        for record in partner.search([]):
            record.name  # noqa: B018 - reading is measured
        env.cr.commit()

    for what, work in (("create", create), ("search and read", read)):
        gc.collect()
        yield _figure(f"{what} among {size:,}, a row", _seconds(work) / size * 1e6, "us")
