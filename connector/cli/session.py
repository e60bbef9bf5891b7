"""What the commands that work with a session share."""

from __future__ import annotations

from typing import Any

import click

from connector.runtime.session import Session

DATABASE = click.option("-d", "--db-name", help="Database to open.")
CREATE = click.option("--create", is_flag=True, help="Create the database if it is not there.")


def make_session(*, create: bool = False, directory: str = ".") -> Session:
    """A session under the configuration of the command line, not open yet."""
    return Session(conffile(), directory, parse_config=False, create=create)


def opened_session(db_name: str | None, create: bool) -> Session:
    """A session on a database, the configured one without a name."""
    session = make_session(create=create)
    session.open(db_name)
    return session


def conffile() -> str | None:
    """The configuration file that the command line named, if it named one."""
    named = click.get_current_context().find_root().params.get("conffile")
    return named or None


def exit_status(code: Any) -> int:
    """The status that Python makes of what is given to `sys.exit`; a text is told."""
    if code is None or isinstance(code, int):
        return int(code or 0)
    click.echo(code, err=True)
    return 1
