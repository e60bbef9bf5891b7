"""A small shop: its models and units, and a backend whose records are a dict in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

import pytest

from connector.backend import BACKENDS, Backend
from connector.connector import Binder, ConnectorEnvironment, get_environment
from connector.core import fields, models
from connector.exception import IDMissingInBackend, InvalidDataError
from connector.unit.backend_adapter import CRUDAdapter, Page
from connector.unit.importer import RecordImporter
from connector.unit.mapper import ImportMapper, backend_to_m2o, mapping, only_create

SERVICE = "toy"
PAGE = 3


def declare_models() -> None:
    """Declare the models of the shop: partners in categories, orders with lines."""

    class ToyBackend(models.Model):
        _name = "toy.backend"
        _inherit = "connector.backend"
        _backend_type = SERVICE

        version = fields.Selection([("1", "1")], required=True, default="1")

    class ToyBinding(models.AbstractModel):
        _name = "toy.binding"
        _inherit = "external.binding"

        backend_id = fields.Many2one("toy.backend", required=True, ondelete="restrict")
        external_id = fields.Char(required=True)

        _sql_constraints = [("once", "unique(backend_id, external_id)", "Bound once.")]

    class Category(models.Model):
        _name = "category"

        name = fields.Char(required=True)

    class ToyCategory(models.Model):
        _name = "toy.category"
        _inherit = "toy.binding"
        _inherits = {"category": "openerp_id"}

        openerp_id = fields.Many2one("category", required=True, ondelete="cascade")

    class Partner(models.Model):
        _name = "partner"

        name = fields.Char(required=True)
        city = fields.Char()
        note = fields.Char()
        active = fields.Boolean(default=True)
        level = fields.Integer()
        category_id = fields.Many2one("category")
        friend_id = fields.Many2one("partner")

        _sql_constraints = [("level", "check(level >= 0)", "A level is not negative.")]

    class ToyPartner(models.Model):
        _name = "toy.partner"
        _inherit = "toy.binding"
        _inherits = {"partner": "openerp_id"}

        openerp_id = fields.Many2one("partner", required=True, ondelete="cascade")

    class Order(models.Model):
        _name = "order"

        name = fields.Char(required=True)
        line_ids = fields.One2many("order.line", "order_id")

    class OrderLine(models.Model):
        _name = "order.line"

        order_id = fields.Many2one("order", required=True, ondelete="cascade")
        text = fields.Char()

    class ToyOrder(models.Model):
        _name = "toy.order"
        _inherit = "toy.binding"
        _inherits = {"order": "openerp_id"}

        openerp_id = fields.Many2one("order", required=True, ondelete="cascade")
        toy_line_ids = fields.One2many("toy.order.line", "toy_order_id")

    class ToyOrderLine(models.Model):
        _name = "toy.order.line"
        _inherit = "toy.binding"
        _inherits = {"order.line": "openerp_id"}

        openerp_id = fields.Many2one("order.line", required=True, ondelete="cascade")
        toy_order_id = fields.Many2one("toy.order", required=True, ondelete="cascade")

        def create(self, values: Any) -> Any:
            many = values if isinstance(values, list) else [values]
            for each in many:
                order = self.env["toy.order"].browse(each["toy_order_id"])
                each["order_id"] = order.openerp_id.id
            return super().create(values)


class Shop:
    """The backend's side: records by model and id, and what was asked of them."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, dict[str, Any]]] = {}
        self.reads: list[tuple[str, str]] = []

    def put(self, model: str, external_id: Any, **record: Any) -> dict[str, Any]:
        links = {"category": None, "friend": None} if model == "toy.partner" else {}
        full = {"id": external_id, "updated_at": "2026-11-21T08:00:00Z", **links, **record}
        self.records.setdefault(model, {})[str(external_id)] = full
        return full


def declare_units(backend: Backend, shop: Shop) -> None:
    """Register binder, adapter, mappers and importers of the shop."""
    everything = ["toy.category", "toy.partner", "toy.order", "toy.order.line"]

    @backend
    class ToyBinder(Binder):
        _model_name = everything

    @backend
    class ToyAdapter(CRUDAdapter):
        _model_name = everything

        def read(self, external_id: Any) -> Any:
            model = self.connector_env.model_name
            shop.reads.append((model, str(external_id)))
            try:
                return shop.records[model][str(external_id)]
            except KeyError:
                raise IDMissingInBackend(f"no {external_id}") from None

        def search_page(self, filters: Any = None, page: Any = None) -> Page:
            records = list(shop.records.get(self.connector_env.model_name, {}).values())
            start = page or 0
            after = start + PAGE
            return Page(records[start:after], after if after < len(records) else None)

    class ToyMapper(ImportMapper):
        direct = [("name", "name")]

    @backend
    class CategoryMapper(ToyMapper):
        _model_name = "toy.category"

    @backend
    class PartnerMapper(ToyMapper):
        _model_name = "toy.partner"
        direct = [
            *ToyMapper.direct,
            ("city", "city"),
            ("level", "level"),
            (backend_to_m2o("category", binding="toy.category"), "category_id"),
            (backend_to_m2o("friend", binding="toy.partner"), "friend_id"),
        ]

        @only_create
        @mapping
        def note(self, record: Any) -> dict[str, Any]:
            return {"note": "imported"}

    @backend
    class OrderMapper(ToyMapper):
        _model_name = "toy.order"
        children = [("lines", "toy_line_ids", "toy.order.line")]

    @backend
    class LineMapper(ImportMapper):
        _model_name = "toy.order.line"
        direct = [("text", "text")]

    @backend
    class PlainImporter(RecordImporter):
        _model_name = ["toy.category", "toy.order"]

    @backend
    class PartnerImporter(RecordImporter):
        _model_name = "toy.partner"
        _dependencies = [("category", "toy.category"), ("friend", "toy.partner")]

        def must_skip(self) -> str | None:
            return "a test" if self.record["name"] == "skip me" else None

        def validate_data(self, values: dict[str, Any]) -> None:
            if not values["name"]:
                raise InvalidDataError(f"Partner {self.external_id} has no name.")


class ToyDatabase:
    """A database with the shop's models and one backend record."""

    def __init__(self, database: Any) -> None:
        self.database = database
        with database.env() as env:
            self.backend_id = env["toy.backend"].create({"name": "Toys"}).id

    @contextmanager
    def work(self, model_name: str) -> Iterator[ConnectorEnvironment]:
        """A connector environment in a transaction of its own, committed at the end."""
        with self.database.session("read committed") as session:
            yield get_environment(session, model_name, self.backend_id)

    def run(self, model_name: str, external_id: Any, **options: Any) -> str:
        """Import one record in a transaction of its own."""
        with self.work(model_name) as connector_env:
            return connector_env.get_connector_unit(RecordImporter).run(external_id, **options)

    def values(self, model_name: str, *names: str) -> list[tuple[Any, ...]]:
        """The values of all records, in the order of their ids."""
        with self.database.env() as env:
            records = env[model_name].with_context(active_test=False).search([], order="id")
            return [tuple(attrgetter(name)(record) for name in names) for record in records]


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, declared_in: Any) -> Shop:
    """The backend's side, with its units registered in a registry of the test's own."""
    monkeypatch.setattr(BACKENDS, "backends", set())
    shop = Shop()
    with declared_in():
        declare_units(Backend(SERVICE, version="1"), shop)
    return shop


@pytest.fixture
def toys(database: Any, declared_in: Any, shop: Shop) -> ToyDatabase:
    """A database with the shop's models."""
    with declared_in():
        declare_models()
    database.update("connector")
    return ToyDatabase(database)
