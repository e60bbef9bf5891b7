"""`connector config`: what this process would work with, and where each value is from."""

from __future__ import annotations

import click

from connector.config import OPTIONS, current


@click.group()
def config() -> None:
    """Look at the configuration."""


@config.command()
def show() -> None:
    """Tell each value and where it came from; secrets are hidden."""
    loaded = current()
    keys = [*OPTIONS.items(), ("database_url", "environment")]
    rows = [
        (section, key, loaded.shown(key), loaded.sources.get(key, "default"))
        for key, section in keys
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
