"""How to talk to the shop: one path per model, everything else is the framework's HTTP adapter."""

from collections.abc import Mapping
from typing import Any

from connector.connector import ExternalId
from connector.unit.backend_adapter import LostAnswer
from connector.unit.http_adapter import HttpAdapter
from connector_example.backend import shop


@shop
class GenreAdapter(HttpAdapter):
    _model_name = "shop.genre"
    _path = "genres"


@shop
class MediaTypeAdapter(HttpAdapter):
    _model_name = "shop.media.type"
    _path = "media_types"


@shop
class ArtistAdapter(HttpAdapter):
    _model_name = "shop.artist"
    _path = "artists"


@shop
class AlbumAdapter(HttpAdapter):
    _model_name = "shop.album"
    _path = "albums"


@shop
class TrackAdapter(HttpAdapter):
    _model_name = "shop.track"
    _path = "tracks"


@shop
class EmployeeAdapter(HttpAdapter):
    _model_name = "shop.employee"
    _path = "employees"


@shop
class CustomerAdapter(HttpAdapter):
    """Customers are exported too; the shop makes one record of each idempotency key."""

    _model_name = "shop.customer"
    _path = "customers"
    _lost_answer = LostAnswer.IDEMPOTENCY_KEY

    def find(self, data: Mapping[str, Any]) -> ExternalId | None:
        """Give the customer of an address: what a shop without keys could be asked."""
        found = self.search({"email": data["email"]}) if data.get("email") else []
        return found[0] if found else None


@shop
class InvoiceAdapter(HttpAdapter):
    """An invoice carries its lines, so that they need no path of their own."""

    _model_name = "shop.invoice"
    _path = "invoices"
