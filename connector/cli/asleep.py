"""What every command says first: that the database it works on is a copy and asleep."""

from __future__ import annotations

from collections.abc import Iterator

import click

from connector.core import sql
from connector.core.modules import identity

#: Under which a command, or the group above it, names its databases.
PARAMETERS = ("database", "databases", "db_name")

#: Where a run of the command line keeps what it has told.
TOLD = "connector.cli.asleep"


def tell_of_copies() -> None:
    """
    Say once which of the databases that the running command names are asleep.

    One that is not there, or that keeps no memory of itself, is left to the command.
    """
    context = click.get_current_context(silent=True)
    told = context.meta.setdefault(TOLD, set()) if context else set()
    for name in set(_named()) - told:
        told.add(name)
        if sql.database_exists(name) and _is_asleep(name):
            click.echo(identity.asleep_message(name), err=True)


def _named() -> Iterator[str]:
    """The databases that the command names, else the default one."""
    context = click.get_current_context(silent=True)
    while context is not None:
        given = [context.params.get(parameter) for parameter in PARAMETERS]
        names = [
            name
            for value in given
            if value
            for name in ([value] if isinstance(value, str) else value)
        ]
        if names:
            yield from names
            return
        context = context.parent
    yield sql.default_database()


def _is_asleep(name: str) -> bool:
    try:
        with sql.connect(name).cursor(sql.READ_COMMITTED) as cr:
            cr.execute("SELECT to_regclass('base_database') IS NOT NULL")
            return bool(cr.fetchone()[0]) and identity.is_asleep(cr)
    finally:
        sql.close_all(name)  # the command may want to copy or drop it
