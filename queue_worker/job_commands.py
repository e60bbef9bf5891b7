"""The command `connector jobs`: see jobs, put them back, end them, remove them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import click

from connector import config
from connector.cli.entry import open_servers
from connector.exception import NoSuchJobError
from connector.queue import broker, by_hand, journal, retention, stopping
from connector.queue.by_hand import SELECTED, Selection
from connector.queue.channels import full_name, settings_from_text
from connector.queue.state import ENDED, State
from connector.queue.why import reasons
from queue_worker.databases import DATABASE, open_cursor, rows

STATES = [state.value for state in State]

_LIST = f"""
SELECT uuid, state, channel, retry, max_retries, date_created, name, exc_message
  FROM queue_job WHERE {SELECTED} ORDER BY id DESC LIMIT %(limit)s
"""  # noqa: S608  # composed of constants

_STATS = """
SELECT channel, state, count(*) AS number,
       round(avg(extract(epoch FROM date_done - date_started))::numeric, 3) AS seconds,
       min(date_created) AS oldest
  FROM queue_job GROUP BY channel, state ORDER BY channel, state
"""


def selecting(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that choose jobs."""
    for option in (
        click.option("--error", help="Part of the name or message of the error."),
        click.option("--model", help="Model that the job is about."),
        click.option("--channel", help="Channel, with those below it."),
        click.option("--state", type=click.Choice(STATES)),
        DATABASE,
    ):
        command = option(command)
    return command


@click.group()
def jobs() -> None:
    """See jobs, put them back, end them, remove them."""


@jobs.command("list")
@selecting
@click.option("--limit", default=50, show_default=True, type=click.IntRange(min=1))
def list_jobs(database: str | None, limit: int, **asked: str | None) -> None:
    """List jobs, the newest first."""
    with open_servers(config.current()):
        found = rows(database, _LIST, {**_selection((), **asked).params, "limit": limit})
    for row in found:
        tries = f"{row['retry']}/{row['max_retries'] or '∞'}"
        told = f"{row['state']:<17} {tries:>5}  {row['channel']:<20} {row['name']}"
        click.echo(f"{row['uuid']}  {told}" + _indented(row["exc_message"]))


@jobs.command()
@click.argument("uuid")
@DATABASE
def show(uuid: str, database: str | None) -> None:
    """Show all that is kept of a job, with the lines that it has written."""
    with open_servers(config.current()), open_cursor(database) as cr:
        cr.execute("SELECT * FROM queue_job WHERE uuid = %(uuid)s", {"uuid": uuid})
        row = cr.dictfetchone()
        done = journal.progress(cr, uuid)
        lines = journal.lines(cr, uuid)
    if row is None:
        raise NoSuchJobError(
            f"There is no job {uuid}. `connector jobs list` names those there are."
        )
    for name, value in row.items():
        if value is not None:
            click.echo(f"{name + ':':<15} {value}")
    if done is not None:
        click.echo(f"{'progress:':<15} {done[0]} of {done[1] or '?'}")
    for date, level, message in lines:
        click.echo(f"{date:%Y-%m-%d %H:%M:%S} {level:<8} {message}")


@jobs.command()
@click.argument("uuid")
@DATABASE
def why(uuid: str, database: str | None) -> None:
    """Say why a job does not run."""
    settings = config.current()
    with open_servers(settings), open_cursor(database) as cr:
        configured = settings_from_text(settings.channels)
        told = list(reasons(cr, uuid, configured, broker.current()))
    click.echo("\n".join(told) or "Nothing is in its way: it starts at any moment.")


@jobs.command()
@click.argument("uuids", nargs=-1)
@click.option("--failed", is_flag=True, help="All failed jobs; the same as --state failed.")
@selecting
def requeue(uuids: Sequence[str], failed: bool, database: str | None, **asked: str | None) -> None:
    """Put jobs that have ended back, with all their tries."""
    if failed and asked["state"] not in (None, State.FAILED):
        raise click.UsageError("--failed and --state contradict each other.")
    if failed:
        asked["state"] = State.FAILED
    selection = _chosen(uuids, asked)
    with open_servers(config.current()), open_cursor(database) as cr:
        changed = by_hand.requeue_selected(cr, selection)
        back = sum(1 for state in changed.values() if state != State.CANCELLED)
        click.echo(f"{back} put back, {len(changed) - back} cancelled as superseded.")
        _tell_left(cr, uuids, changed, "only what has ended is put back")


@jobs.command()
@click.argument("uuids", nargs=-1)
@selecting
def cancel(uuids: Sequence[str], database: str | None, **asked: str | None) -> None:
    """Cancel jobs that do not run, and those that wait for them."""
    selection = _chosen(uuids, asked)
    with open_servers(config.current()), open_cursor(database) as cr:
        changed = by_hand.cancel_selected(cr, selection, "Cancelled by command")
        click.echo(f"{len(changed)} cancelled.")
        _tell_left(cr, uuids, changed, "a running one is stopped with `connector jobs stop`")


@jobs.command()
@click.argument("uuids", nargs=-1)
@selecting
@click.option("--wait", default=10.0, show_default=True, type=click.FloatRange(min=0))
@click.pass_context
def stop(
    ctx: click.Context,
    /,
    uuids: Sequence[str],
    database: str | None,
    wait: float,
    **asked: str | None,
) -> None:
    """Stop jobs that run: each is rolled back and failed. Waits so many seconds for that."""
    selection = _chosen(uuids, asked)
    ended = {}
    with open_servers(config.current()), open_cursor(database) as cr:
        for uuid, has_ended in stopping.stop(cr, broker.current(), selection, wait):
            ended[uuid] = has_ended
            state = _state_of(cr, uuid) if has_ended else "still running; its worker was asked"
            click.echo(f"{uuid} is {state}.")
        _tell_left(cr, uuids, ended, "only a running job is stopped, `cancel` ends others")
    ctx.exit(0 if ended and all(ended.values()) else 1)


@jobs.command()
@click.argument("uuids", nargs=-1)
@selecting
@click.option("--priority", type=int, help="New priority; smaller ones come first.")
@click.option("--eta", help="Seconds from now, a moment (UTC without a zone), or 'now'.")
@click.option("--to-channel", help="New channel.")
def reschedule(
    uuids: Sequence[str],
    database: str | None,
    priority: int | None,
    eta: str | None,
    to_channel: str | None,
    **asked: str | None,
) -> None:
    """Give jobs that wait another priority, eta or channel."""
    if priority is None and eta is None and to_channel is None:
        raise click.UsageError("Give --priority, --eta or --to-channel.")
    selection = _chosen(uuids, asked)
    with open_servers(config.current()), open_cursor(database) as cr:
        changed = by_hand.reschedule(
            cr,
            selection,
            priority=priority,
            eta=_eta(eta),
            channel=full_name(to_channel) if to_channel else None,
        )
        click.echo(f"{len(changed)} changed.")
        _tell_left(cr, uuids, changed, "only what waits is rescheduled")


@jobs.command("set-done")
@click.argument("uuids", nargs=-1)
@selecting
def set_done(uuids: Sequence[str], database: str | None, **asked: str | None) -> None:
    """Take jobs that do not run as done, and release what waits for them."""
    selection = _chosen(uuids, asked)
    with open_servers(config.current()), open_cursor(database) as cr:
        changed = by_hand.set_done(cr, selection, "Set done by command")
        click.echo(f"{len(changed)} set done.")
        _tell_left(cr, uuids, changed, "a running one is stopped with `connector jobs stop`")


@jobs.command()
@DATABASE
def stats(database: str | None) -> None:
    """Count jobs by channel and state, with their mean seconds and the oldest one."""
    with open_servers(config.current()):
        for row in rows(database, _STATS, None):
            seconds = "" if row["seconds"] is None else f"{row['seconds']} s"
            told = f"{row['channel']:<28}{row['state']:<18}{row['number']:>9}"
            click.echo(f"{told}  {seconds:<10}since {row['oldest']:%Y-%m-%d %H:%M}")


@jobs.command()
@DATABASE
@click.option("--older-than", type=click.FloatRange(min=0), help="Days, in place of the settings.")
@click.option("--state", type=click.Choice([state.value for state in ENDED]))
@click.option("--channel", help="Channel, with those below it.")
def purge(
    database: str | None, older_than: float | None, state: str | None, channel: str | None
) -> None:
    """Remove old jobs as the channels say, or as the options do."""
    if older_than is None and (state or channel):
        raise click.UsageError("Give --older-than too; without it the channels decide.")
    with open_servers(config.current()), open_cursor(database) as cr:
        if older_than is None:
            limits = retention.rules(cr)
        else:
            states = [State(state)] if state else [State.DONE, State.CANCELLED]
            below = full_name(channel) if channel else None
            limits = retention.uniform_rules(cr, states, older_than, below)
        removed = sum(retention.purge(cr, limits, cr.commit))
    click.echo(f"{removed} removed.")


def _tell_left(cr: Any, uuids: Sequence[str], changed: Collection[str], rule: str) -> None:
    """Say of each job that was named and is as it was, what it is."""
    for uuid in dict.fromkeys(uuids):
        if uuid not in changed:
            click.echo(f"{uuid} is {_state_of(cr, uuid)}: {rule}.", err=True)


def _state_of(cr: Any, uuid: str) -> str:
    cr.execute("SELECT state FROM queue_job WHERE uuid = %s", (uuid,))
    row = cr.fetchone()
    return str(row[0]) if row else "no job of this database"


def _eta(text: str | None) -> Any:
    if text in (None, "now"):
        return text
    for read in (float, datetime.fromisoformat):
        with suppress(ValueError):
            return read(text)
    raise click.UsageError(f"{text!r} is no eta: give seconds, a moment, or 'now'.")


def _chosen(uuids: Sequence[str], asked: dict[str, str | None]) -> Selection:
    """What is asked for; nothing asked for is a mistake, not everything."""
    if bool(uuids) == any(asked.values()):
        raise click.UsageError("Name the jobs, or choose them by options.")
    return _selection(uuids, **asked)


def _selection(
    uuids: Sequence[str],
    state: str | None,
    channel: str | None,
    model: str | None,
    error: str | None,
) -> Selection:
    return Selection(
        uuids=uuids or None,
        states=[State(state)] if state else tuple(State),
        channel=full_name(channel) if channel else None,
        model=model,
        error=error,
    )


def _indented(message: str | None) -> str:
    return f"\n    {message.splitlines()[0]}" if message else ""
