"""`connector shell`: a Python interpreter with a session on a database."""

from __future__ import annotations

import code
import rlcompleter
import sys
from typing import Any

import click

from connector.cli.entry import open_servers
from connector.cli.session import CREATE, DATABASE, exit_status, opened_session
from connector.config import current
from connector.runtime.session import Session

BANNER = """\
session.env, session.registry(model) and session.cr are on database {database!r}.
Nothing is kept without session.cr.commit()."""


@click.command()
@DATABASE
@CREATE
def shell(db_name: str | None, create: bool) -> int:
    """Talk Python with `session` ready; what is piped in is run as a program."""
    with open_servers(current()), opened_session(db_name, create) as session:
        names = {"__name__": "__main__", "__doc__": None, "session": session}
        if sys.stdin.isatty():
            _talk(names, session)
            return 0
        return exit_status(_run(sys.stdin.read(), names))


def _talk(names: dict[str, Any], session: Session) -> None:
    _complete(names)
    code.interact(BANNER.format(database=session.cr.dbname), local=names, exitmsg="")


def _complete(names: dict[str, Any]) -> None:
    try:
        import readline
    except ImportError:
        return  # a Python without it talks all the same
    readline.set_completer(rlcompleter.Completer(names).complete)
    readline.parse_and_bind("tab: complete")


def _run(text: str, names: dict[str, Any]) -> Any:
    try:
        exec(compile(text, "<stdin>", "exec"), names)  # noqa: S102 - what the command is for
    except SystemExit as end:
        return end.code
    return None
