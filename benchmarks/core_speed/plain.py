"""psycopg2 by hand: what a careful programmer writes without a framework."""

from __future__ import annotations

import io
from typing import Any

from benchmarks.core_speed.tables import Data, pages

__all__ = ["Plain"]

LOG = "create_uid, create_date, write_uid, write_date"
PARTNER = f"name, ref, email, active, credit, country_id, {LOG}"
BINDING = f"partner_id, backend_id, external_id, sync_date, {LOG}"
INSERT = f"""
    INSERT INTO bench_partner ({PARTNER})
    VALUES (%s, %s, %s, %s, %s, %s, 1, now(), 1, now()) RETURNING id
"""
INSERT_BINDING = f"""
    INSERT INTO bench_binding ({BINDING})
    VALUES (%s, 1, %s, now(), 1, now(), 1, now()) RETURNING id
"""
FIND = "SELECT id FROM bench_binding WHERE backend_id = %s AND external_id = %s"
READ = """
    SELECT b.id, b.partner_id, p.name, p.ref, p.email, p.credit, p.country_id
      FROM bench_binding b JOIN bench_partner p ON p.id = b.partner_id
     WHERE b.backend_id = 1 AND b.external_id = %s
"""
READ_MANY = """
    SELECT b.external_id, b.id, b.partner_id, p.name, p.ref, p.email, p.credit, p.country_id
      FROM bench_binding b JOIN bench_partner p ON p.id = b.partner_id
     WHERE b.backend_id = 1 AND b.external_id = ANY(%s)
"""
UPDATE = """
    UPDATE bench_partner SET name = %s, ref = %s, email = %s, credit = %s, country_id = %s,
           write_uid = 1, write_date = now() WHERE id = %s
"""
STAMP = """
    UPDATE bench_binding SET sync_date = now(), write_uid = 1, write_date = now() WHERE id = %s
"""
COUNTRY = "INSERT INTO bench_country (name) VALUES (%s) RETURNING id"
COUNTRIES = """
    INSERT INTO bench_country (name) SELECT * FROM unnest(%s) ON CONFLICT (name) DO NOTHING
"""
INSERT_MANY = f"""
    INSERT INTO bench_partner (id, {PARTNER})
    SELECT id, name, ref, email, true, credit, country_id, 1, now(), 1, now()
      FROM unnest(%s::int[], %s::varchar[], %s::varchar[], %s::varchar[], %s::float8[], %s::int[])
           AS v (id, name, ref, email, credit, country_id)
"""
INSERT_BINDINGS = f"""
    INSERT INTO bench_binding ({BINDING})
    SELECT partner_id, 1, external_id, now(), 1, now(), 1, now()
      FROM unnest(%s::int[], %s::varchar[]) AS v (partner_id, external_id)
"""
UPDATE_MANY = """
    UPDATE bench_partner p
       SET name = v.name, ref = v.ref, email = v.email, credit = v.credit,
           country_id = v.country_id, write_uid = 1, write_date = now()
      FROM unnest(%s::int[], %s::varchar[], %s::varchar[], %s::varchar[], %s::float8[], %s::int[])
           AS v (id, name, ref, email, credit, country_id)
     WHERE p.id = v.id
"""
STAMP_MANY = """
    UPDATE bench_binding SET sync_date = now(), write_uid = 1, write_date = now()
     WHERE id = ANY(%s)
"""
RESERVE = "SELECT nextval('bench_partner_id_seq') FROM generate_series(1, %s)"


class Plain:
    """One statement a row (``create_each``, ``import_each``), and the fastest bulk statements."""

    def __init__(self, connection: Any, data: Data) -> None:
        self.connection, self.data = connection, data
        self.cr = connection.cursor()

    def close(self) -> None:
        self.connection.close()

    def _ids(self, count: int) -> list[int]:
        self.cr.execute(RESERVE, (count,))
        return [id_ for (id_,) in self.cr.fetchall()]

    def create_copy(self) -> None:
        lines = [
            f"{id_}\t{v['name']}\t{v['ref']}\t{v['email']}\tt\t{v['credit']}\t{v['country_id']}"
            "\t1\t2026-01-01\t1\t2026-01-01\n"
            for id_, v in zip(self._ids(len(self.data.vals)), self.data.vals, strict=True)
        ]
        self.cr.copy_expert(
            f"COPY bench_partner (id, {PARTNER}) FROM STDIN", io.StringIO("".join(lines))
        )
        self.connection.commit()

    def create_each(self) -> None:
        for vals in self.data.vals:
            self.cr.execute(INSERT, tuple(vals.values()))
            self.cr.fetchone()
        self.connection.commit()

    def read(self) -> None:
        self.cr.execute("SELECT id, name, email, credit FROM bench_partner")
        self.cr.fetchall()
        self.connection.commit()

    def find(self) -> None:
        for external_id in self.data.external_ids:
            self.cr.execute(FIND, (1, external_id))
            self.cr.fetchall()
        self.connection.commit()

    def write_copy(self) -> None:
        """Update through a temporary table that COPY fills."""
        self.cr.execute("CREATE TEMP TABLE new (id int4, credit float8) ON COMMIT DROP")
        lines = [f"{id_}\t{n * 2.5 + self.data.turn}\n" for n, id_ in enumerate(self.data.ids)]
        self.cr.copy_expert("COPY new FROM STDIN", io.StringIO("".join(lines)))
        self.cr.execute(
            "UPDATE bench_partner p SET credit = new.credit, write_uid = 1, write_date = now()"
            " FROM new WHERE new.id = p.id"
        )
        self.connection.commit()

    # -- import ---------------------------------------------------------------------------

    def import_each(self) -> None:
        for record in self.data.records:
            self._import(record)
        self.connection.commit()

    def _import(self, record: dict[str, Any]) -> None:
        cr = self.cr
        cr.execute("SELECT id FROM bench_country WHERE name = %s", (record["country"],))
        country = cr.fetchone()
        if country is None:
            cr.execute(COUNTRY, (record["country"],))
            country = cr.fetchone()
        vals = (*(record[name] for name in ("name", "ref", "email", "credit")), country[0])
        cr.execute(READ, (record["id"],))
        found = cr.fetchone()
        if found is None:
            cr.execute(INSERT, (*vals[:3], True, *vals[3:]))
            cr.execute(INSERT_BINDING, (cr.fetchone()[0], record["id"]))
        elif found[2:] != vals:
            cr.execute(UPDATE, (*vals, found[1]))
            cr.execute(STAMP, (found[0],))

    def import_batches(self) -> None:
        for page in pages(self.data.records):
            self._import_page(page)
        self.connection.commit()

    def _import_page(self, page: list[dict[str, Any]]) -> None:
        cr = self.cr
        names = sorted({record["country"] for record in page})
        cr.execute(COUNTRIES, (names,))
        cr.execute("SELECT name, id FROM bench_country WHERE name = ANY(%s)", (names,))
        countries = dict(cr.fetchall())
        cr.execute(READ_MANY, ([record["id"] for record in page],))
        found = {row[0]: row[1:] for row in cr.fetchall()}
        new, changed = [], []
        for r in page:
            vals = (r["name"], r["ref"], r["email"], r["credit"], countries[r["country"]])
            known = found.get(r["id"])
            if known is None:
                new.append((r["id"], vals))
            elif known[2:] != vals:
                changed.append((known[0], (known[1], *vals)))
        ids = self._ids(len(new))
        rows = [(id_, *vals) for id_, (_, vals) in zip(ids, new, strict=True)]
        cr.execute(INSERT_MANY, [list(column) for column in zip(*rows, strict=True)])
        cr.execute(INSERT_BINDINGS, (ids, [external_id for external_id, _ in new]))
        updated = [vals for _, vals in changed]
        cr.execute(UPDATE_MANY, [list(column) for column in zip(*updated, strict=True)])
        cr.execute(STAMP_MANY, ([id_ for id_, _ in changed],))
