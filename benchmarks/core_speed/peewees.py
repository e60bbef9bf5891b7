"""Peewee on psycopg2."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import peewee

from benchmarks.core_speed.tables import Data, pages

__all__ = ["Peewee"]

database: Any = peewee.PostgresqlDatabase(None)


class Logged(peewee.Model):
    create_uid = peewee.IntegerField(default=1)
    create_date = peewee.DateTimeField(default=datetime.now)
    write_uid = peewee.IntegerField(default=1)
    write_date = peewee.DateTimeField(default=datetime.now)

    class Meta:
        database = database


class Country(Logged):
    name = peewee.CharField()

    class Meta:
        table_name = "bench_country"


class Partner(Logged):
    name = peewee.CharField()
    ref = peewee.CharField()
    email = peewee.CharField()
    active = peewee.BooleanField(default=True)
    credit = peewee.DoubleField()
    country_id = peewee.IntegerField()

    class Meta:
        table_name = "bench_partner"


class Binding(Logged):
    partner_id = peewee.IntegerField()
    backend_id = peewee.IntegerField()
    external_id = peewee.CharField()
    sync_date = peewee.DateTimeField()

    class Meta:
        table_name = "bench_binding"


NAMES = ("name", "ref", "email", "credit", "country_id")
CHANGED = [Partner.name, Partner.ref, Partner.email, Partner.credit, Partner.country_id,
           Partner.write_date]  # fmt: skip


class Peewee:
    """The operations in one transaction each."""

    def __init__(self, dsn: dict[str, str], data: Data) -> None:
        database.init(dsn["dbname"], **{k: v for k, v in dsn.items() if k != "dbname"})
        self.data = data

    def close(self) -> None:
        database.close()

    def find(self) -> None:
        with database.atomic():
            for external_id in self.data.external_ids:
                list(
                    Binding.select().where(
                        (Binding.backend_id == 1) & (Binding.external_id == external_id)
                    )
                )

    # -- import ---------------------------------------------------------------------------

    def import_each(self) -> None:
        with database.atomic():
            for record in self.data.records:
                self._import(record)

    def _import(self, record: dict[str, Any]) -> None:
        country = Country.get_or_none(Country.name == record["country"])
        if country is None:
            country = Country.create(name=record["country"])
        vals = _values(record, country.id)
        binding = Binding.get_or_none(
            (Binding.backend_id == 1) & (Binding.external_id == record["id"])
        )
        if binding is None:
            partner = Partner.create(**vals)
            Binding.create(**_binding(record, partner.id))
            return
        partner = Partner.get_by_id(binding.partner_id)
        if _changed(partner, vals):
            partner.save(only=CHANGED)
            binding.sync_date = datetime.now()
            binding.save(only=[Binding.sync_date])

    def import_batches(self) -> None:
        with database.atomic():
            for page in pages(self.data.records):
                self._import_page(page)

    def _import_page(self, page: list[dict[str, Any]]) -> None:
        names = {record["country"] for record in page}
        countries = {c.name: c.id for c in Country.select().where(Country.name.in_(names))}
        for name in names - countries.keys():
            countries[name] = Country.create(name=name).id
        external_ids = [record["id"] for record in page]
        bindings = {
            binding.external_id: binding
            for binding in Binding.select().where(
                (Binding.backend_id == 1) & Binding.external_id.in_(external_ids)
            )
        }
        ids = [binding.partner_id for binding in bindings.values()]
        partners = {p.id: p for p in Partner.select().where(Partner.id.in_(ids))}
        new, changed, stamped = [], [], []
        for record in page:
            vals = _values(record, countries[record["country"]])
            binding = bindings.get(record["id"])
            if binding is None:
                new.append((record, vals))
            elif _changed(partners[binding.partner_id], vals):
                changed.append(partners[binding.partner_id])
                binding.sync_date = datetime.now()
                stamped.append(binding)
        rows = Partner.insert_many([vals for _, vals in new]).returning(Partner.id).tuples()
        Binding.insert_many(
            [_binding(record, id_) for (record, _), (id_,) in zip(new, rows.execute(), strict=True)]
        ).execute()
        Partner.bulk_update(changed, fields=CHANGED)
        Binding.bulk_update(stamped, fields=[Binding.sync_date])


def _values(record: dict[str, Any], country: int) -> dict[str, Any]:
    return {**{name: record[name] for name in NAMES[:4]}, "country_id": country}


def _binding(record: dict[str, Any], partner: int) -> dict[str, Any]:
    return {
        "partner_id": partner,
        "backend_id": 1,
        "external_id": record["id"],
        "sync_date": datetime.now(),
    }


def _changed(partner: Partner, vals: dict[str, Any]) -> bool:
    """Bring the partner up to date; was it out of date?"""
    if all(getattr(partner, name) == value for name, value in vals.items()):
        return False
    for name, value in vals.items():
        setattr(partner, name, value)
    partner.write_date = datetime.now()
    return True
