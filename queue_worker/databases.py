"""The database that a command works on; a copy is told to be one before anything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from connector.core import sql
from connector.core.modules import identity

DATABASE: Callable[[Any], Any] = click.option("-d", "--database", help="Database to work on.")


def open_cursor(database: str | None) -> sql.Cursor:
    """A cursor on a database, or on the default one, after saying when it is asleep."""
    name = database or sql.default_database()
    cr = sql.connect(name).cursor(sql.READ_COMMITTED)
    if _is_asleep(cr):
        click.echo(asleep_message(name), err=True)
    return cr


def asleep_message(database: str) -> str:
    """What is said of a copy."""
    return (
        f"Database {database!r} is a copy and asleep: no job, cron or export runs. "
        f"Use `connector adopt {database}` or `connector neutralize {database}`."
    )


def rows(database: str | None, query: str, params: Any) -> list[dict[str, Any]]:
    """What a query of a database gives."""
    with open_cursor(database) as cr:
        cr.execute(query, params)
        return cr.dictfetchall()


def _is_asleep(cr: sql.Cursor) -> bool:
    cr.execute_unflushed("SELECT to_regclass('base_database') IS NOT NULL")
    return bool(cr.fetchone()[0]) and identity.is_asleep(cr)
