"""`connector sync`: import from a backend here and now, without a worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import click

from connector.cli.entry import open_servers
from connector.cli.source import Result, Source
from connector.config import current
from connector.exception import ConnectorException
from connector.unit.dry_run import Prediction


@click.command()
@click.argument("backend")
@click.argument("model")
@click.option("--ids", help="Only these external ids, separated by commas.")
@click.option("--full", is_flag=True, help="The whole listing; what is done without an option.")
@click.option("--since", is_flag=True, help="Only what changed since the cursor, which then moves.")
@click.option("--dry-run", is_flag=True, help="Tell what would be done, record by record.")
@click.option(
    "--max-delete",
    type=click.FloatRange(0, 1),
    help="After the import, mark what the backend does not have any more, up to this share.",
)
def sync(
    backend: str,
    model: str,
    ids: str | None,
    full: bool,
    since: bool,
    dry_run: bool,
    max_delete: float | None,
) -> int:
    """
    Import the records of MODEL, a binding model, from the backend called BACKEND.

    Each page, or each of the ids, is a transaction of its own. A record that cannot be imported
    is named, and left to a job; the exit status is then 1.
    """
    if (ids is not None) + full + since > 1:
        raise click.UsageError("--ids, --full and --since exclude each other.")
    if max_delete is not None and (since or ids is not None):
        raise click.UsageError("--max-delete goes with the whole listing only.")
    wanted = _ids_in(ids) if ids is not None else None
    with open_servers(current()):
        source = Source(backend, model)
        if dry_run:
            return _tell_predictions(source.predictions(wanted, since, max_delete))
        return _tell_results(model, source.results(wanted, since, max_delete))


def _ids_in(text: str) -> list[str]:
    ids = [external_id.strip() for external_id in text.split(",")]
    if not all(ids):
        raise click.UsageError(f"--ids {text!r} has an empty id in it.")
    return list(dict.fromkeys(ids))


def _tell_results(model: str, results: Iterator[Result]) -> int:
    counts: dict[str, Counter[str]] = {}
    poisoned: dict[str, str] = {}
    left = 0
    try:
        for result in results:
            for name, outcomes in result["counts"].items():
                counts.setdefault(name, Counter()).update(outcomes)
            poisoned.update(result.get("poisoned", {}))
            left += result.get("refused", 0)
    except ConnectorException:
        _tell(model, counts, left, poisoned)  # what was committed before stays
        raise
    if not _tell(model, counts, left, poisoned):
        click.echo(f"{model}: nothing to import")
    return 1 if poisoned else 0


def _tell(
    model: str, counts: Mapping[str, Mapping[str, int]], left: int, poisoned: Mapping[str, str]
) -> bool:
    """Tell what was done, and say whether there was anything to tell."""
    for name, outcomes in sorted(counts.items()):
        told = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(outcomes.items()))
        click.echo(f"{name}: {told}")
    if left:
        click.echo(f"{model}: {left:,} left to a job, another one imports them now")
    for external_id, reason in sorted(poisoned.items()):
        click.echo(f"{model} {external_id} failed: {reason}", err=True)
    return bool(counts or left or poisoned)


def _tell_predictions(predictions: Iterator[Prediction]) -> int:
    failed = False
    for prediction in predictions:
        told = f"{prediction.model} {prediction.external_id}: {prediction.outcome}"
        click.echo(f"{told} {prediction.reason}".rstrip())
        for name, (before, after) in sorted(prediction.diff.items()):
            click.echo(f"    {name}: {before!r} -> {after!r}")
        failed |= prediction.outcome == "failed"
    return 1 if failed else 0
