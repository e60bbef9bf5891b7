"""
What the shop shows to anybody with its token: the side of the check that is not ours.

The witness reads the shop's API as a small script would and shares no code with the adapter.
It reads as fast as the shop lets it, and just before the import, which so begins at a shop that
has few requests left: both meet its 429.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import requests

from connector_example.shop.tables import KINDS, LINES, TABLES, Record

TIMEOUT_SECONDS = 10

Tables = dict[str, list[Record]]


def read_shop(url: str, token: str) -> Tables:
    """Every record of every table; lines are taken out of their invoices."""
    with ThreadPoolExecutor(len(KINDS)) as readers:
        read = partial(_read_kind, url, token)
        tables = dict(zip(KINDS, readers.map(read, KINDS), strict=True))
    tables[LINES] = [line for invoice in tables["invoices"] for line in invoice["lines"]]
    return {table: tables[table] for table in TABLES}


def _read_kind(url: str, token: str, kind: str) -> list[Record]:
    records = []
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        address: str | None = f"{url}/api/v1/{kind}"
        while address:
            page = _read(session, address)
            records += page["items"]
            address = page["next"]
    return records


def _read(session: requests.Session, address: str) -> Any:
    while True:
        answer = session.get(address, timeout=TIMEOUT_SECONDS)
        if answer.status_code != requests.codes.too_many_requests:
            answer.raise_for_status()
            return answer.json()
        time.sleep(float(answer.headers["Retry-After"]))
