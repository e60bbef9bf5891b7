"""The commands `connector worker` and `connector jobs`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from connector import config
from connector.cli.entry import open_servers
from connector.core import sql
from connector.exception import ConfigurationError, NoSuchJobError
from connector.queue import broker, transitions
from connector.queue.channels import settings_from_text
from connector.queue.state import ENDED, State
from queue_worker.supervisor import Supervisor

_IDLE = """
SELECT NOT EXISTS (
    SELECT FROM queue_job WHERE state IN ('enqueued', 'started')
        OR state = 'pending' AND (eta IS NULL OR eta <= clock_timestamp() AT TIME ZONE 'UTC'))
"""

_LIST = """
SELECT uuid, state, channel, retry, max_retries, date_created, name, exc_message
  FROM queue_job
 WHERE (%(state)s IS NULL OR state = %(state)s) AND (%(channel)s IS NULL OR channel = %(channel)s)
   AND (%(model)s IS NULL OR model_name = %(model)s)
 ORDER BY id DESC LIMIT %(limit)s
"""


@click.command()
@click.option("-n", "--workers", type=click.IntRange(min=1), help="Worker processes.")
@click.option("-d", "--database", "databases", multiple=True, help="Database to serve; repeatable.")
@click.option("--stop-when-idle", is_flag=True, help="End when no job is left that could run now.")
@click.option("--stop-with-input", is_flag=True, help="End when standard input ends.")
def worker(
    workers: int | None, databases: Sequence[str], stop_when_idle: bool, stop_with_input: bool
) -> None:
    """
    Run jobs: one dispatcher and N worker processes, until SIGTERM or Ctrl-C.

    The first signal lets running jobs end; the second one gives them back.
    """
    settings = config.current()
    settings_from_text(settings.channels)  # a mistake there is told before anything starts
    with open_servers(settings):
        served = list(databases) or [sql.default_database()]
        for database in served:
            _check(database)
        sql.close_all()
        broker.current().ping()
        broker.current().close()
        Supervisor(
            settings,
            served,
            workers or settings.workers,
            is_idle=(lambda: all(map(_is_idle, served))) if stop_when_idle else None,
            leash=sys.stdin.fileno() if stop_with_input else None,
        ).run()


@click.group()
def jobs() -> None:
    """See jobs and put them back."""


@jobs.command("list")
@click.option("-d", "--database", help="Database to look at.")
@click.option("--state", type=click.Choice([state.value for state in State]))
@click.option("--channel")
@click.option("--model")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1))
def list_jobs(
    database: str | None, state: str | None, channel: str | None, model: str | None, limit: int
) -> None:
    """List jobs, the newest first."""
    with open_servers(config.current()):
        asked = {"state": state, "channel": channel, "model": model, "limit": limit}
        rows = _rows(database, _LIST, asked)
    for row in rows:
        tries = f"{row['retry']}/{row['max_retries'] or '∞'}"
        told = f"{row['state']:<17} {tries:>5}  {row['channel']:<20} {row['name']}"
        click.echo(f"{row['uuid']}  {told}" + _indented(row["exc_message"]))


@jobs.command()
@click.argument("uuid")
@click.option("-d", "--database", help="Database to look at.")
def show(uuid: str, database: str | None) -> None:
    """Show all that is kept of a job."""
    with open_servers(config.current()):
        rows = _rows(database, "SELECT * FROM queue_job WHERE uuid = %(uuid)s", {"uuid": uuid})
    if not rows:
        raise NoSuchJobError(
            f"There is no job {uuid}. `connector jobs list` names those there are."
        )
    for name, value in rows[0].items():
        if value is not None:
            click.echo(f"{name + ':':<15} {value}")


@jobs.command()
@click.argument("uuids", nargs=-1)
@click.option("--failed", is_flag=True, help="All failed jobs.")
@click.option("-d", "--database", help="Database to work on.")
def requeue(uuids: Sequence[str], failed: bool, database: str | None) -> None:
    """Put jobs that have ended back, with all their tries."""
    if bool(uuids) == failed:
        raise click.UsageError("Name the jobs, or give --failed.")
    with open_servers(config.current()), _cursor(database) as cr:
        if failed:
            cr.execute("SELECT uuid FROM queue_job WHERE state = 'failed'")
            uuids = [row[0] for row in cr.fetchall()]
        changed = transitions.requeue(cr, uuids, [State.FAILED] if failed else ENDED)
    back = sum(1 for state in changed.values() if state == State.PENDING)
    click.echo(f"{back} put back, {len(changed) - back} cancelled as superseded.")
    if len(changed) < len(uuids):
        click.echo(f"{len(uuids) - len(changed)} left: unknown, or not ended.")


def _cursor(database: str | None) -> sql.Cursor:
    return sql.connect(database or sql.default_database()).cursor(sql.READ_COMMITTED)


def _rows(database: str | None, query: str, params: Any) -> list[dict[str, Any]]:
    with _cursor(database) as cr:
        cr.execute(query, params)
        return cr.dictfetchall()


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


def _is_idle(database: str) -> bool:
    with _cursor(database) as cr:
        cr.execute(_IDLE)
        return bool(cr.fetchone()[0])


def _indented(message: str | None) -> str:
    return f"\n    {message.splitlines()[0]}" if message else ""
