"""`connector lint`: name what of a connector made for 8.0, 9.0 or 10.0 would not run here."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from pathlib import Path

import click

from connector.cli import lint_addon
from connector.cli.lint_rules import Finding, findings_in
from connector.config import current
from connector.core.addon import MANIFEST_NAMES, use_addons_path


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.pass_context
def lint(ctx: click.Context, paths: tuple[Path, ...]) -> None:
    """
    Name the lines of PATHS that would not run here, and what to write instead.

    Python files, manifests and data files are read; nothing of them is run.
    """
    use_addons_path(current().addons_path)
    found = sorted(set(_all_findings(paths)))
    for file, finding in found:
        click.echo(f"{file}:{finding.line}: {finding.text}")
    click.echo(f"{len(found)} findings" if found else "Nothing found.")
    ctx.exit(1 if found else 0)


def _all_findings(paths: tuple[Path, ...]) -> Iterator[tuple[Path, Finding]]:
    folders = [folder for path in paths for folder in lint_addon.addon_folders(path)]
    addons = lint_addon.known_addons(folders)
    models = lint_addon.known_models([*folders, *paths])
    for path in paths:
        for file in _python_files(path):
            for finding in _in_file(file, addons, models):
                yield file, finding
        for folder in lint_addon.addon_folders(path):
            if folder.is_relative_to(path):
                yield from lint_addon.in_addon(folder, addons, models)


def _python_files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return [file for file in sorted(path.rglob("*.py")) if file.name not in MANIFEST_NAMES]


def _in_file(file: Path, addons: Collection[str], models: Collection[str]) -> Iterator[Finding]:
    try:
        source = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        yield Finding(1, f"This is no UTF-8 ({error}). Save it as UTF-8.")
        return
    yield from findings_in(source, addons)
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return  # said above
    yield from lint_addon.in_module(tree, models)
