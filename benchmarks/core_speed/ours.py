"""The core's models, as an addon uses them."""

from __future__ import annotations

from typing import Any

from benchmarks.core_speed.tables import Data, pages

__all__ = ["Ours"]

KEY = ("backend_id", "external_id")


class Ours:
    """The operations for one user."""

    def __init__(self, env: Any, data: Data) -> None:
        self.env, self.cr, self.data = env, env.cr, data
        self.partner, self.binding = env["bench.partner"], env["bench.binding"]
        self.country, self.computed = env["bench.country"], env["bench.computed"]

    def create_many(self) -> None:
        self.partner.create(self.data.vals)
        self.cr.commit()

    def create_each(self) -> None:
        for vals in self.data.vals:
            self.partner.create(vals)
        self.cr.commit()

    def create_computed(self) -> None:
        self.computed.create(self.data.vals)
        self.cr.commit()

    def read(self) -> None:
        for record in self.partner.browse(self.data.ids):
            record.name, record.email, record.credit  # noqa: B018 - reading is measured
        self.cr.commit()

    def find(self) -> None:
        for external_id in self.data.external_ids:
            self.binding.search([("backend_id", "=", 1), ("external_id", "=", external_id)])
        self.cr.commit()

    def find_prefetched(self) -> None:
        self.binding._prefetch_keys(KEY, [(1, id_) for id_ in self.data.external_ids])
        self.find()

    def write_each(self) -> None:
        for number, record in enumerate(self.partner.browse(self.data.ids)):
            record.credit = number * 3.5 + self.data.turn
        self.cr.commit()

    # -- import ---------------------------------------------------------------------------

    def import_each(self) -> None:
        for record in self.data.records:
            self._import(record)
            self.env.flush()
        self.cr.commit()

    def import_batches(self) -> None:
        for page in pages(self.data.records):
            self.country._prefetch_keys(("name",), [(r["country"],) for r in page])
            self.binding._prefetch_keys(KEY, [(1, r["id"]) for r in page])
            for record in page:
                self._import(record)
        self.cr.commit()

    def _import(self, record: dict[str, Any]) -> None:
        """The code for one record is the same, alone and in a page."""
        country = self.country.search([("name", "=", record["country"])])
        if not country:
            country = self.country.create({"name": record["country"]})
        vals = {
            "name": record["name"],
            "ref": record["ref"],
            "email": record["email"],
            "credit": record["credit"],
            "country_id": country.id,
        }
        binding = self.binding.search([("backend_id", "=", 1), ("external_id", "=", record["id"])])
        if not binding:
            partner = self.partner.create(vals)
            self.binding.create(
                {
                    "partner_id": partner.id,
                    "backend_id": 1,
                    "external_id": record["id"],
                    "sync_date": self.cr.now(),
                }
            )
            return
        partner = binding.partner_id
        if any(
            value != (partner.country_id.id if name == "country_id" else partner[name])
            for name, value in vals.items()
        ):
            partner.write(vals)
            binding.write({"sync_date": self.cr.now()})
