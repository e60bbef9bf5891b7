# -*- coding: utf-8 -*-
from openerp import models, fields
from openerp.addons.connector.unit.mapper import mapping, only_create
from .books import books, books12, on_book_sold, NameMapper, Shelf

SOLD = []


class BooksAuthor(models.Model):
    _name = "books.author"
    _inherit = "external.binding"
    _inherits = {"res.partner": "openerp_id"}

    openerp_id = fields.Many2one("res.partner", required=True, ondelete="cascade")
    backend_id = fields.Many2one("books.backend", required=True, ondelete="restrict")
    books_id = fields.Char()
    title_ids = fields.One2many("books.title", "author_id")

    _sql_constraints = [("once", "unique(backend_id, books_id)", "Bound once.")]


class BooksTitle(models.Model):
    _name = "books.title"
    _inherit = "external.binding"

    name = fields.Char()
    author_id = fields.Many2one("books.author", ondelete="cascade")
    backend_id = fields.Many2one("books.backend", required=True)
    books_id = fields.Char()


@books
class AuthorMapper(NameMapper):
    _model_name = "books.author"

    children = [("titles", "title_ids", "books.title")]

    @only_create
    @mapping
    def comment(self, record):
        return {"comment": "an author"}


@books
class TitleMapper(NameMapper):
    _model_name = "books.title"

    @mapping
    def parent(self, record):
        return {"name": "%s (%s)" % (record["name"], self.options.suffix or "book")}


@books12
class WoodenShelf(Shelf):
    _model_name = "books.author"

    def where(self):
        return "wood"


@books12(replacing=WoodenShelf)
class MetalShelf(WoodenShelf):
    _model_name = "books.author"

    def where(self):
        return "metal"


@on_book_sold(model_names=["books.author"])
def count(session, model_name, record_id, sold=None):
    SOLD.append((model_name, record_id, sold))
