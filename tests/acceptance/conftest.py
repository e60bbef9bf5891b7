"""What the acceptance tests share: a home for servers of their own, and figures to report."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def servers_home() -> Iterator[Path]:
    """A data directory that the servers' own user can enter, which pytest's is not for root's."""
    home = Path(tempfile.mkdtemp(prefix="connector-", dir="/var/tmp"))
    home.chmod(0o711)
    yield home
    shutil.rmtree(home)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests recorded as the property `figure`."""
    figures = [
        value
        for report in terminalreporter.getreports("passed")
        if getattr(report, "when", None) == "call"
        for name, value in report.user_properties
        if name == "figure"
    ]
    if figures:
        terminalreporter.section("figures")
        for figure in figures:
            terminalreporter.write_line(str(figure))
