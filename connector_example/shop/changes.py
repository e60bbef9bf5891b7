"""Life in the shop: somebody edits records of every kind."""

import itertools
import random
import re
from collections.abc import Callable
from typing import Any

from connector_example.shop.catalogue import Catalogue
from connector_example.shop.tables import LINES, TABLES, Record

Edit = Callable[[Catalogue, Record], dict[str, Any]]


def change_some(catalogue: Catalogue, count: int, seed: int) -> list[tuple[str, int]]:
    """
    Change *count* different records, spread over all tables as evenly as their sizes allow.

    Returns table and id of each.  The same seed chooses the same records.

    Raises:
        ValueError: the shop has fewer records than *count*.
    """
    total = sum(catalogue.count(table) for table in TABLES)
    if count > total:
        raise ValueError(f"Cannot change {count} records: the shop has {total}.")
    chosen = _spread(catalogue, count, random.Random(seed))  # noqa: S311 - no secret
    for table, record_id in chosen:
        record = catalogue.get(table, record_id)
        assert record is not None
        catalogue.change(table, record_id, **EDITS[table](catalogue, record))
    catalogue.save()
    return chosen


def _spread(catalogue: Catalogue, count: int, chance: random.Random) -> list[tuple[str, int]]:
    """One record of each table in turn; a table that has no more is passed over."""
    queues = []
    for table in TABLES:
        ids = catalogue.ids(table)
        chance.shuffle(ids)
        queues.append([(table, record_id) for record_id in ids])
    rounds = itertools.chain.from_iterable(itertools.zip_longest(*queues))
    return list(itertools.islice((choice for choice in rounds if choice), count))


def _renamed(field: str) -> Edit:
    """Number the text's editions: Rock, Rock (2), Rock (3)."""

    def edit(catalogue: Catalogue, record: Record) -> dict[str, Any]:
        text = record[field] or "None"
        numbered = re.fullmatch(r"(.*) \((\d+)\)", text, re.DOTALL)
        stem, number = (numbered[1], int(numbered[2])) if numbered else (text, 1)
        return {field: f"{stem} ({number + 1})"}

    return edit


def _lengthened(catalogue: Catalogue, record: Record) -> dict[str, Any]:
    return {"milliseconds": record["milliseconds"] + 1000}


def _exchanged(catalogue: Catalogue, line: Record) -> dict[str, Any]:
    """Another track at the same price, so that the invoice's total stays true."""
    tracks = catalogue.ids("tracks")
    start = tracks.index(line["track"]) + 1
    for track_id in itertools.chain(tracks[start:], tracks[:start]):
        track = catalogue.get("tracks", track_id)
        if track and track_id != line["track"] and track["unit_price"] == line["unit_price"]:
            return {"track": track_id}
    raise ValueError(f"No other track costs {line['unit_price']}.")


EDITS: dict[str, Edit] = {
    "genres": _renamed("name"),
    "media_types": _renamed("name"),
    "artists": _renamed("name"),
    "albums": _renamed("title"),
    "tracks": _lengthened,
    "employees": _renamed("title"),
    "customers": _renamed("city"),
    "invoices": _renamed("billingaddress"),
    LINES: _exchanged,
}
