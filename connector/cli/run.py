"""`connector run`: a Python file, or an entry point, with a session on a database."""

from __future__ import annotations

from collections.abc import Sequence

import click

from connector.cli.entry import open_servers
from connector.cli.session import CREATE, DATABASE, conffile, exit_status, opened_session
from connector.config import current
from connector.runtime import script as scripts

SUFFIX = ".py"
#: What may stand between the script and its arguments.
END = "--"


@click.command(context_settings={"allow_interspersed_args": False})
@DATABASE
@CREATE
@click.option("--write", "bin_directory", help="Write it as an executable there; do not run it.")
@click.argument("script")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def run(
    db_name: str | None,
    create: bool,
    bin_directory: str | None,
    script: str,
    arguments: Sequence[str],
) -> int:
    """
    Run SCRIPT with `session` ready, on ARGUMENTS, which may stand behind `--`.

    SCRIPT is a Python file, or `module:function`, which is called with the session. What it does
    not commit is not kept. With --write it is the declaration of an executable, such as
    `module:function=name arguments=session command-line-options=-d`.
    """
    if bin_directory is not None:
        declared = scripts.Script.parse(" ".join([script, *arguments]), "connector")
        click.echo(scripts.write(declared, conffile(), ".", bin_directory))
        return 0
    given = arguments[1:] if arguments[:1] == (END,) else arguments
    run_script = scripts.run_file if script.endswith(SUFFIX) else scripts.run_entry
    with open_servers(current()), opened_session(db_name, create) as session:
        return exit_status(run_script(script, session, given))
