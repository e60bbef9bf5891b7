"""The database that a command works on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from connector.core import sql

DATABASE: Callable[[Any], Any] = click.option("-d", "--database", help="Database to work on.")


def open_cursor(database: str | None) -> sql.Cursor:
    """A cursor on a database, or on the default one."""
    return sql.connect(database or sql.default_database()).cursor(sql.READ_COMMITTED)


def rows(database: str | None, query: str, params: Any) -> list[dict[str, Any]]:
    """What a query of a database gives."""
    with open_cursor(database) as cr:
        cr.execute(query, params)
        return cr.dictfetchall()
