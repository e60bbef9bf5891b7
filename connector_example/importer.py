"""What is imported, what it needs first, and in which order the kinds come."""

from typing import Any, ClassVar

from connector.exception import InvalidDataError
from connector.session import ConnectorSession
from connector.unit.batch import import_batch
from connector.unit.importer import RecordImporter
from connector_example.backend import shop

#: The kinds in the order of their import, each with those that it needs.
KINDS = {
    "shop.genre": [],
    "shop.media.type": [],
    "shop.artist": [],
    "shop.employee": [],
    "shop.album": ["shop.artist"],
    "shop.track": ["shop.album", "shop.genre", "shop.media.type"],
    "shop.customer": ["shop.employee"],
    "shop.invoice": ["shop.customer", "shop.track"],
}


def import_shop(session: ConnectorSession, backend_id: int) -> None:
    """
    Enqueue the import of everything that the shop has.

    A kind begins when those that it needs are there. A record that is missing nevertheless is
    imported on demand: the order saves requests, it is no condition.
    """
    batches: dict[str, str] = {}
    for model, needed in KINDS.items():
        batches[model] = import_batch.delay(
            session,
            model,
            backend_id,
            description=f"Import all {model} of the shop",
            depends_on=[batches[other] for other in needed],
        )


class ShopImporter(RecordImporter):
    """What all kinds have in common: some fields must be there."""

    _required: ClassVar[tuple[str, ...]] = ("name",)

    def validate_data(self, values: dict[str, Any]) -> None:
        missing = [name for name in self._required if not values.get(name)]
        if missing:
            raise InvalidDataError(
                f"The shop sends {self.model._name} {self.external_id} without "
                f"{', '.join(missing)}. Complete the record there, then import it again."
            )


@shop
class NameImporter(ShopImporter):
    _model_name = ["shop.genre", "shop.media.type", "shop.artist"]


@shop
class AlbumImporter(ShopImporter):
    _model_name = "shop.album"
    _dependencies = [("artist", "shop.artist")]


@shop
class TrackImporter(ShopImporter):
    _model_name = "shop.track"
    _dependencies = [
        ("album", "shop.album"),
        ("genre", "shop.genre"),
        ("mediatype", "shop.media.type"),
    ]


@shop
class EmployeeImporter(ShopImporter):
    """Employees form a tree: whoever is reported to is imported first, whatever the page says."""

    _model_name = "shop.employee"
    _required = ("last_name",)
    _dependencies = [("reports_to", "shop.employee")]


@shop
class CustomerImporter(ShopImporter):
    _model_name = "shop.customer"
    _required = ("last_name",)
    _dependencies = [("support_rep", "shop.employee")]


@shop
class InvoiceImporter(ShopImporter):
    """An invoice brings its lines; they are bound like any other record."""

    _model_name = "shop.invoice"
    _required = ("partner_id", "date_invoice")
    _dependencies = [("customer", "shop.customer"), ("lines.track", "shop.track")]
