"""Importing the translations of a record."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connector.connector import ExternalId
from connector.session import Recordset
from connector.unit.backend_adapter import CRUDAdapter
from connector.unit.synchronizer import Importer

__all__ = ["TranslationImporter"]


class TranslationImporter(Importer):
    """
    Writes the translatable fields of a record in the other languages of the backend.

    A record importer runs it from `after_import`; it never creates a record.
    """

    _base_backend_adapter = CRUDAdapter

    def languages(self) -> Iterable[tuple[str, Any]]:
        """Hook: give pairs of a language code here and what the adapter takes for it."""
        raise NotImplementedError(
            f"{type(self).__module__}.{type(self).__qualname__} has no languages(). "
            "Give pairs like ('sv_SE', 'sv')."
        )

    def read(self, external_id: ExternalId, language: Any) -> Any:
        """Hook: read the record in a language of the backend."""
        return self.backend_adapter.read(external_id, language)

    def run(self, external_id: ExternalId, binding: Recordset) -> None:
        """Read the record in each language, map it, and write what can be translated."""
        fields = self.model._fields
        names = {name for name, field in fields.items() if getattr(field, "translate", False)}
        for lang, language in self.languages() if names else ():
            values = self.mapper.map_record(self.read(external_id, language)).values()
            texts = {name: value for name, value in values.items() if name in names}
            if texts:
                binding.with_context(lang=lang, connector_no_export=True).write(texts)
