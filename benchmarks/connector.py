"""
Speed of the connector's units, each beside what it is measured by, in one run.

    [DATABASE_URL=...] python benchmarks/connector.py [--json] [--records N]

    look-up    microseconds of `get_connector_unit`, warm, with 500 registered classes
    mapping    a record of 20 fields and 5 mapping methods, against a dict written by hand
    import     records with 50 categories through the chunked importer, against the core's own
               batch upsert of the same rows: keys looked up together, new rows created together;
               and again with nothing changed
    one each   the same importer with one record in a transaction, as one job for each has it

A database named `benchmark_connector` is made and dropped.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from timeit import timeit
from types import SimpleNamespace
from typing import Any

# This file is named like the package that it measures; as a script it would be found first.
if sys.path[0] == os.path.dirname(os.path.abspath(__file__)):
    sys.path.remove(sys.path[0])

import connector.models  # noqa: F401 - those below inherit them
from connector.backend import Backend, BackendRegistry
from connector.config import Config
from connector.connector import Binder, ConnectorEnvironment, ConnectorUnit
from connector.core import fields, models, modules, sql
from connector.core.addon import declared_in
from connector.core.environment import Environment
from connector.core.registry import SUPERUSER_ID, Registry
from connector.runtime.servers import open_servers
from connector.session import ConnectorSession
from connector.unit.backend_adapter import CRUDAdapter
from connector.unit.chunk import ChunkImporter
from connector.unit.importer import RecordImporter
from connector.unit.mapper import ImportMapper, backend_to_m2o, mapping

DATABASE = "benchmark_connector"
CLASSES = 500
CATEGORIES = 50
SLICE = 500
SINGLES = 200
ROUNDS = 3


def declare() -> None:
    """Declare the models and units that are measured."""
    bench = Backend("benchmark", version="1")

    class BenchmarkBackend(models.Model):
        _name = "benchmark.backend"
        _inherit = "connector.backend"
        _backend_type = "benchmark"

        version = fields.Selection([("1", "1")], default="1", required=True)

    class BenchmarkBinding(models.AbstractModel):
        _name = "benchmark.binding"
        _inherit = "external.binding"

        backend_id = fields.Many2one("benchmark.backend", required=True, ondelete="restrict")
        external_id = fields.Char(required=True)

        _sql_constraints = [("once", "unique(backend_id, external_id)", "Bound once.")]

    class BenchmarkCategory(models.Model):
        _name = "benchmark.category"
        _inherit = "benchmark.binding"
        _inherits = {"res.partner.category": "openerp_id"}

        openerp_id = fields.Many2one("res.partner.category", required=True, ondelete="cascade")

    class BenchmarkPartner(models.Model):
        _name = "benchmark.partner"
        _inherit = "benchmark.binding"
        _inherits = {"res.partner": "openerp_id"}

        openerp_id = fields.Many2one("res.partner", required=True, ondelete="cascade")
        main_category_id = fields.Many2one("res.partner.category")

    @bench
    class BenchmarkBinder(Binder):
        _model_name = ["benchmark.category", "benchmark.partner"]

    @bench
    class BenchmarkAdapter(CRUDAdapter):
        _model_name = ["benchmark.category", "benchmark.partner"]

        def read(self, external_id: Any) -> dict[str, Any]:
            return {"id": external_id, "name": f"Category {external_id}"}

    @bench
    class CategoryMapper(ImportMapper):
        _model_name = "benchmark.category"
        direct = [("name", "name")]

    @bench
    class PartnerMapper(ImportMapper):
        _model_name = "benchmark.partner"
        direct = [
            *((name, name) for name in ("name", "street", "zip", "city", "email")),
            (backend_to_m2o("category", binding="benchmark.category"), "main_category_id"),
        ]

    @bench
    class CategoryImporter(RecordImporter):
        _model_name = "benchmark.category"

    @bench
    class PartnerImporter(RecordImporter):
        _model_name = "benchmark.partner"
        _dependencies = [("category", "benchmark.category")]


def look_up() -> dict[str, float]:
    """Microseconds for a warm look-up among many classes, instance included."""
    backend = Backend("crowd", registry=BackendRegistry())
    kinds = [type(f"Kind{number}", (ConnectorUnit,), {}) for number in range(10)]
    for number in range(CLASSES // len(kinds)):
        for kind in kinds:
            backend(type("Unit", (kind,), {"_model_name": f"model.{number}"}))
    addons = {entry.addon for _, entry in backend.entries()}
    session: Any = SimpleNamespace(
        env=SimpleNamespace(registry=SimpleNamespace(_init_modules=addons))
    )
    record: Any = SimpleNamespace(get_backend=lambda: backend)
    connector_env = ConnectorEnvironment(record, session, "model.7")
    return {"microseconds": least(lambda: connector_env.get_connector_unit(kinds[3]), 50_000)}


def mapping_of_a_record() -> dict[str, float]:
    """Microseconds to map a record, and to build the same dict by hand."""

    class Wide(ImportMapper):
        direct = [(f"source_{number}", f"field_{number}") for number in range(20)]

        @mapping
        def one(self, record: Any) -> Any:
            return {"one": record["source_1"]}

        @mapping
        def two(self, record: Any) -> Any:
            return {"two": record["source_2"]}

        @mapping
        def three(self, record: Any) -> Any:
            return {"three": record["source_3"]}

        @mapping
        def four(self, record: Any) -> Any:
            return {"four": record["source_4"]}

        @mapping
        def five(self, record: Any) -> Any:
            return {"five": record["source_5"]}

    names = [(f"source_{number}", f"field_{number}") for number in range(20)]
    record = {f"source_{number}": f"value {number}" for number in range(20)}
    char = SimpleNamespace(type="char")
    model = SimpleNamespace(_name="wide", _fields={target: char for _, target in names})
    backend_record: Any = SimpleNamespace(get_backend=lambda: None)
    session: Any = SimpleNamespace(env={"wide": model})
    mapper = Wide(ConnectorEnvironment(backend_record, session, "wide"))

    def by_hand() -> dict[str, Any]:
        values: dict[str, Any] = {}
        for source, target in names:
            value = record.get(source)
            if target not in model._fields:
                raise KeyError(target)
            values[target] = value or False
        for number, name in enumerate(("one", "two", "three", "four", "five"), 1):
            values.update({name: record[f"source_{number}"]})
        return values

    assert mapper.map_record(record).values() == by_hand()
    mapped = least(lambda: mapper.map_record(record).values(), 5_000)
    hand = least(by_hand, 5_000)
    return {"microseconds": mapped, "by hand": hand, "ratio": mapped / hand}


def least(function: Callable[[], Any], number: int) -> float:
    """Microseconds of a call, the least of several rounds."""
    return min(timeit(function, number=number) for _ in range(5)) / number * 1e6


@contextmanager
def database() -> Iterator[Registry]:
    """A database with the connector and the models above."""
    with open_servers(Config.load()):
        yield from _fresh_database()


def _fresh_database() -> Iterator[Registry]:
    if sql.database_exists(DATABASE):
        sql.drop_database(DATABASE)
    sql.create_database(DATABASE)
    try:
        modules.initialise(DATABASE)
        modules.install(DATABASE, ["connector"])
        yield Registry(DATABASE)
    finally:
        sql.close_all(DATABASE)
        sql.drop_database(DATABASE)


def source(count: int, name: str) -> list[dict[str, Any]]:
    """Records that are new, in categories that are new; *name* tells them from others."""
    return [
        {
            "id": f"{name} {number}",
            "updated_at": "2026-11-21T08:00:00Z",
            "name": f"Partner {number}",
            "street": f"Street {number}",
            "zip": str(number),
            "city": "Oslo",
            "email": f"partner{number}@example.com",
            "category": f"{name} {number % CATEGORIES}",
        }
        for number in range(count)
    ]


@contextmanager
def measured(registry: Registry, count: int, result: dict[str, float]) -> Iterator[Any]:
    """Seconds, records a second and statements a record of what the block does."""
    with Environment.manage(), registry.cursor("read committed") as cr:
        began, before = time.perf_counter(), cr.statement_count
        yield ConnectorSession(cr, SUPERUSER_ID)
        cr.commit()
        seconds = time.perf_counter() - began
        result["seconds"] = seconds
        result["records a second"] = count / seconds
        result["statements a record"] = (cr.statement_count - before) / count


def import_all(session: Any, records: list[dict[str, Any]], size: int = SLICE) -> None:
    backend_record = session.env["benchmark.backend"].search([])
    for start in range(0, len(records), size):
        connector_env = ConnectorEnvironment(backend_record, session, "benchmark.partner")
        result = ChunkImporter(connector_env).run(records[start : start + size])
        if result.poisoned or result.refused:
            raise RuntimeError(f"Not everything was imported: {result}")
        session.commit()


def create_all(session: Any, records: list[dict[str, Any]]) -> None:
    """
    The same rows by the core alone: looked up by their key, then created together.

    The rows are those that the import writes, column by column, stamps and categories included;
    nothing is read from a source, mapped, checksummed or locked for them.
    """
    backend_id = session.env["benchmark.backend"].search([]).id
    stamps = {
        "backend_id": backend_id,
        "sync_date": session.cr.now(),
        "checksum": "0123456789abcdef0123456789abcdef",
    }
    ids = dict.fromkeys(record["category"] for record in records)
    rows = [{**stamps, "external_id": each, "name": f"Category {each}"} for each in ids]
    categories = upserted(session.env["benchmark.category"], rows)
    stamps["backend_updated_at"] = "2026-11-21 08:00:00.000000"
    for start in range(0, len(records), SLICE):
        rows = [
            {
                **{name: record[name] for name in ("name", "street", "zip", "city", "email")},
                "main_category_id": categories[record["category"]].openerp_id.id,
                "external_id": record["id"],
                **stamps,
            }
            for record in records[start : start + SLICE]
        ]
        upserted(session.env["benchmark.partner"], rows)
        session.commit()


def upserted(model: Any, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Write the rows that are known and create the others in one batch; give them by their id."""
    names = ("backend_id", "external_id")
    keys = [(row["backend_id"], row["external_id"]) for row in rows]
    model._prefetch_keys(names, keys)
    found = {key: model._lookup_by_key(names, key) for key in keys}
    new = [row for row, key in zip(rows, keys, strict=True) if not found[key]]
    for row, key in zip(rows, keys, strict=True):
        if found[key]:
            found[key].write(row)
    made = zip(new, model.create(new), strict=True)
    return {
        **{key[1]: record for key, record in found.items() if record},
        **{row["external_id"]: record for row, record in made},
    }


def imports(count: int) -> dict[str, dict[str, float]]:
    """
    Import, core and import again in turn, after a page of each has warmed them up.

    Of several rounds the median counts: a machine that does something else is slow for a while.
    """
    rounds: dict[str, list[dict[str, float]]] = {}

    def run(name: str, work: Callable[..., None], *given: Any) -> None:
        result: dict[str, float] = {}
        with measured(registry, len(given[0]), result) as session:
            work(session, *given)
        rounds.setdefault(name, []).append(result)

    with database() as registry:
        with Environment.manage(), registry.cursor() as cr:
            Environment(cr, SUPERUSER_ID, {})["benchmark.backend"].create({"name": "Benchmark"})
        run("warm-up", import_all, source(SINGLES, "warm"))
        run("warm-up", create_all, source(SINGLES, "warm core"))
        for number in range(ROUNDS):
            records = source(count, f"round {number}")
            run("import, new", import_all, records)
            run("core", create_all, source(count, f"core {number}"))
            run("import, unchanged", import_all, records)
            for name, size in (("100 each", 100), ("one each", 1)):
                run(name, import_all, source(SINGLES, f"{name} {number}"), size)
    del rounds["warm-up"]
    for new, core in zip(rounds["import, new"], rounds["core"], strict=True):
        new["of the core's speed"] = core["seconds"] / new["seconds"]
    return {name: medians(results) for name, results in rounds.items()}


def medians(results: list[dict[str, float]]) -> dict[str, float]:
    return {name: median(each[name] for each in results) for name in results[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    parser.add_argument("--records", type=int, default=5_000)
    options = parser.parse_args()
    results = {"look-up": look_up(), "mapping": mapping_of_a_record(), **imports(options.records)}
    if options.json:
        print(json.dumps(results, indent=2))
        return
    for name, values in results.items():
        print(f"{name:18}", "  ".join(f"{value:.4g} {unit}" for unit, value in values.items()))


if __name__ == "__main__":
    with declared_in("connector"):
        declare()
    main()
