"""How a record there becomes one here.  Left its field, right ours."""

from collections.abc import Mapping
from typing import Any

from connector.unit.mapper import ImportMapper, mapping

from new_connector.backend import backend

FIELDS = [
    ("name", "name"),
    ("email", "email"),
    ("city", "city"),
]


@backend
class PartnerMapper(ImportMapper):
    _model_name = "new_connector.partner"

    direct = [*FIELDS]

    @mapping
    def binding(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """What makes the record a binding."""
        return {"backend_id": self.backend_record.id, "external_id": str(record["id"])}
