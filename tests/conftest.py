"""What all tests share; fixtures of servers and databases come from `connector.testing.plugin`."""

import os

import pytest
from hypothesis import settings

#: Many tests wait for processes and servers that they start, so two at once are done sooner.
AT_ONCE = 2

# A busy machine is no failure of a rule.
settings.register_profile("connector", deadline=None)
settings.load_profile("connector")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """
    With `-n auto` tests run in two processes, each with servers of its own.

    On servers that are given they run one after the other: a test may empty Redis, and a worker
    may serve every database.
    """
    is_given = "DATABASE_URL" in os.environ or "REDIS_URL" in os.environ
    return 0 if is_given else AT_ONCE


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
