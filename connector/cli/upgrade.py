"""`connector upgrade`: bring a database to the version of the code."""

from __future__ import annotations

import os
from typing import Any

import click

from connector.cli.entry import open_servers
from connector.cli.session import exit_status, make_session
from connector.config import current
from connector.runtime.upgrade import OPTIONS, Settings, upgrade_database

DEFAULT_SCRIPT = "upgrade.py"
TEMPLATE = '''\
"""Upgrades a database of this system; `connector upgrade` runs it."""


def run(session, log):
    """
    Bring the database to the version of the code.

    None or 0 is success: the database gets the version of the code, and all is committed.
    """
    if session.is_initialization:
        log.warning("The database was empty: install the addons that it is for here")
        # session.install_modules(["connector"])
        return
    log.info("From version %s to %s", session.db_version, session.package_version)
    session.update_modules(["all"])
'''

_OWN_OPTIONS = [
    click.Option(
        ["--script"], help=f"Python file to run.  [default: {DEFAULT_SCRIPT}, made if missing]"
    ),
    click.Option(
        ["--callable", "callable_name"],
        default="run",
        show_default=True,
        help="Its function to call, with a session and a logger.",
    ),
    click.Option(
        ["--directory"], default=".", help="Where VERSION.txt and the script are looked for."
    ),
]


def _upgrade(script: str | None, callable_name: str, directory: str, **options: Any) -> int:
    """
    Run an upgrade script on a database.

    The script decides what to do; the one made by default updates all addons. On success the
    database gets the version that VERSION.txt holds.
    """
    settings = Settings(**options)
    path = os.path.join(directory, script or DEFAULT_SCRIPT)
    if script is None and not os.path.exists(path):
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(TEMPLATE)
        click.echo(f"There was no {path}: made one that updates all addons.")
    with open_servers(current()):
        status = upgrade_database(
            path,
            callable_name,
            lambda: make_session(create=settings.create, directory=directory),
            settings,
        )
    return exit_status(status)


upgrade = click.Command(
    "upgrade", params=[*_OWN_OPTIONS, *OPTIONS], callback=_upgrade, help=_upgrade.__doc__
)
