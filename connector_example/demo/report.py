"""The run report: what was done, per kind and in all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from connector_example.demo.counts import Counts, total
from connector_example.demo.kill import Kill
from connector_example.demo.shop_process import Traffic
from connector_example.verify import Finding

COLUMNS = ("read", "created", "updated", "unchanged", "failed", "retried")
SHOWN = 10


@dataclass(frozen=True)
class Run:
    """A run that has ended."""

    counts: Mapping[str, Counts]
    traffic: Traffic  #: of the import
    witness: Traffic  #: of the check's own reading
    seconds: float  #: from the first job enqueued to the last one ended
    failures: Sequence[str] = ()  #: jobs that wait for a person
    kills: Sequence[Kill] = ()
    held_up: int = 0  #: jobs that wait for a failed one
    missed_kills: int = 0  #: planned, but the run was over before

    @property
    def is_clean(self) -> bool:
        retried = total(self.counts).retried
        return not (self.failures or self.missed_kills or (self.kills and not retried))


def print_report(console: Console, run: Run) -> None:
    console.print(_table(run.counts))
    rate = total(run.counts).read / run.seconds
    both = run.traffic + run.witness
    console.print(
        f"{run.seconds:.1f} s, {rate:,.0f} records/s; "
        f"{both.requests} requests, {both.throttled} answered 429 "
        f"(the import's {run.traffic}, the check's {run.witness})"
    )
    for kill in run.kills:
        console.print(str(kill))
    if run.missed_kills:
        console.print(f"the run was over before {run.missed_kills} more could be killed")
    _print_some(console, "jobs failed and wait for a person", run.failures)
    if run.held_up:
        console.print(f"{run.held_up} jobs wait for them")


def print_findings(console: Console, findings: Sequence[Finding], records: int) -> None:
    if findings:
        _print_some(console, "differences from the shop", [str(finding) for finding in findings])
    else:
        console.print(f"all {records:,} records are bound once and equal to the shop's")


def _print_some(console: Console, what: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    console.print(f"{len(lines)} {what}:")
    for line in lines[:SHOWN]:
        console.print(f"  {line}", markup=False)
    if lines[SHOWN:]:
        console.print(f"  and {len(lines) - SHOWN} more")


def _table(counts: Mapping[str, Counts]) -> Table:
    table = Table(show_footer=True)
    summed = total(counts)
    table.add_column("kind", footer="all")
    for name in COLUMNS:
        table.add_column(name, justify="right", footer=f"{getattr(summed, name):,}")
    for kind, found in counts.items():
        table.add_row(kind, *(f"{getattr(found, name):,}" for name in COLUMNS))
    return table
