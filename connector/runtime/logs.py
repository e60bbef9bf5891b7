"""Where log lines go, and how one looks."""

from __future__ import annotations

import logging

from connector.config import Config

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class EventFormatter(logging.Formatter):
    """The event, then the values that came with it as `key=value`."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        values = {key: value for key, value in vars(record).items() if key not in _PLAIN}
        head, newline, rest = line.partition("\n")
        told = "".join(f" {key}={value!r}" for key, value in values.items())
        return f"{head}{told}{newline}{rest}"


def configure(config: Config) -> None:
    """
    Send the log to `logfile`, or to the terminal.

    The terminal shows warnings only, unless `log_level` is given: a command's own output is there.
    """
    is_quiet = "log_level" not in config.sources and config.logfile is None
    handler = logging.FileHandler(config.logfile) if config.logfile else logging.StreamHandler()
    handler.setFormatter(
        EventFormatter("%(asctime)s %(process)d %(levelname)s %(name)s %(message)s")
    )
    root = logging.getLogger()
    for old in [known for known in root.handlers if isinstance(known.formatter, EventFormatter)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel("WARNING" if is_quiet else config.log_level.upper())


def configure_where_unset(config: Config) -> None:
    """The same where nobody has sent the log anywhere yet: a program's own choice stays."""
    if not logging.getLogger().handlers:
        configure(config)
