"""The commands `connector adopt` and `connector neutralize`: what a copy may do."""

from __future__ import annotations

import re
from typing import Any

import click

from connector import config
from connector.cli.entry import open_servers
from connector.core import sql
from connector.core.modules import identity
from connector.core.registry import Registry
from connector.queue.by_hand import OPEN, Selection, cancel_selected
from connector.queue.state import State

#: Names of fields of a backend that hold what lets one in.
SECRET = re.compile(r"password|passwd|secret|token|api_?key|private_?key|credential", re.IGNORECASE)


@click.command()
@click.argument("database")
def adopt(database: str) -> None:
    """Let a copy be a database of its own: its jobs and crons run from now on."""
    with open_servers(config.current()), _cursor(database) as cr:
        _tell(cr, database)
        identity.adopt(cr)
    click.echo(f"{database} is adopted: its jobs and crons run.")


@click.command()
@click.argument("database")
def neutralize(database: str) -> None:
    """Make a copy harmless: cancel its jobs, stop its crons, forget its backends' secrets."""
    with open_servers(config.current()):
        with _cursor(database) as cr:
            _tell(cr, database)
            if not identity.is_asleep(cr):
                click.confirm(f"{database} is no copy. Neutralize it all the same?", abort=True)
        told = _neutralize(database)
    click.echo(f"{database} is neutralized: {told}.")


def _neutralize(database: str) -> str:
    registry = Registry(database)
    with registry.cursor(sql.READ_COMMITTED) as cr:
        # What ran in the original runs there; here nobody holds it.
        cr.execute("UPDATE queue_job SET state = 'failed' WHERE state = 'started'")
        jobs = len(cancel_selected(cr, Selection(states=OPEN), "Neutralized"))
        cr.execute("UPDATE ir_cron SET active = false WHERE active")
        crons = cr.rowcount
        blanked = [f"{table}.{column}" for table, column in _secrets(registry)]
        for table, column in _secrets(registry):
            name, field = sql.composed.Identifier(table), sql.composed.Identifier(column)
            cr.execute(
                sql.composed.SQL("UPDATE {} SET {} = {}").format(
                    name, field, _blank(registry, table, column)
                )
            )
        identity.adopt(cr)
    words = ", ".join(blanked) or "no secrets found"
    return f"{jobs} jobs cancelled, {crons} crons stopped, blanked: {words}"


def _secrets(registry: Any) -> list[tuple[str, str]]:
    """The columns of backends that look like secrets."""
    return [
        (model._table, name)
        for model in registry.models.values()
        if getattr(model, "_backend_type", None) and not model._abstract
        for name, field in model._fields.items()
        if field.store and field.type in ("char", "text") and SECRET.search(name)
    ]


def _blank(registry: Any, table: str, column: str) -> Any:
    """Nothing, or an empty text where something must be."""
    model = next(model for model in registry.models.values() if model._table == table)
    return sql.composed.Literal("" if model._fields[column].required else None)


def _tell(cr: sql.Cursor, database: str) -> None:
    state = "a copy and asleep" if identity.is_asleep(cr) else "awake"
    cr.execute("SELECT count(*) FROM queue_job WHERE state = ANY(%s)", (_waiting(),))
    click.echo(f"{database} is {state}; {cr.fetchone()[0]} jobs are open.", err=True)


def _waiting() -> list[str]:
    return [str(state) for state in (*OPEN, State.STARTED)]


def _cursor(database: str) -> sql.Cursor:
    return sql.connect(database).cursor(sql.READ_COMMITTED)
