"""The shop's tables as they are published: the Chinook files, read with their types."""

import csv
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

Record = dict[str, Any]

#: The kinds of records that have an address of their own; dependencies come first.
KINDS = (
    "genres",
    "media_types",
    "artists",
    "albums",
    "tracks",
    "employees",
    "customers",
    "invoices",
)

#: Lines travel with their invoice.
LINES = "invoice_lines"

TABLES = (*KINDS, LINES)

#: Everything in the files is as old as this.
PUBLISHED = "2026-01-01T00:00:00.000000Z"

INTEGERS = frozenset(
    {
        "id",
        "album",
        "artist",
        "bytes",
        "customer",
        "genre",
        "invoice",
        "mediatype",
        "milliseconds",
        "quantity",
        "reports_to",
        "support_rep",
        "track",
    }
)


def read_table(table: str) -> dict[int, Record]:
    """
    The records of one table by id.

    Prices stay text: a JSON number would lose their last digit in some readers.
    """
    source = resources.files("connector_example") / "data" / f"{table}.csv"
    with source.open(encoding="utf-8") as lines:
        records = [_typed(row) for row in csv.DictReader(lines)]
    return {record["id"]: record for record in records}


def _typed(row: Mapping[str, str]) -> Record:
    record = {name: _value(name, text) for name, text in row.items()}
    return {**record, "updated_at": PUBLISHED}


def _value(name: str, text: str) -> int | str | None:
    convert: Callable[[str], int | str] = int if name in INTEGERS else str
    return convert(text) if text else None
