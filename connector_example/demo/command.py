"""The command line of `connector demo`, and the order in which it works."""

import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
from rich.console import Console

from connector import config
from connector.cli.entry import open_servers
from connector.core import sql
from connector_example.demo.database import ADDONS, handler, install, reserved, set_backend
from connector_example.demo.importing import Import
from connector_example.demo.odoo import run_demo, target_from
from connector_example.demo.report import print_findings, print_report
from connector_example.demo.shop_process import ShopProcess
from connector_example.demo.witness import Tables, read_shop
from connector_example.demo.workers import Workers
from connector_example.verify import Finding, differences

DATABASE = "connector_demo"
OK, FAILED = 0, 1
LOOK_FURTHER = "look further: connector jobs list -d {database}"


@click.command()
@click.option("-d", "--database", default=DATABASE, show_default=True, help="Database to work in.")
@click.option("-n", "--workers", default=2, show_default=True, type=click.IntRange(1))
@click.option(
    "--change",
    type=click.IntRange(0),
    default=0,
    metavar="N",
    help="Let the shop change N records first, spread over all kinds.",
)
@click.option("--seed", type=int, help="Choose the records to change by this number.")
@click.option("--kill", is_flag=True, help="Kill workers and Redis while jobs run.")
@click.option("--odoo", is_flag=True, help="Partners of an Odoo-like server instead of the shop.")
@click.option("--odoo-url", help="That server; without it a second database behind our own.")
@click.option("--odoo-database", help="The database of --odoo-url.")
@click.option("--odoo-login", default="admin", show_default=True, help="The user of --odoo-url.")
def demo(
    database: str,
    workers: int,
    change: int,
    seed: int | None,
    kill: bool,
    odoo: bool,
    odoo_url: str | None,
    odoo_database: str | None,
    odoo_login: str,
) -> int:
    """
    Import an example shop through background jobs, and check every record.

    Starts the servers, makes a database, opens the shop, imports its 6,874 records and compares
    each with its source. Run again, it finds nothing to do.

    With --odoo partners are imported from a server of the external API, and exported to it; a
    server named by --odoo-url is only read.
    """
    if odoo or odoo_url:
        target = target_from(odoo_url, odoo_database, odoo_login) if odoo_url else None
        return run_demo(database, workers, target)
    console = Console(highlight=False, soft_wrap=True)
    with ExitStack() as stack:
        with _step(console, "servers"):
            services = stack.enter_context(open_servers(config.current()))
            stack.enter_context(reserved(database))
        with _step(console, f"database {database} with base, {', '.join(ADDONS)}"):
            install(database)
        home = _home()
        crew = stack.enter_context(
            Workers(services, database, workers, home / f"{database}.workers.log")
        )
        with _step(console, "shop"):
            shop = stack.enter_context(ShopProcess(home / f"{database}.shop.json"))
            _change(console, shop, change, seed)
        with _step(console, "workers"):
            crew.wait()
        with _step(console, "shop read for the check"):
            witnessed = read_shop(shop.url, shop.token)
        backend_id = _backend(database, shop)
        totals = {table: len(records) for table, records in witnessed.items()}
        run = Import(console, services, database, shop, crew, backend_id, totals, kill).run()
        print_report(console, run)
        with _step(console, "check of every record against the shop"):
            findings = _check(database, backend_id, witnessed)
        print_findings(console, findings, sum(totals.values()))
        console.print(LOOK_FURTHER.format(database=database))
        return OK if run.is_clean and not findings else FAILED


def _home() -> Path:
    """Where the shop keeps its changes and the workers their log."""
    home = config.current().home / "demo"
    home.mkdir(parents=True, exist_ok=True)
    return home


def _change(console: Console, shop: ShopProcess, count: int, seed: int | None) -> None:
    if count:
        seed = secrets.randbelow(10**6) if seed is None else seed
        changed = shop.change(count, seed)
        told = ", ".join(f"{number} {table}" for table, number in changed.items())
        console.print(f"the shop has changed {count} records (--seed {seed}): {told}")


def _backend(database: str, shop: ShopProcess) -> int:
    with handler(database).session() as session:
        return set_backend(session, f"{shop.url}/api/v1", shop.token)


def _check(database: str, backend_id: int, witnessed: Tables) -> list[Finding]:
    with sql.connect(database).cursor() as cr:
        return differences(cr, backend_id, witnessed)


@contextmanager
def _step(console: Console, name: str) -> Iterator[None]:
    """Tell how long a part took."""
    start = time.monotonic()
    yield
    console.print(f"{name}: {time.monotonic() - start:.1f} s")
