# -*- coding: utf-8 -*-
"""A connector that grew up with 7.0: older names, a binder and an environment of its own"""

import openerp
from openerp import SUPERUSER_ID
from openerp.tools import DEFAULT_SERVER_DATETIME_FORMAT
from openerp.addons.connector import backend
from openerp.addons.connector.connector import (
    Binder,
    Environment,
    ConnectorUnit,
    ConnectorEnvironment,
    install_in_connector,
)
from openerp.addons.connector.event import Event
from openerp.addons.connector.unit.backend_adapter import BackendAdapter
from openerp.addons.connector.unit.mapper import (
    ImportMapper,
    ImportMapChild,
    mapping,
    follow_m2o_relations,
)
from openerp.addons.connector.unit.synchronizer import ImportSynchronizer

install_in_connector()

books = backend.Backend("books")
books12 = backend.Backend(parent=books, version="12")

on_book_sold = Event()


class BooksEnvironment(ConnectorEnvironment):
    """Carries one open client from unit to unit"""

    _propagate_kwargs = ["client"]

    def __init__(self, backend_record, session, model_name, client=None):
        super(BooksEnvironment, self).__init__(backend_record, session, model_name)
        self.client = client


class BooksBackend(openerp.models.Model):
    _name = "books.backend"
    _inherit = "connector.backend"
    _backend_type = "books"

    version = openerp.fields.Selection([("12", "12")], required=True, default="12")


@books
class BooksBinder(Binder):
    """Answers with ids and None, as binders did before 8.0"""

    _model_name = ["books.author", "books.title"]

    def to_openerp(self, external_id, unwrap=False, browse=False):
        bindings = self.model.with_context(active_test=False).search(
            [
                ("books_id", "=", str(external_id)),
                ("backend_id", "=", self.backend_record.id),
            ]
        )
        if not bindings:
            return self.model.browse() if browse else None
        bindings.ensure_one()
        if unwrap:
            return bindings.openerp_id if browse else bindings.openerp_id.id
        return bindings if browse else bindings.id

    def to_backend(self, record_id, wrap=False):
        record = self.model.browse()
        if wrap:
            ids = self.session.search(
                self.model._name,
                [("openerp_id", "=", record_id), ("backend_id", "=", self.backend_record.id)],
            )
            if not ids:
                return None
            record_id = ids[0]
        record = self.model.browse(record_id)
        assert record
        return record.books_id

    def bind(self, external_id, binding_id):
        now_fmt = openerp.fields.Datetime.now()
        if not isinstance(binding_id, int):
            binding_id = binding_id.id
        with self.session.change_context(connector_no_export=True):
            self.session.write(
                self.model._name, binding_id, {"books_id": str(external_id), "sync_date": now_fmt}
            )


@books
class BooksAdapter(BackendAdapter):
    _model_name = ["books.author", "books.title"]

    def read(self, external_id):
        return self.connector_env.client[self.model._name][str(external_id)]


class NameMapper(ImportMapper):
    """Not registered: a base of mappers"""

    direct = [("name", "name")]

    @mapping
    def backend_id(self, record):
        return {"backend_id": self.backend_record.id}


@books
class BooksImporter(ImportSynchronizer):
    _model_name = ["books.author"]

    def run(self, books_id):
        record = self.backend_adapter.read(books_id)
        binder = self.get_binder_for_model()
        binding_id = binder.to_openerp(books_id)
        map_record = self.mapper.map_record(record)
        if binding_id:
            self.session.write(self.model._name, [binding_id], map_record.values())
        else:
            binding_id = self.session.create(self.model._name, map_record.values(for_create=True))
        binder.bind(books_id, binding_id)
        on_book_sold.fire(self.session, self.model._name, binding_id, sold=record["sold"])
        return binding_id


def environment(session, backend_id, client):
    assert session.uid == SUPERUSER_ID
    backend_record = session.browse("books.backend", backend_id)
    return BooksEnvironment(backend_record, session, "books.author", client=client)


def plain_environment(session, backend_id):
    return Environment(session.browse("books.backend", backend_id), session, "books.author")


def stamp(moment):
    return moment.strftime(DEFAULT_SERVER_DATETIME_FORMAT)


class Shelf(ConnectorUnit):
    """Asked for by its kind; each version registers its own"""

    def where(self):
        raise NotImplementedError


class TitleMapChild(ImportMapChild):
    _model_name = "books.title"

    def skip_item(self, map_record):
        return map_record.source.get("hidden")

    def get_item_values(self, map_record, to_attr, options):
        values = map_record.values(**options)
        binder = self.get_binder_for_model()
        title_id = binder.to_openerp(map_record.source["id"])
        values["books_id"] = str(map_record.source["id"])
        if title_id:
            values["id"] = title_id
        return values

    def format_items(self, items_values):
        items = []
        for values in items_values[:]:
            if "id" in values:
                items.append((1, values.pop("id"), values))
            else:
                items.append((0, 0, values))
        return items


books(TitleMapChild)
author_country = follow_m2o_relations("openerp_id.country_id.code")
