"""The run report: what was done, per kind and in all."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from connector_example.demo.counts import Counts, Progress, total
from connector_example.demo.kill import Kill
from connector_example.demo.shop_process import Traffic

COLUMNS = ("read", "created", "updated", "unchanged", "failed", "retried")


@dataclass(frozen=True)
class Run:
    """A run that has ended."""

    counts: Progress
    traffic: Traffic
    seconds: float  #: from the first job enqueued to the last one done
    kills: Sequence[Kill] = ()


def print_report(console: Console, run: Run) -> None:
    console.print(_table(run))
    read = total(run.counts).read
    console.print(
        f"{run.traffic.requests} requests, {run.traffic.throttled} answered 429; "
        f"{run.seconds:.1f} s, {read / run.seconds:,.0f} records/s",
        highlight=False,
    )
    for kill in run.kills:
        console.print(str(kill), highlight=False)


def _table(run: Run) -> Table:
    table = Table(show_footer=True)
    summed = total(run.counts)
    table.add_column("kind", footer="all")
    for name in COLUMNS:
        table.add_column(name, justify="right", footer=f"{getattr(summed, name):,}")
    for kind, counts in run.counts.items():
        table.add_row(kind, *_cells(counts))
    return table


def _cells(counts: Counts) -> list[str]:
    return [f"{getattr(counts, name):,}" for name in COLUMNS]
