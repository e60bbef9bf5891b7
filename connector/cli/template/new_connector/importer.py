"""What is imported, and what must be in it."""

from typing import Any

from connector.exception import InvalidDataError
from connector.unit.importer import RecordImporter

from new_connector.backend import backend


@backend
class PartnerImporter(RecordImporter):
    _model_name = "new_connector.partner"

    def validate_data(self, values: dict[str, Any]) -> None:
        """A partner needs a name."""
        if not values.get("name"):
            raise InvalidDataError(
                f"The customer {self.external_id} has no name. Give it one there, then import "
                "it again."
            )
