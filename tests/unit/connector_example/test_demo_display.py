"""What the demo prints while it works and when it is done."""

import io

from rich.console import Console

from connector_example.demo.counts import Counts
from connector_example.demo.kill import Kill
from connector_example.demo.progress import display
from connector_example.demo.report import Run, print_report
from connector_example.demo.shop_process import Traffic

TOTALS = {"genres": 25, "tracks": 3503}


def shown(done: dict[str, int], *, terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100)
    with display(console, TOTALS) as progress:
        progress.show(done)
        progress.tell("Redis is gone")
    return out.getvalue()


def test_without_a_terminal_there_are_plain_lines():
    """
    A finished run ends with one plain line that has every kind, and no control characters.
    """
    text = shown({"genres": 25, "tracks": 3503}, terminal=False)

    assert "3,528 of 3,528" in text
    assert "genres 25/25, tracks 3503/3503" in text
    assert "\x1b" not in text
    assert "Redis is gone" in text


def test_a_terminal_gets_a_bar_per_kind():
    """
    Each kind has its own bar with its count.
    """
    text = shown({"genres": 25, "tracks": 1200}, terminal=True)

    assert "25/25" in text
    assert "1200/3503" in text
    assert "Redis is gone" in text


def test_a_record_met_twice_counts_once():
    """
    A record created as a dependency and then found unchanged by its own job is one record read.
    """
    met_twice = Counts(read=20, created=20, unchanged=2, retried=2)

    assert met_twice.settled() == Counts(read=20, created=20, retried=2)


def test_the_report_has_every_figure():
    """
    Each kind has its row, the requests and the rate stand below, and kills name job and moment.
    """
    out = io.StringIO()
    run = Run(
        counts={
            "genres": Counts(read=25, created=25),
            "tracks": Counts(read=3503, created=3500, failed=3, retried=1),
        },
        traffic=Traffic(requests=55, throttled=3),
        witness=Traffic(requests=60, throttled=8),
        seconds=8.0,
        kills=[Kill(1.5, "worker 4711", "0123456789", "Import a page of tracks")],
    )

    print_report(Console(file=out, width=120), run)

    text = out.getvalue()
    assert "3,503" in text
    assert "8.0 s, 441 records/s; 115 requests, 11 answered 429" in text
    assert "kill -9 at 1.5 s: worker 4711, while job 01234567 was started" in text
