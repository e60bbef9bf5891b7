"""Progress while it happens: a bar per kind in a terminal, a line now and then elsewhere."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

PLAIN_LINE_SECONDS = 1.0


class Display(Protocol):
    """Shows how many records of each kind are done."""

    def show(self, done: Mapping[str, int]) -> None: ...

    def tell(self, line: str) -> None:
        """Print a line about something that happened, without breaking the bars."""


@contextmanager
def display(console: Console, totals: Mapping[str, int]) -> Iterator[Display]:
    """The display that suits *console*; *totals* is how many records of each kind there are."""
    if not console.is_terminal:
        yield Lines(console, totals)
        return
    with Bars(console, totals) as bars:
        yield bars


class RateColumn(ProgressColumn):
    """Records a second since the kind's first record."""

    def render(self, task: Task) -> Text:
        # A kind that is done between two looks has no speed of its own.
        speed = task.finished_speed or task.speed or task.completed / (task.elapsed or 1)
        return Text(f"{speed:6.0f}/s" if speed else "", style="progress.data.speed")


class Bars:
    """A bar per kind: count, rate, time left."""

    def __init__(self, console: Console, totals: Mapping[str, int]) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<14}"),
            BarColumn(),
            MofNCompleteColumn(),
            RateColumn(),
            TimeRemainingColumn(compact=True),
            console=console,
        )
        self._tasks = {
            kind: self._progress.add_task(kind, total=total) for kind, total in totals.items()
        }

    def __enter__(self) -> "Bars":
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def show(self, done: Mapping[str, int]) -> None:
        for kind, task in self._tasks.items():
            self._progress.update(task, completed=done.get(kind, 0))

    def tell(self, line: str) -> None:
        self._progress.console.print(line)


class Lines:
    """A line a second, for files and pipes."""

    def __init__(self, console: Console, totals: Mapping[str, int]) -> None:
        self._console = console
        self._totals = totals
        self._start = time.monotonic()
        self._last = self._start

    def show(self, done: Mapping[str, int]) -> None:
        now = time.monotonic()
        finished = sum(done.values()) >= sum(self._totals.values())
        if now - self._last >= PLAIN_LINE_SECONDS or finished:
            self._last = now
            self._print(self._line(done, now - self._start))

    def tell(self, line: str) -> None:
        self._print(line)

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, soft_wrap=True)

    def _line(self, done: Mapping[str, int], seconds: float) -> str:
        count, total = sum(done.values()), sum(self._totals.values())
        rate = count / seconds if seconds else 0.0
        left = f"{(total - count) / rate:.0f} s left" if rate else "waiting"
        kinds = ", ".join(
            f"{kind} {done[kind]}/{total}" for kind, total in self._totals.items() if done.get(kind)
        )
        return f"{seconds:5.1f} s  {count:,} of {total:,}  {rate:.0f}/s  {left}  {kinds}".rstrip()
