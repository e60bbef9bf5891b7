"""
Is every record of the shop here, exactly once, and equal to its source?

The check reads raw SQL and the shop's own JSON, and it has a table of its own: it shares nothing
with the mapper that it judges.  Each query answers in the shop's words: its column names, its
ids, its way to write a price and a date.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector.core.sql import Cursor

Record = Mapping[str, Any]

PRICE = "FM999999990.00"
STAMP = 'YYYY-MM-DD"T"HH24:MI:SS"Z"'

#: One query a table of the shop.  The first two columns are the external id and the record bound.
QUERIES: dict[str, str] = {
    "genres": """
        SELECT b.external_id, b.openerp_id, r.name
        FROM shop_genre b JOIN music_genre r ON r.id = b.openerp_id
        WHERE b.backend_id = %(backend_id)s
    """,
    "media_types": """
        SELECT b.external_id, b.openerp_id, r.name
        FROM shop_media_type b JOIN music_media_type r ON r.id = b.openerp_id
        WHERE b.backend_id = %(backend_id)s
    """,
    "artists": """
        SELECT b.external_id, b.openerp_id, r.name
        FROM shop_artist b JOIN music_artist r ON r.id = b.openerp_id
        WHERE b.backend_id = %(backend_id)s
    """,
    "albums": """
        SELECT b.external_id, b.openerp_id, r.name AS title, artist.external_id AS artist
        FROM shop_album b JOIN music_album r ON r.id = b.openerp_id
        LEFT JOIN shop_artist artist
            ON artist.openerp_id = r.artist_id AND artist.backend_id = b.backend_id
        WHERE b.backend_id = %(backend_id)s
    """,
    "tracks": """
        SELECT b.external_id, b.openerp_id, r.name, r.composer, r.milliseconds, r.bytes,
            to_char(r.list_price, %(price)s) AS unit_price, album.external_id AS album,
            genre.external_id AS genre, media_type.external_id AS mediatype
        FROM shop_track b JOIN music_track r ON r.id = b.openerp_id
        LEFT JOIN shop_album album
            ON album.openerp_id = r.album_id AND album.backend_id = b.backend_id
        LEFT JOIN shop_genre genre
            ON genre.openerp_id = r.genre_id AND genre.backend_id = b.backend_id
        LEFT JOIN shop_media_type media_type
            ON media_type.openerp_id = r.media_type_id AND media_type.backend_id = b.backend_id
        WHERE b.backend_id = %(backend_id)s
    """,
    "employees": """
        SELECT b.external_id, b.openerp_id, r.first_name AS firstname, r.last_name AS lastname,
            r.job_title AS title, r.street AS address, r.city, r.state_name AS state,
            r.zip AS postalcode, r.country_name AS country, r.phone, r.fax, r.email,
            to_char(r.birth_date, %(stamp)s) AS birthdate,
            to_char(r.hire_date, %(stamp)s) AS hiredate, manager.external_id AS reports_to
        FROM shop_employee b JOIN hr_employee r ON r.id = b.openerp_id
        LEFT JOIN shop_employee manager
            ON manager.openerp_id = r.parent_id AND manager.backend_id = b.backend_id
        WHERE b.backend_id = %(backend_id)s
    """,
    "customers": """
        SELECT b.external_id, b.openerp_id, r.first_name AS firstname, r.last_name AS lastname,
            r.company_name AS company, r.street AS address, r.city, r.state_name AS state,
            r.zip AS postalcode, r.country_name AS country, r.phone, r.fax, r.email,
            employee.external_id AS support_rep
        FROM shop_customer b JOIN res_partner r ON r.id = b.openerp_id
        LEFT JOIN shop_employee employee
            ON employee.openerp_id = r.support_employee_id AND employee.backend_id = b.backend_id
        WHERE b.backend_id = %(backend_id)s
    """,
    "invoices": """
        SELECT b.external_id, b.openerp_id, to_char(r.date_invoice, %(stamp)s) AS invoicedate,
            r.street AS billingaddress, r.city AS billingcity, r.state_name AS billingstate,
            r.zip AS billingpostalcode, r.country_name AS billingcountry,
            to_char(r.amount_total, %(price)s) AS total, customer.external_id AS customer
        FROM shop_invoice b JOIN sale_invoice r ON r.id = b.openerp_id
        LEFT JOIN shop_customer customer
            ON customer.openerp_id = r.partner_id AND customer.backend_id = b.backend_id
        WHERE b.backend_id = %(backend_id)s
    """,
    "invoice_lines": """
        SELECT b.external_id, b.openerp_id, to_char(r.price_unit, %(price)s) AS unit_price,
            r.quantity, invoice.external_id AS invoice, track.external_id AS track
        FROM shop_invoice_line b JOIN sale_invoice_line r ON r.id = b.openerp_id
        LEFT JOIN shop_invoice invoice
            ON invoice.openerp_id = r.invoice_id AND invoice.backend_id = b.backend_id
        LEFT JOIN shop_track track
            ON track.openerp_id = r.track_id AND track.backend_id = b.backend_id
        WHERE b.backend_id = %(backend_id)s
    """,
}

#: What a record of the shop says about itself rather than about its subject.
APART = frozenset({"id", "updated_at", "etag", "lines"})

#: What a row says about its binding.
BINDING = frozenset({"external_id", "openerp_id"})


@dataclass(frozen=True)
class Finding:
    """One place where the database is not the shop."""

    table: str
    external_id: str
    what: str

    def __str__(self) -> str:
        return f"{self.table} {self.external_id}: {self.what}"


def differences(cr: Cursor, backend_id: int, dump: Mapping[str, Sequence[Record]]) -> list[Finding]:
    """Everything that differs between *dump*, the shop's JSON by table, and the database."""
    return [
        finding
        for table, query in QUERIES.items()
        for finding in _compare(table, dump[table], _rows(cr, query, backend_id))
    ]


def _rows(cr: Cursor, query: str, backend_id: int) -> Sequence[Record]:
    cr.execute(query, {"backend_id": backend_id, "price": PRICE, "stamp": STAMP})
    return cr.dictfetchall()


def _compare(table: str, records: Sequence[Record], rows: Sequence[Record]) -> Iterator[Finding]:
    bindings = Counter(str(row["external_id"]) for row in rows)
    bound = {str(row["external_id"]): row for row in rows}
    for record in records:
        external_id = str(record["id"])
        if bindings[external_id] != 1:
            yield Finding(table, external_id, f"bound {bindings[external_id]} times")
        else:
            yield from _compare_values(table, record, bound[external_id])
    for external_id in bound.keys() - {str(record["id"]) for record in records}:
        yield Finding(table, external_id, "bound, but unknown to the shop")
    for openerp_id, times in Counter(row["openerp_id"] for row in rows).items():
        if times > 1:
            yield Finding(table, f"record {openerp_id}", f"has {times} bindings")


def _compare_values(table: str, record: Record, row: Record) -> Iterator[Finding]:
    for name in sorted((record.keys() - APART) | (row.keys() - BINDING)):
        source, ours = _text(record.get(name)), _text(row.get(name))
        if source != ours:
            yield Finding(table, str(record["id"]), f"{name} is {ours!r}, the shop has {source!r}")


def _text(value: Any) -> str | None:
    """Ids are numbers there and text here; null and empty are different."""
    return None if value is None else str(value)
