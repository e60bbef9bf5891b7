"""What is imported, what it needs first, and in which order the kinds come."""

from typing import Any, ClassVar

from connector.exception import InvalidDataError
from connector.unit.batch import ChunkedBatchImporter
from connector.unit.importer import RecordImporter
from connector_example.backend import shop

#: Kinds that others need come first, so that little is left to import on demand.
PRIORITIES = {
    model: priority
    for priority, model in enumerate(
        [
            "shop.genre",
            "shop.media.type",
            "shop.artist",
            "shop.album",
            "shop.track",
            "shop.employee",
            "shop.customer",
            "shop.invoice",
        ],
        start=1,
    )
}


@shop
class ShopBatchImporter(ChunkedBatchImporter):
    """Pages through a kind; every page becomes a job of its own."""

    _model_name = list(PRIORITIES)

    def job_options(self) -> dict[str, Any]:
        return {"priority": PRIORITIES[self.connector_env.model_name]}


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
