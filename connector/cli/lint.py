"""`connector lint`: name what of a connector made for 8.0, 9.0 or 10.0 would not run here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from connector.cli.lint_rules import Finding, findings_in


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.pass_context
def lint(ctx: click.Context, paths: tuple[Path, ...]) -> None:
    """Name the lines of PATHS that would not run here, and what to write instead."""
    found = [
        (file, finding)
        for path in paths
        for file in _python_files(path)
        for finding in _findings(file)
    ]
    for file, finding in found:
        click.echo(f"{file}:{finding.line}: {finding.text}")
    click.echo(f"{len(found)} findings" if found else "Nothing found.")
    ctx.exit(1 if found else 0)


def _python_files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def _findings(file: Path) -> Iterator[Finding]:
    try:
        source = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        yield Finding(1, f"This is no UTF-8 ({error}). Save it as UTF-8.")
        return
    yield from findings_in(source)
