"""
Upgrades a database by a script of the deployed system, and remembers the version reached.

    open -> tell the versions -> load the script -> callable(session, logger) -> status
    status None or 0: version of the code -> database, COMMIT
    anything else:    nothing is committed, the version stays
"""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import click

from connector.exception import ConfigurationError
from connector.runtime import access
from connector.runtime.logs import EventFormatter
from connector.runtime.session import Session

__all__ = ["OPTIONS", "Settings", "upgrade", "upgrade_database"]

#: The steps of an upgrade, and what its script logs: they go to the console too.
STEPS = "openerp.upgrade"
FORMAT = "%(asctime)s %(levelname)s  %(message)s"
LEVELS = ("debug", "info", "warning", "error", "critical")
#: What `sys.exit(-1)` is to a shell.
NO_LOG_FILE = 255
#: Name of the script as a module, whatever its file is called.
MODULE = "upgrade_script"

logger = logging.getLogger(__name__)

_LEVEL = click.Choice(LEVELS, case_sensitive=False)

#: The options of every upgrade, for `upgrade` and for `connector upgrade`.
OPTIONS = [
    click.Option(
        ["--log-file"], default="upgrade.log", show_default=True, help="Append the log to it."
    ),
    click.Option(
        ["--log-level"], type=_LEVEL, default="info", show_default=True, help="Of the file."
    ),
    click.Option(
        ["--console-log-level"],
        type=_LEVEL,
        default="info",
        show_default=True,
        help="Of the major steps on the console.",
    ),
    click.Option(["-q", "--quiet"], is_flag=True, help="Say nothing of the log at the start."),
    click.Option(["-d", "--db-name"], help="Database to upgrade.  [default: the configured one]"),
    click.Option(
        ["--init-load-demo-data"], is_flag=True, help="Demonstration data for an empty database."
    ),
    click.Option(["--create"], is_flag=True, help="Create the database if it is not there."),
]


@dataclass(frozen=True)
class Settings:
    """What the options say."""

    log_file: str
    log_level: str
    console_log_level: str
    quiet: bool
    db_name: str | None
    init_load_demo_data: bool
    create: bool


def upgrade(
    upgrade_script: str | os.PathLike[str],
    upgrade_callable: str,
    conf: str | os.PathLike[str] | None,
    buildout_dir: str | os.PathLike[str],
) -> None:
    """
    Run an upgrade as a program, with the options on the command line.

    *upgrade_script* is a Python file, *upgrade_callable* the name of a function in it that takes
    a `Session` and a logger. It returns None or 0 for success.

    Raises:
        SystemExit: always; the status is the callable's, 2 for wrong options, 255 where the log
            file cannot be written. An error of the callable comes through instead.
    """

    def run(**options: Any) -> None:
        settings = Settings(**options)

        def session() -> Session:
            return Session(conf, buildout_dir, create=settings.create)

        sys.exit(upgrade_database(upgrade_script, upgrade_callable, session, settings))

    click.Command("upgrade", params=list(OPTIONS), callback=run, help=_HELP).main()


_HELP = "Upgrade a database to the version of the code."


def upgrade_database(
    script: str | os.PathLike[str],
    callable_name: str,
    make_session: Callable[[], Session],
    settings: Settings,
) -> Any:
    """
    Upgrade a database; returns the status for `sys.exit`.

    Raises:
        ConfigurationError: the script cannot be found, or has no such callable.
    """
    path = os.path.abspath(os.path.expanduser(settings.log_file))
    try:
        log = logging.FileHandler(path, encoding="utf-8")
    except OSError:
        click.echo(f"Cannot open {path!r} for write", err=True)
        return NO_LOG_FILE
    if not settings.quiet:
        click.echo(
            f"Starting upgrade, logging details to {path} at level {settings.log_level.upper()}, "
            f"and major steps to console at level {settings.console_log_level.upper()}\n"
        )
    with _logging(log, settings) as steps:
        try:
            return _run(script, callable_name, make_session(), settings, steps, path)
        except Exception:
            # The console gets it from who catches it.
            logger.exception("The upgrade failed")
            raise


def _run(
    script: str | os.PathLike[str],
    callable_name: str,
    session: Session,
    settings: Settings,
    steps: logging.Logger,
    log_path: str,
) -> Any:
    started = time.monotonic()
    with session:
        session.open(settings.db_name, with_demo=settings.init_load_demo_data)
        _tell_versions(session, steps)
        status = _loaded(script, callable_name)(session, steps)
        if status is not None and status != 0:
            steps.error("Please check logs at %s", log_path)
            return status
        if session.package_version is not None:
            session.db_version = session.package_version
        session.cr.commit()
    kind = "Initialization" if session.is_initialization else "Upgrade"
    steps.info("%s successful. Total time: %d seconds.", kind, time.monotonic() - started)
    return status


def _tell_versions(session: Session, steps: logging.Logger) -> None:
    database = session.cr.dbname
    steps.info(
        "Database %r %s.", database, "initialized" if session.is_initialization else "loaded"
    )
    if session.package_version is None:
        steps.warning(
            "No version in %s: the database's version won't be set.", session.version_file_path
        )
    else:
        steps.info("Version of the code: %s", session.package_version)
    if session.db_version is not None:
        steps.info("Version of the database: %s", session.db_version)
    elif not session.is_initialization:
        steps.warning("Database %r has no version: it is upgraded for the first time.", database)


def _loaded(script: str | os.PathLike[str], callable_name: str) -> Callable[..., Any]:
    path = os.path.abspath(script)
    if not os.path.isfile(path):
        raise ConfigurationError(f"There is no upgrade script {path}.")
    spec = importlib.util.spec_from_file_location(MODULE, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[MODULE] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function = getattr(module, callable_name, None)
    if not callable(function):
        raise ConfigurationError(f"The upgrade script {path} has no function {callable_name!r}.")
    return cast("Callable[..., Any]", function)


@contextmanager
def _logging(log: logging.Handler, settings: Settings) -> Iterator[logging.Logger]:
    """Everything goes to the file, and only the steps to the console as well."""
    root, steps = logging.getLogger(), logging.getLogger(STEPS)
    console = logging.StreamHandler()
    console.setLevel(settings.console_log_level.upper())
    log.setLevel(settings.log_level.upper())
    for handler in (log, console):
        handler.setFormatter(EventFormatter(FORMAT))
    levels, others = (root.level, steps.level), root.handlers[:]
    root.handlers[:] = [log]
    # The other one tells, before anything else, that the database is a copy and asleep.
    speakers = (steps, logging.getLogger(access.__name__))
    for speaker in speakers:
        speaker.addHandler(console)
    root.setLevel(log.level)
    steps.setLevel(min(log.level, console.level))
    try:
        yield steps
    finally:
        root.handlers[:] = others
        for speaker in speakers:
            speaker.removeHandler(console)
        root.setLevel(levels[0])
        steps.setLevel(levels[1])
        log.close()
