"""`connector doctor`: look at what the commands need, and say what to do about what is missing."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from functools import partial

import click

from connector import __version__
from connector.cli.entry import open_servers
from connector.config import Config, current
from connector.core import sql
from connector.core.addon import found_addons
from connector.core.exceptions import DatabaseError
from connector.embedded.binaries import postgres_candidates, redis_candidates, version_of
from connector.queue import broker, health
from connector.queue.channels import settings_from_text
from connector.queue.health import Finding
from connector.server_url import without_password
from connector.unit.chunk import SLICE_RECORDS

#: Servers of earlier versions lack what is asked of them: settings of a connection, commands.
OLDEST_POSTGRESQL = (14,)
OLDEST_REDIS = (6, 2)

_LOCKS = """
SELECT current_setting('max_locks_per_transaction')::int
       * (current_setting('max_connections')::int
          + current_setting('max_prepared_transactions')::int)
"""


@click.command()
@click.option(
    "-d", "--database", "databases", multiple=True, help="Database to look at; repeatable."
)
@click.option("--all", "all_", is_flag=True, help="Look at all databases that keep jobs.")
@click.pass_context
def doctor(ctx: click.Context, /, databases: tuple[str, ...], all_: bool) -> None:
    """Check programs, servers, addons and queue; fails when one of them is not fit for work."""
    config = current()
    failures = 0
    queues = partial(_queues, databases=databases, all_=all_)
    for check in (_interpreter, _programs, _addons, _servers, _locks, queues):
        try:
            for finding in check(config):
                fine, line = (True, finding) if isinstance(finding, str) else finding
                failures += not fine
                click.echo(f"{'ok   ' if fine else 'FAIL '} {line}")
        except Exception as error:
            failures += 1
            click.echo(f"FAIL  {error}")
    ctx.exit(1 if failures else 0)


def _interpreter(_config: Config) -> Iterator[str]:
    yield f"connector {__version__}, Python {platform.python_version()}, {platform.platform()}"


def _programs(_config: Config) -> Iterator[str]:
    for directory, _ in postgres_candidates():
        yield f"PostgreSQL {_version(version_of(directory / 'postgres'))} in {directory}"
    for program in redis_candidates():
        yield f"{program.name} {_version(version_of(program))} at {program}"


def _addons(_config: Config) -> Iterator[str]:
    for name, package in sorted(found_addons().items()):
        yield f"addon {name} in {package}"


def _servers(config: Config) -> Iterator[Finding]:
    with open_servers(config) as services:
        with sql.current_server().maintenance() as cr:
            cr.execute("SHOW server_version_num")
            version = divmod(int(cr.fetchone()[0]), 10_000)
        place = without_password(services.database_url)
        yield _new_enough("PostgreSQL", version, OLDEST_POSTGRESQL, place)
        place = without_password(services.redis_url)
        yield _new_enough("Redis", broker.current().version(), OLDEST_REDIS, place)


def _new_enough(
    name: str, version: tuple[int, ...], oldest: tuple[int, ...], place: str
) -> Finding:
    told = f"{name} {_version(version)} answers at {place}"
    if version >= oldest:
        return Finding(True, told)
    return Finding(False, f"{told}. Version {_version(oldest)} or later is needed: update it.")


def _locks(config: Config) -> Iterator[Finding]:
    """
    Do the sum of advisory locks: each worker holds one for every record of its slice.

    Half of what the cluster has is left to the dependencies that the records need, and to
    everything else that is locked.
    """
    with open_servers(config), sql.current_server().maintenance() as cr:
        cr.execute(_LOCKS)
        (available,) = cr.fetchone()
    needed = config.workers * SLICE_RECORDS
    told = (
        f"the cluster has {available:,} locks for everybody; {config.workers} workers with slices "
        f"of {SLICE_RECORDS} records take up to {needed:,}, and one for each new record these need"
    )
    if needed <= available / 2:
        yield Finding(True, told)
    else:
        yield Finding(False, f"{told}. Raise max_locks_per_transaction or use fewer workers.")


def _queues(config: Config, databases: Sequence[str], all_: bool) -> Iterator[Finding]:
    with open_servers(config):
        if not databases and not all_:
            default = sql.default_database()
            databases = [default] if sql.database_exists(default) else []
        for name in databases or sql.administration.own_databases():
            for fine, line in _queue(config, name, is_named=bool(databases)):
                yield Finding(fine, f"{name}: {line}" if all_ or len(databases) > 1 else line)


def _queue(config: Config, name: str, is_named: bool) -> Iterator[Finding]:
    try:
        with sql.connect(name).cursor(sql.READ_COMMITTED) as cr:
            if health.keeps_jobs(cr):
                configured = settings_from_text(config.channels)
                yield from health.report(cr, name, configured, broker.current())
            elif is_named:
                yield Finding(True, f"The database {name} keeps no jobs.")
    except DatabaseError as error:
        if is_named:  # else it has gone since it was listed
            yield Finding(False, str(error))
    finally:
        sql.close_all(name)


def _version(numbers: tuple[int, ...] | None) -> str:
    return ".".join(map(str, numbers)) if numbers else "that does not run here"
