"""What a log line looks like, and when lines are shown."""

import logging

import pytest

from connector.config import Config
from connector.runtime import logs


@pytest.fixture(autouse=True)
def _as_before():
    """The root logger is as it was when the test ends."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_line_holds_the_values_that_came_with_the_event(tmp_path):
    """An event's extra values follow its text as key=value."""
    logfile = tmp_path / "connector.log"
    logs.configure(Config.load({"logfile": str(logfile)}, environ={}))

    logging.getLogger("shop").info("Import skipped", extra={"external_id": "7"})

    assert logfile.read_text().endswith("INFO shop Import skipped external_id='7'\n")


def test_terminal_shows_warnings_only_unless_a_level_is_given():
    """A command's own output is not mixed with events, unless they are asked for."""
    logs.configure(Config.load(environ={}))
    assert logging.getLogger().level == logging.WARNING

    logs.configure(Config.load({"log_level": "debug"}, environ={}))
    assert logging.getLogger().level == logging.DEBUG


def test_configuring_again_replaces_the_handler():
    """A second configuration does not print every line twice."""
    logs.configure(Config.load(environ={}))
    before = len(logging.getLogger().handlers)

    logs.configure(Config.load(environ={}))

    assert len(logging.getLogger().handlers) == before
