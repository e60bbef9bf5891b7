"""`connector db`: make databases, install addons into them, update them."""

from __future__ import annotations

import click

from connector.cli.entry import open_servers
from connector.config import current
from connector.core import modules, sql

DATABASE = click.argument("database")
ADDONS = click.argument("addons", nargs=-1, required=True)
DEMO = click.option("--demo", is_flag=True, help="Load demonstration data too.")


@click.group()
def db() -> None:
    """Make, install and update databases."""


@db.command()
@DATABASE
@click.option("--addons", default="", help="Addons to install, separated by commas.")
@DEMO
def init(database: str, addons: str, demo: bool) -> None:
    """Create DATABASE if it is not there, and put the tables of `base` into it."""
    with open_servers(current()):
        if not sql.database_exists(database):
            sql.create_database(database)
        modules.initialise(database)
        names = [name.strip() for name in addons.split(",") if name.strip()]
        if names:
            modules.install(database, names, demo=demo)
    click.echo(f"{database} is ready: base{''.join(f', {name}' for name in names)}.")


@db.command()
@DATABASE
@ADDONS
@DEMO
def install(database: str, addons: tuple[str, ...], demo: bool) -> None:
    """Install ADDONS and what they depend on into DATABASE."""
    with open_servers(current()):
        modules.install(database, list(addons), demo=demo)
    click.echo(f"Installed into {database}: {', '.join(addons)}.")


@db.command()
@DATABASE
@ADDONS
def update(database: str, addons: tuple[str, ...]) -> None:
    """Update ADDONS in DATABASE, and those that depend on them; `all` names every one."""
    with open_servers(current()):
        modules.update(database, list(addons))
    click.echo(f"Updated in {database}: {', '.join(addons)}.")


@db.command()
@DATABASE
@click.option("--yes", is_flag=True, help="Do not ask.")
def drop(database: str, yes: bool) -> None:
    """Drop DATABASE with everything in it."""
    if not yes:
        click.confirm(f"Drop {database} and all it holds?", abort=True)
    with open_servers(current()):
        sql.drop_database(database)
    click.echo(f"{database} is gone.")
