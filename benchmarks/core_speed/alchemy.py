"""SQLAlchemy, Core and ORM, on psycopg2."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, bindparam, create_engine, insert, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from benchmarks.core_speed.tables import Data, pages

__all__ = ["Alchemy"]


class Base(DeclarativeBase):
    """Log columns, as the core's models have them."""

    id: Mapped[int] = mapped_column(primary_key=True)
    create_uid: Mapped[int] = mapped_column(default=1)
    create_date: Mapped[datetime] = mapped_column(default=datetime.now)
    write_uid: Mapped[int] = mapped_column(default=1, onupdate=1)
    write_date: Mapped[datetime] = mapped_column(default=datetime.now, onupdate=datetime.now)


class Country(Base):
    __tablename__ = "bench_country"

    name: Mapped[str]


class Partner(Base):
    __tablename__ = "bench_partner"

    name: Mapped[str]
    ref: Mapped[str]
    email: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    credit: Mapped[float]
    country_id: Mapped[int] = mapped_column(ForeignKey("bench_country.id"))


class Binding(Base):
    __tablename__ = "bench_binding"

    partner_id: Mapped[int] = mapped_column(ForeignKey("bench_partner.id"))
    backend_id: Mapped[int]
    external_id: Mapped[str]
    sync_date: Mapped[datetime]


COUNTRY, PARTNER, BINDING = Country.__table__, Partner.__table__, Binding.__table__
READ = (
    select(
        BINDING.c.external_id, BINDING.c.id, PARTNER.c.id, PARTNER.c.name, PARTNER.c.ref,
        PARTNER.c.email, PARTNER.c.credit, PARTNER.c.country_id,
    )
    .join_from(BINDING, PARTNER)
    .where(BINDING.c.backend_id == 1)
)  # fmt: skip


class Alchemy:
    """``import_*`` is Core, with a row loop of the ORM beside it; the rest is the ORM."""

    def __init__(self, dsn: dict[str, str], data: Data) -> None:
        self.engine = create_engine("postgresql+psycopg2://", connect_args=dsn)
        self.data = data

    def close(self) -> None:
        self.engine.dispose()

    def create_many(self) -> None:
        with Session(self.engine) as session:
            session.add_all([Partner(**vals) for vals in self.data.vals])
            session.commit()

    def create_each(self) -> None:
        with Session(self.engine) as session:
            for vals in self.data.vals:
                session.add(Partner(**vals))
                session.flush()
            session.commit()

    def read(self) -> None:
        with Session(self.engine) as session:
            for record in session.scalars(select(Partner)):
                record.name, record.email, record.credit  # noqa: B018 - reading is measured

    def find(self) -> None:
        with Session(self.engine) as session:
            for external_id in self.data.external_ids:
                session.scalars(
                    select(Binding).where(
                        Binding.backend_id == 1, Binding.external_id == external_id
                    )
                ).all()

    # -- import ---------------------------------------------------------------------------

    def import_core_each(self) -> None:
        with self.engine.begin() as connection:
            for record in self.data.records:
                self._import(connection, record)

    def _import(self, connection: Any, record: dict[str, Any]) -> None:
        name = record["country"]
        country = connection.scalar(select(COUNTRY.c.id).where(COUNTRY.c.name == name))
        if country is None:
            country = connection.scalar(insert(COUNTRY).values(name=name).returning(COUNTRY.c.id))
        vals = _values(record, country)
        found = connection.execute(READ.where(BINDING.c.external_id == record["id"])).first()
        if found is None:
            partner = connection.scalar(insert(PARTNER).values(vals).returning(PARTNER.c.id))
            connection.execute(insert(BINDING).values(_binding(record, partner)))
        elif found[3:] != tuple(vals.values()):
            connection.execute(update(PARTNER).where(PARTNER.c.id == found[2]).values(vals))
            connection.execute(
                update(BINDING).where(BINDING.c.id == found[1]).values(sync_date=datetime.now())
            )

    def import_core_batches(self) -> None:
        with self.engine.begin() as connection:
            for page in pages(self.data.records):
                self._import_page(connection, page)

    def _import_page(self, connection: Any, page: list[dict[str, Any]]) -> None:
        names = {record["country"] for record in page}
        query = select(COUNTRY.c.name, COUNTRY.c.id).where(COUNTRY.c.name.in_(names))
        countries = dict(connection.execute(query).all())
        for name in names - countries.keys():
            made = insert(COUNTRY).values(name=name).returning(COUNTRY.c.id)
            countries[name] = connection.scalar(made)
        wanted = READ.where(BINDING.c.external_id.in_([record["id"] for record in page]))
        found = {row[0]: row for row in connection.execute(wanted)}
        new, changed, stamped = [], [], []
        for record in page:
            vals = _values(record, countries[record["country"]])
            known = found.get(record["id"])
            if known is None:
                new.append((record, vals))
            elif known[3:] != tuple(vals.values()):
                changed.append({**vals, "key": known[2]})
                stamped.append({"key": known[1], "sync_date": datetime.now()})
        returning = insert(PARTNER).returning(PARTNER.c.id, sort_by_parameter_order=True)
        made = connection.scalars(returning, [vals for _, vals in new]).all()
        connection.execute(
            insert(BINDING),
            [_binding(record, id_) for (record, _), id_ in zip(new, made, strict=True)],
        )
        connection.execute(update(PARTNER).where(PARTNER.c.id == bindparam("key")), changed)
        connection.execute(update(BINDING).where(BINDING.c.id == bindparam("key")), stamped)

    def import_orm_each(self) -> None:
        with Session(self.engine) as session:
            for record in self.data.records:
                self._import_object(session, record)
                session.flush()
            session.commit()

    def _import_object(self, session: Session, record: dict[str, Any]) -> None:
        name = record["country"]
        country = session.scalar(select(Country).where(Country.name == name))
        if country is None:
            country = Country(name=name)
            session.add(country)
            session.flush()
        vals = _values(record, country.id)
        binding = session.scalar(
            select(Binding).where(Binding.backend_id == 1, Binding.external_id == record["id"])
        )
        if binding is None:
            partner = Partner(**vals)
            session.add(partner)
            session.flush()
            session.add(Binding(**_binding(record, partner.id)))
            return
        partner = session.get_one(Partner, binding.partner_id)
        if any(getattr(partner, name) != value for name, value in vals.items()):
            for name, value in vals.items():
                setattr(partner, name, value)
            binding.sync_date = datetime.now()


def _values(record: dict[str, Any], country: int) -> dict[str, Any]:
    names = ("name", "ref", "email", "credit")
    return {**{name: record[name] for name in names}, "country_id": country}


def _binding(record: dict[str, Any], partner: int) -> dict[str, Any]:
    return {
        "partner_id": partner,
        "backend_id": 1,
        "external_id": record["id"],
        "sync_date": datetime.now(),
    }
