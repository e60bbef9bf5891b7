"""The command `connector worker`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from connector import config
from connector.cli.entry import open_servers
from connector.core import sql
from connector.core.exceptions import CoreError
from connector.exception import ConfigurationError
from connector.queue import broker
from connector.queue.channels import settings_from_text
from queue_worker.databases import open_cursor
from queue_worker.discovery import served
from queue_worker.supervisor import Supervisor

_IDLE = """
SELECT NOT EXISTS (
    SELECT FROM queue_job WHERE state IN ('enqueued', 'started')
        OR state = 'pending' AND (eta IS NULL OR eta <= clock_timestamp() AT TIME ZONE 'UTC'))
"""


@click.command()
@click.option("-n", "--workers", type=click.IntRange(min=1), help="Worker processes.")
@click.option(
    "-d",
    "--database",
    "databases",
    multiple=True,
    help="Database to serve; repeatable. Without it, all of the server's user that keep jobs, "
    "found while the workers run.",
)
@click.option("--fork", is_flag=True, help="Run each job in a child process of its own.")
@click.option("--stop-when-idle", is_flag=True, help="End when no job is left that could run now.")
@click.option("--stop-with-input", is_flag=True, help="End when standard input ends.")
def worker(
    workers: int | None,
    databases: Sequence[str],
    fork: bool,
    stop_when_idle: bool,
    stop_with_input: bool,
) -> None:
    """
    Run jobs: one dispatcher and N worker processes, until SIGTERM or Ctrl-C.

    The first signal lets running jobs end; the second one gives them back.
    """
    settings = config.current()
    settings_from_text(settings.channels)  # a mistake there is told before anything starts
    with open_servers(settings):
        found = served(databases, settings)
        for database in found.current():
            _check(database)
        if not found.current():
            click.echo(
                "No database keeps jobs yet; one that does is served from then on.", err=True
            )
        sql.close_all()
        broker.current().ping()
        broker.current().close()
        Supervisor(
            settings,
            found,
            workers or settings.workers,
            fork=fork,
            is_idle=(lambda: all(map(_is_known_idle, found.current()))) if stop_when_idle else None,
            leash=sys.stdin.fileno() if stop_with_input else None,
        ).run()


def _check(database: str) -> None:
    """
    Say at once what would be said every second.

    Raises:
        ConfigurationError: the database has no table of jobs.
        DatabaseUnreachableError, DatabaseMissingError: as they say.
    """
    try:
        _is_idle(database)
    except sql.errors.UndefinedTable:
        raise ConfigurationError(
            f"Database {database!r} keeps no jobs. Install the addon that does: "
            f"connector db init {database} --addons queue_worker."
        ) from None


def _is_known_idle(database: str) -> bool:
    """Whether the database answers that no job is left; one that is away may have some."""
    try:
        return _is_idle(database)
    except (CoreError, sql.errors.Error):
        return False


def _is_idle(database: str) -> bool:
    with open_cursor(database) as cr:
        cr.execute(_IDLE)
        return bool(cr.fetchone()[0])
