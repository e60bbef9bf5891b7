"""The tables that every contender works on, and what they are filled with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from connector.core import api, fields, models, modules, sql
from connector.core.addon import declared_in
from connector.core.registry import Registry

__all__ = ["COUNTRIES", "Data", "Tables", "bench_database", "ordinary_user", "pages"]

COUNTRIES = 60
#: countries that an import has to make
NEW_COUNTRIES = 10
#: records that a batch import treats together
PAGE = 1_000
PERMS = {f"perm_{mode}": True for mode in ("read", "write", "create", "unlink")}

FILL_PARTNERS = """
    INSERT INTO bench_partner (name, ref, email, active, credit, country_id,
                               create_uid, create_date, write_uid, write_date)
    SELECT 'Name ' || n, 'R' || n, 'n' || n || '@example.com', true, n * 1.5, c.ids[n %% 50 + 1],
           %(uid)s, now(), %(uid)s, now()
      FROM (SELECT array_agg(id ORDER BY id) AS ids FROM bench_country) c,
           unnest(%(numbers)s) AS n
     ORDER BY n
"""
FILL_BINDINGS = """
    INSERT INTO bench_binding (partner_id, backend_id, external_id, sync_date,
                               create_uid, create_date, write_uid, write_date)
    SELECT id, 1, substr(ref, 2), now(), %(uid)s, now(), %(uid)s, now()
      FROM bench_partner ORDER BY id
"""


def declare() -> list[Any]:
    """The models; a class of its own for each, so that nothing is shared but the columns."""

    class Country(models.Model):
        _name = "bench.country"
        _sql_constraints = [("name_uniq", "unique(name)", "There are two of the name.")]

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
    """A new database with the models' tables, dropped in the end."""
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


def ordinary_user(env: Any) -> int:
    """A user who has every right on the models by a group, and no other."""
    group = env["res.groups"].create({"name": "Bench"})
    found = env["ir.model"].search([("model", "=like", "bench.%")])
    env["ir.model.access"].create(
        [{"name": m.model, "model_id": m.id, "group_id": group.id, **PERMS} for m in found]
    )
    user = env["res.users"].create(
        {"name": "Bench", "login": "bench", "groups_id": [(4, group.id)]}
    )
    env.cr.commit()
    return int(user.id)


@dataclass
class Data:
    """What is given to every contender alike."""

    #: values of new partners
    vals: list[dict[str, Any]]
    #: partners that are there, by id
    ids: list[int]
    #: external ids to look for
    external_ids: list[str]
    #: records of the backend: half new, a quarter changed, a quarter as they are
    records: list[dict[str, Any]]
    #: turns a number of a record into its new credit, another one with each run
    turn: int = 0


class Tables:
    """The tables between the runs, on a connection that no contender uses."""

    def __init__(self, cr: Any, rows: int, imported: int) -> None:
        self.cr, self.rows, self.imported = cr, rows, imported
        #: who wrote the rows that are there: who writes them again, or none would be equal
        self.uid = 1
        self.data = Data([], [], [str(n) for n in range(0, rows, 5)], _records(imported))

    def empty(self) -> None:
        """No partners, and the countries that are always there."""
        self.cr.execute("TRUNCATE bench_partner, bench_computed, bench_binding, bench_country")
        self.cr.execute(
            "INSERT INTO bench_country (name) SELECT 'Country ' || n"
            " FROM generate_series(0, %s) AS n ORDER BY n RETURNING id",
            (COUNTRIES - NEW_COUNTRIES - 1,),
        )
        countries = [id_ for (id_,) in self.cr.fetchall()]
        self.data.vals = [
            {
                "name": f"Name {n}",
                "ref": f"R{n}",
                "email": f"n{n}@example.com",
                "active": True,
                "credit": n * 1.5,
                "country_id": countries[n % len(countries)],
            }
            for n in range(self.rows)
        ]
        self.data.turn += 1
        self.cr.commit()

    def full(self) -> None:
        """All partners, each with a binding."""
        self._fill(range(self.rows))

    def half(self) -> None:
        """Those partners that the import finds."""
        self._fill([n for n in range(self.imported) if n % 4 < 2])

    def _fill(self, numbers: Any) -> None:
        self.empty()
        self.cr.execute(FILL_PARTNERS, {"numbers": list(numbers), "uid": self.uid})
        self.cr.execute(FILL_BINDINGS, {"uid": self.uid})
        self.cr.execute("ANALYZE bench_partner; ANALYZE bench_binding")
        self.cr.execute("SELECT id FROM bench_partner ORDER BY id")
        self.data.ids = [id_ for (id_,) in self.cr.fetchall()]
        self.cr.commit()

    def imported_rightly(self) -> bool:
        """Does every record stand as the backend has it?"""
        self.cr.execute(
            "SELECT b.external_id, p.name, p.email, p.credit, c.name FROM bench_binding b"
            " JOIN bench_partner p ON p.id = b.partner_id"
            " JOIN bench_country c ON c.id = p.country_id"
        )
        found = sorted(self.cr.fetchall())
        self.cr.commit()
        return found == sorted(
            (r["id"], r["name"], r["email"], r["credit"], r["country"]) for r in self.data.records
        )


def _records(count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": str(n),
            "name": f"Name {n}",
            "ref": f"R{n}",
            "email": f"n{n}@example.com" if n % 4 != 1 else f"changed{n}@example.com",
            "credit": n * 1.5 if n % 4 != 1 else n * 2.5 + 1,
            "country": f"Country {n % (COUNTRIES if n % 4 > 1 else COUNTRIES - NEW_COUNTRIES)}",
        }
        for n in range(count)
    ]


def pages(records: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The records in slices of a batch import."""
    for start in range(0, len(records), PAGE):
        yield records[start : start + PAGE]
