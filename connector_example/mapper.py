"""How a record of the shop becomes one of ours.  Left its field, right ours."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from connector.unit.map_record import MapRecord
from connector.unit.mapper import (
    ExportMapper,
    ImportMapper,
    backend_to_m2o,
    convert,
    m2o_to_backend,
    mapping,
)
from connector_example.backend import shop

Record = Mapping[str, Any]


def day(stamp: str) -> date:
    """The shop stamps days at midnight UTC."""
    return datetime.fromisoformat(stamp).date()


class ShopMapper(ImportMapper):
    """What every binding gets: its backend and its external id."""

    @mapping
    def backend_id(self, record: Record) -> dict[str, Any]:
        return {"backend_id": self.backend_record.id}

    @mapping
    def external_id(self, record: Record) -> dict[str, Any]:
        return {"external_id": str(record["id"])}


@shop
class NameMapper(ShopMapper):
    _model_name = ["shop.genre", "shop.media.type", "shop.artist"]

    direct = [("name", "name")]


@shop
class AlbumMapper(ShopMapper):
    _model_name = "shop.album"

    direct = [
        ("title", "name"),
        (backend_to_m2o("artist", binding="shop.artist"), "artist_id"),
    ]


@shop
class TrackMapper(ShopMapper):
    _model_name = "shop.track"

    direct = [
        ("name", "name"),
        ("composer", "composer"),
        ("milliseconds", "milliseconds"),
        ("bytes", "bytes"),
        (convert("unit_price", float), "list_price"),
        (backend_to_m2o("album", binding="shop.album"), "album_id"),
        (backend_to_m2o("genre", binding="shop.genre"), "genre_id"),
        (backend_to_m2o("mediatype", binding="shop.media.type"), "media_type_id"),
    ]


class PersonMapper(ShopMapper):
    """What employees and customers have in common."""

    direct = [
        ("firstname", "first_name"),
        ("lastname", "last_name"),
        ("address", "street"),
        ("city", "city"),
        ("state", "state_name"),
        ("postalcode", "zip"),
        ("country", "country_name"),
        ("phone", "phone"),
        ("fax", "fax"),
        ("email", "email"),
    ]


@shop
class EmployeeMapper(PersonMapper):
    _model_name = "shop.employee"

    direct = [
        *PersonMapper.direct,
        ("title", "job_title"),
        (convert("birthdate", day), "birth_date"),
        (convert("hiredate", day), "hire_date"),
        (backend_to_m2o("reports_to", binding="shop.employee"), "parent_id"),
    ]


@shop
class CustomerMapper(PersonMapper):
    _model_name = "shop.customer"

    direct = [
        *PersonMapper.direct,
        ("company", "company_name"),
        (backend_to_m2o("support_rep", binding="shop.employee"), "support_employee_id"),
    ]

    @mapping
    def name(self, record: Record) -> dict[str, Any]:
        return {"name": f"{record['firstname']} {record['lastname']}"}


@shop
class CustomerExportMapper(ExportMapper):
    """The way back: the same fields, ours left and the shop's right."""

    _model_name = "shop.customer"

    direct = [
        *[(ours, theirs) for theirs, ours in PersonMapper.direct if isinstance(theirs, str)],
        ("company_name", "company"),
        (m2o_to_backend("support_employee_id", binding="shop.employee"), "support_rep"),
    ]

    def finalize(self, map_record: MapRecord, values: dict[str, Any]) -> dict[str, Any]:
        """The shop knows null where a record here has False, and numbers its employees."""
        values = {name: None if value is False else value for name, value in values.items()}
        if values.get("support_rep") is not None:
            values["support_rep"] = int(values["support_rep"])
        return values


@shop
class InvoiceMapper(ShopMapper):
    _model_name = "shop.invoice"

    direct = [
        (convert("invoicedate", day), "date_invoice"),
        ("billingaddress", "street"),
        ("billingcity", "city"),
        ("billingstate", "state_name"),
        ("billingpostalcode", "zip"),
        ("billingcountry", "country_name"),
        (convert("total", float), "amount_total"),
        (backend_to_m2o("customer", binding="shop.customer"), "partner_id"),
    ]
    children = [("lines", "shop_line_ids", "shop.invoice.line")]


@shop
class InvoiceLineMapper(ShopMapper):
    """The invoice is not mapped: a line is mapped as its child."""

    _model_name = "shop.invoice.line"

    direct = [
        ("quantity", "quantity"),
        (convert("unit_price", float), "price_unit"),
        (backend_to_m2o("track", binding="shop.track"), "track_id"),
    ]
