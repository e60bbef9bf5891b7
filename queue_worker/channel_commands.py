"""The command `connector channels`: see the tree, and set it while it is in use."""

from __future__ import annotations

import click

from connector import config
from connector.cli.entry import open_servers
from connector.queue import channel_store
from connector.queue.channels import ChannelSettings, chain, full_name, settings_from_text
from connector.queue.state import State
from queue_worker.databases import DATABASE, open_cursor

#: What a column of numbers keeps.
SEATS = click.IntRange(-(2**31), 2**31 - 1)
_SHOWN = (State.PENDING, State.ENQUEUED, State.STARTED, State.FAILED)


@click.group(invoke_without_command=True)
@DATABASE
@click.pass_context
def channels(ctx: click.Context, database: str | None) -> None:
    """List the channels, their limits and their jobs; or set one."""
    if ctx.invoked_subcommand is None:
        _list(database)


@channels.command("set")
@click.argument("name")
@DATABASE
@click.option("--capacity", type=SEATS, help="Jobs side by side; 0 is any number.")
@click.option("--sequential/--parallel", default=None, help="One after the other.")
@click.option("--short/--long", default=None, help="A worker takes several jobs at a time.")
@click.option("--throttle", type=float, help="Least seconds between two starts.")
def set_(
    name: str,
    database: str | None,
    capacity: int | None,
    sequential: bool | None,
    short: bool | None,
    throttle: float | None,
) -> None:
    """Set limits of channel NAME; the dispatcher follows within a second."""
    if sequential and capacity not in (None, 1):
        raise click.UsageError("A sequential channel has the capacity 1.")
    seats = 1 if sequential else capacity
    _set(ChannelSettings(name, seats, sequential, throttle, short=short), database)


@channels.command()
@click.argument("name")
@DATABASE
def pause(name: str, database: str | None) -> None:
    """Let nothing of channel NAME, or below it, start."""
    _set(ChannelSettings(name, paused=True), database)


@channels.command()
@click.argument("name")
@DATABASE
def resume(name: str, database: str | None) -> None:
    """Let the jobs of channel NAME start again."""
    _set(ChannelSettings(name, paused=False), database)


def _set(settings: ChannelSettings, database: str | None) -> None:
    with open_servers(config.current()), open_cursor(database) as cr:
        is_new = channel_store.set_channel(cr, settings)
    click.echo(f"{full_name(settings.name)} is {'made and ' if is_new else ''}set.")


def _list(database: str | None) -> None:
    settings = config.current()
    with open_servers(settings), open_cursor(database) as cr:
        tree = channel_store.read_tree(cr, settings_from_text(settings.channels))
        counts = channel_store.counts(cr)
    for channel in sorted(tree, key=lambda each: each.name):
        own = counts.get(channel.name, {})
        numbers = "  ".join(f"{own.get(state, 0):>6} {state}" for state in _SHOWN)
        depth = len(list(chain(channel.name))) - 1
        name = "  " * depth + channel.name.rpartition(".")[2]
        click.echo(f"{name:<28}{numbers}  {_limits(channel)}".rstrip())


def _limits(channel: ChannelSettings) -> str:
    limits = []
    if channel.capacity is not None:
        limits.append(f"capacity {channel.capacity or 'any'}")
    if channel.sequential:
        limits.append("sequential")
    if channel.throttle:
        limits.append(f"throttle {channel.throttle:g} s")
    if channel.short:
        limits.append("short")
    if channel.paused:
        limits.append("PAUSED")
    return ", ".join(limits)
