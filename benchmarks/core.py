"""
Speed of the core's models beside psycopg2: same table, same run, medians, a ratio per pair.

    DATABASE_URL=postgresql:///postgres python benchmarks/core.py [--rows N] [--json FILE]

Each pair runs alternately, so that a busy machine slows both. A database of its own is made and
dropped. Rights, defaults, constraints and log columns are on; ``user`` is an ordinary user.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from connector.core import api, fields, models, modules, sql
from connector.core.addon import declared_in
from connector.core.registry import Registry

Work = Callable[[], object]

LOG = "create_uid, create_date, write_uid, write_date"
INSERT = """
    INSERT INTO bench_partner (name, ref, email, active, credit, country_id)
    VALUES (%s, %s, %s, %s, %s, %s) RETURNING id
"""
FIND = "SELECT id FROM bench_binding WHERE backend_id = %s AND external_id = %s"
KEY = ("backend_id", "external_id")


def declare() -> list[Any]:
    class Country(models.Model):
        _name = "bench.country"

        name = fields.Char(required=True)

    class Partner(models.Model):
        _name = "bench.partner"

        name = fields.Char(required=True)
        ref = fields.Char(index=True)
        email = fields.Char()
        active = fields.Boolean(default=True)
        credit = fields.Float()
        country_id = fields.Many2one("bench.country")

    class Computed(models.Model):
        _name = "bench.computed"

        name = fields.Char(required=True)
        ref = fields.Char(index=True)
        email = fields.Char()
        active = fields.Boolean(default=True)
        credit = fields.Float()
        country_id = fields.Many2one("bench.country")
        label = fields.Char(compute="_compute_label", store=True)

        @api.depends("name", "ref")
        def _compute_label(self) -> None:
            for record in self:
                record.label = f"{record.ref} {record.name}"

    class Binding(models.Model):
        _name = "bench.binding"
        _sql_constraints = [("uniq", "unique(backend_id, external_id)", "Bound twice.")]

        partner_id = fields.Many2one("bench.partner", required=True, ondelete="cascade")
        backend_id = fields.Integer(required=True)
        external_id = fields.Char(required=True)
        sync_date = fields.Datetime()

    return [Country, Partner, Computed, Binding]


@contextmanager
def bench_database() -> Iterator[str]:
    """A new database with the models' tables."""
    name = f"bench_core_{os.getpid()}"
    sql.create_database(name)
    try:
        modules.initialise(name)
        with declared_in("bench"):
            classes = declare()
        registry = Registry(name)
        with registry.cursor() as cr:
            built = [cls._build_model(registry, cr)._name for cls in classes]
            registry.setup_models(cr)
            registry.init_models(cr, built, {"module": "bench"})
        yield name
    finally:
        Registry.delete(name)
        sql.drop_database(name)


class Bench:
    """One environment and one plain connection on the same database, and the operations."""

    def __init__(self, env: Any, plain: Any, rows: int) -> None:
        self.env, self.plain, self.rows = env, plain, rows
        self.partner, self.binding = env["bench.partner"], env["bench.binding"]
        root = env(user=1)
        countries = root["bench.country"].search([]) or root["bench.country"].create(
            [{"name": f"Country {n}"} for n in range(60)]
        )
        self.vals = [
            {
                "name": f"Name {n}",
                "ref": f"R{n}",
                "email": f"n{n}@example.com",
                "active": True,
                "credit": n * 1.5,
                "country_id": countries.ids[n % 60],
            }
            for n in range(rows)
        ]
        env.cr.commit()
        self.turn = 0

    def wipe(self) -> None:
        self.env.cr.execute("TRUNCATE bench_partner, bench_computed, bench_binding")
        self.env.cr.commit()

    def fill(self) -> None:
        self.wipe()
        self.create_many()
        self.ids = self.partner.search([], order="id").ids
        self.binding.create(
            [
                {"partner_id": id_, "backend_id": 1, "external_id": str(n)}
                for n, id_ in enumerate(self.ids)
            ]
        )
        self.env.cr.commit()

    # -- create ---------------------------------------------------------------------------

    def copy(self) -> None:
        self.plain.execute(
            "SELECT nextval('bench_partner_id_seq') FROM generate_series(1, %s)", (self.rows,)
        )
        ids = [id_ for (id_,) in self.plain.fetchall()]
        lines = [
            f"{id_}\t{v['name']}\t{v['ref']}\t{v['email']}\tt\t{v['credit']}\t{v['country_id']}"
            "\t1\t2026-01-01\t1\t2026-01-01\n"
            for id_, v in zip(ids, self.vals, strict=True)
        ]
        columns = f"id, name, ref, email, active, credit, country_id, {LOG}"
        self.plain.copy_expert(
            f"COPY bench_partner ({columns}) FROM STDIN", io.StringIO("".join(lines))
        )
        self.plain.commit()

    def loop(self) -> None:
        for vals in self.vals:
            self.plain.execute(INSERT, tuple(vals.values()))
            self.plain.fetchall()
        self.plain.commit()

    def create_many(self) -> None:
        self.partner.create(self.vals)
        self.env.cr.commit()

    def create_single(self) -> None:
        for vals in self.vals:
            self.partner.create(vals)
        self.env.cr.commit()

    def create_computed(self) -> None:
        self.env["bench.computed"].create(self.vals)
        self.env.cr.commit()

    # -- read and write -------------------------------------------------------------------

    def fetchall(self) -> None:
        self.plain.execute("SELECT id, name, email, credit FROM bench_partner")
        self.plain.fetchall()
        self.plain.commit()

    def browse(self) -> None:
        for record in self.partner.browse(self.ids):
            record.name, record.email, record.credit  # noqa: B018 - reading is measured
        self.env.cr.commit()

    def update_temporary(self) -> None:
        self.turn += 1
        self.plain.execute("CREATE TEMP TABLE new (id int4, credit float8) ON COMMIT DROP")
        lines = "".join(f"{id_}\t{id_ * 2.5 + self.turn}\n" for id_ in self.ids)
        self.plain.copy_expert("COPY new FROM STDIN", io.StringIO(lines))
        self.plain.execute(
            "UPDATE bench_partner p SET credit = new.credit, write_uid = 1, write_date = now()"
            " FROM new WHERE new.id = p.id"
        )
        self.plain.commit()

    def write_single(self) -> None:
        self.turn += 1
        for number, record in enumerate(self.partner.browse(self.ids)):
            record.credit = number * 3.5 + self.turn
        self.env.cr.commit()

    # -- look up --------------------------------------------------------------------------

    def find_plain(self) -> None:
        for number in range(0, self.rows, 5):
            self.plain.execute(FIND, (1, str(number)))
            self.plain.fetchall()
        self.plain.commit()

    def find(self) -> None:
        for number in range(0, self.rows, 5):
            self.binding.search([("backend_id", "=", 1), ("external_id", "=", str(number))])
        self.env.cr.commit()

    def find_prefetched(self) -> None:
        self.binding._prefetch_keys(KEY, [(1, str(n)) for n in range(0, self.rows, 5)])
        self.find()


def measure(bench: Bench, pair: tuple[Work, Work], runs: int, *, wipe: bool) -> dict[str, Any]:
    """Run both alternately; the ratio is the reference's time over ours, pair by pair."""
    times: list[tuple[float, float]] = []
    statements = 0
    for _ in range(runs):
        taken = []
        for work in pair:
            if wipe:
                bench.wipe()
            gc.collect()
            before, start = bench.env.cr.statement_count, time.perf_counter()
            work()
            taken.append(time.perf_counter() - start)
            statements = bench.env.cr.statement_count - before
        times.append((taken[0], taken[1]))
    return {
        "reference_ms": round(statistics.median(one for one, _ in times) * 1000, 1),
        "ours_ms": round(statistics.median(two for _, two in times) * 1000, 1),
        "ratio": round(statistics.median(one / two for one, two in times), 2),
        "statements": statements,
    }


def operations(bench: Bench) -> list[tuple[str, float, tuple[Work, Work], bool]]:
    """Name, goal of the ratio, reference and ours, and whether the table is emptied before."""
    return [
        ("create in one call / COPY", 0.6, (bench.copy, bench.create_many), True),
        ("create one by one / INSERT loop", 3.5, (bench.loop, bench.create_single), True),
        ("stored computed / without", 1 / 1.5, (bench.create_many, bench.create_computed), True),
        ("read 3 fields / fetchall", 0.3, (bench.fetchall, bench.browse), False),
        (
            "write one by one / COPY, UPDATE",
            0.5,
            (bench.update_temporary, bench.write_single),
            False,
        ),
        ("search by key / SELECT", 0.9, (bench.find_plain, bench.find), False),
        ("search prefetched / SELECT", 6.0, (bench.find_plain, bench.find_prefetched), False),
    ]


def ordinary_user(env: Any) -> int:
    """A user who has every right on the models by a group, and no other."""
    group = env["res.groups"].create({"name": "Bench"})
    perms = {f"perm_{mode}": True for mode in ("read", "write", "create", "unlink")}
    found = env["ir.model"].search([("model", "=like", "bench.%")])
    env["ir.model.access"].create(
        [{"name": m.model, "model_id": m.id, "group_id": group.id, **perms} for m in found]
    )
    user = env["res.users"].create(
        {"name": "Bench", "login": "bench", "groups_id": [(4, group.id)]}
    )
    env.cr.commit()
    return int(user.id)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    sql.use_server(os.environ["DATABASE_URL"])
    results: list[dict[str, Any]] = []
    with bench_database() as name, api.Environment.manage(), Registry(name).cursor() as cr:
        root = api.Environment(cr, 1, {})
        for who, uid in (("user", ordinary_user(root)), ("superuser", 1)):
            with sql.connect(name).cursor(sql.READ_COMMITTED) as plain:
                bench = Bench(root(user=uid), plain, options.rows)
                for title, goal, pair, wipe in operations(bench):
                    if not wipe:
                        bench.fill()
                    found = measure(bench, pair, options.runs, wipe=wipe)
                    results.append(
                        {"operation": title, "who": who, "goal": round(goal, 2), **found}
                    )
                    print(
                        f"{who:10}{title:34}{found['reference_ms']:10}{found['ours_ms']:10}"
                        f"{found['ratio']:8}  goal {goal:.2f}  {found['statements']} statements",
                        flush=True,
                    )
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
