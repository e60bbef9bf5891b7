"""The command `connector`: a group whose commands are found by entry points, and its error edge."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points

import click

from connector import __version__, config
from connector.core.exceptions import CoreError
from connector.exception import ConnectorException
from connector.runtime import logs

COMMANDS = "connector.commands"
#: Raised on purpose, with a message that says what to do.
KNOWN_ERRORS = (ConnectorException, CoreError)
INTERRUPTED, FAILED = 130, 1


class CommandGroup(click.Group):
    """Commands of the entry-point group `connector.commands`, imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(found.name for found in entry_points(group=COMMANDS))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for found in entry_points(group=COMMANDS, name=cmd_name):
            command = _loaded(found)
            if not any(parameter.name == "traceback" for parameter in command.params):
                command.params.append(_traceback_option())
            return command
        return None


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="connector")
@click.option("-c", "--config", "conffile", envvar="CONNECTOR_CONFIG", help="INI file to read.")
@click.option("-d", "--database", "db_name", help="Database to work on.")
@click.option("--data-dir", help="Home of the embedded servers and of kept files.")
@click.option("--log-level", help="debug, info, warning, error or critical.")
@click.option("--logfile", help="Write the log there instead of to the terminal.")
@click.option("--traceback", is_flag=True, envvar="CONNECTOR_TRACEBACK", help="Show tracebacks.")
@click.pass_context
def cli(
    ctx: click.Context, /, conffile: str | None, traceback: bool, **command_line: str | None
) -> None:
    """Keep the records of two systems in step."""
    ctx.ensure_object(dict)["traceback"] = traceback
    loaded = config.Config.load(command_line, conffile or None)
    config.use(loaded)
    logs.configure(loaded)


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command line; the exit status is 0, 1 for an error and 2 for a wrong usage.

    An error becomes one message on stderr; its traceback is shown when --traceback asks for it.
    """
    asked: dict[str, bool] = {}
    try:
        status = cli.main(arguments, prog_name="connector", standalone_mode=False, obj=asked)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # the reader has gone, so nobody is left to tell
        return FAILED
    except Exception as error:
        if asked.get("traceback"):
            raise
        click.echo(_message(error), err=True)
        return FAILED
    return status if isinstance(status, int) else 0


def _message(error: Exception) -> str:
    if isinstance(error, KNOWN_ERRORS):
        return f"Error: {error}"
    return (
        f"Unexpected error: {type(error).__name__}: {error}\n"
        "Run again with --traceback to see where it comes from, and report it."
    )


def _loaded(found: EntryPoint) -> click.Command:
    try:
        command = found.load()
    except ImportError as error:
        return _unavailable(found, error)
    if not isinstance(command, click.Command):
        raise click.ClickException(f"{found.value} is no command: it must be a click.Command.")
    return command


def _unavailable(found: EntryPoint, error: ImportError) -> click.Command:
    """A command in the place of one that cannot be imported: the others and --help still work."""

    def fail() -> None:
        raise click.ClickException(
            f"The command {found.name!r} ({found.value}) cannot be imported: {error}. "
            "Is an extra missing, such as pip install 'connector[demo]'?"
        ) from error

    anything = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(
        found.name,
        callback=fail,
        short_help=f"Not available: {error}.",
        context_settings=anything,
    )


def _traceback_option() -> click.Option:
    """The option of the group, accepted behind a command's name too."""

    def remember(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
        if value:
            ctx.ensure_object(dict)["traceback"] = True

    return click.Option(
        ["--traceback"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=remember,
        help="Show tracebacks.",
    )


if __name__ == "__main__":
    sys.exit(main())
