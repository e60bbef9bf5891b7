"""Options that a session takes off the command line before the script sees it."""

from __future__ import annotations

import optparse
import sys
from collections.abc import Callable, Container

#: Between the options for the session and those for the script.
END = "--"
DATABASE = "-d"

_USAGE = "%prog [session options] -- [script options and arguments]"
_HELP_FOLLOWS = "\nHelp message from the wrapped script, if any, will follow.\n\n"


def handle(to_handle: Container[str], open_database: Callable[[str | None], None]) -> None:
    """
    Read what stands before the first `--`, take it out of `sys.argv`, and open the database.

    Only `-d` can be handled. Without `--` everything belongs to the script: the default database
    is opened, unless help is asked for, which is printed before the script prints its own.

    Raises:
        SystemExit: 2 for an option before `--` that is not handled, 0 for help there.
    """
    parser = _parser(to_handle)
    program, *arguments = sys.argv
    if END not in arguments:
        if {"-h", "--help"} & set(arguments):
            sys.stdout.write(parser.format_help() + _HELP_FOLLOWS)
        elif DATABASE in to_handle:
            open_database(None)
        return
    end = arguments.index(END)
    options, _stray = parser.parse_args(arguments[:end])
    sys.argv[:] = [program, *arguments[end + 1 :]]
    if DATABASE in to_handle:
        open_database(options.db_name)


def _parser(to_handle: Container[str]) -> optparse.OptionParser:
    parser = optparse.OptionParser(usage=_USAGE, description="Options before `--`:")
    if DATABASE in to_handle:
        parser.add_option(
            DATABASE,
            "--db-name",
            metavar="DB",
            help="Database to open; by default the configured one.",
        )
    return parser
