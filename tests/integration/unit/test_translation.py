"""Importing translations."""

import pytest

from connector.backend import get_backend
from connector.connector import Binder
from connector.core import fields, models
from connector.unit.mapper import ImportMapper
from connector.unit.translation import TranslationImporter


@pytest.fixture
def texts(toys, shop, declared_in):
    """A model with a text per language, and its translation importer."""
    with declared_in():

        class Text(models.Model):
            _name = "toy.text"
            _inherit = "toy.binding"

            title = fields.Char(translate=True)
            code = fields.Char()

        backend = get_backend("toy", "1")

        @backend
        class TextBinder(Binder):
            _model_name = "toy.text"

        @backend
        class TextMapper(ImportMapper):
            _model_name = "toy.text"
            direct = [("title", "title"), ("code", "code")]

        @backend
        class TextTranslations(TranslationImporter):
            _model_name = "toy.text"

            def languages(self):
                return [("sv_SE", "sv")]

            def read(self, external_id, language):
                return {"title": f"{external_id} in {language}", "code": "changed"}

    toys.database.update("connector")
    return toys


def test_only_texts_are_written_in_other_languages(texts):
    """
    Each language gets its texts; what is not translated stays as it is.
    """
    with texts.work("toy.text") as work:
        work.env["res.lang"].with_context(active_test=False).search([("code", "=", "sv_SE")]) or (
            work.env["res.lang"].create({"name": "Swedish", "code": "sv_SE"})
        )
        values = {"backend_id": texts.backend_id, "external_id": "7"}
        binding = work.model.create({**values, "title": "plain", "code": "same"})

        work.get_connector_unit(TranslationImporter).run(7, binding)

        assert (binding.title, binding.code) == ("plain", "same")
        swedish = binding.with_context(lang="sv_SE")
        assert (swedish.title, swedish.code) == ("7 in sv", "same")
