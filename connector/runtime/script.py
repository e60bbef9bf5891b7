"""
Scripts over a session: files run with `session` ready, and executables made of entry points.

    entry[=name] [arguments=RAW] [command-line-options=-d,...] [openerp-log-level=LEVEL]

declares an executable that calls an entry point. `odoo-log-level` says the same as
`openerp-log-level`. *RAW* is Python without blanks, and sees `session`.
"""

from __future__ import annotations

import importlib
import logging
import os
import re
import runpy
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from operator import attrgetter
from typing import Any

from connector.exception import ConfigurationError
from connector.runtime.session import Session

__all__ = ["Script", "run_entry", "run_file", "write"]

_ARGUMENTS = "arguments"
_OPTIONS = "command-line-options"
_LOG_LEVELS = ("openerp-log-level", "odoo-log-level")
_EXECUTABLE = 0o755
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")

_BODY = """\
#!{python}
import importlib
import logging
import sys

from connector.runtime.session import Session

entry_point = importlib.import_module({module!r}){attributes}
{logging}\
with Session({conf!r}, {directory!r}) as session:
{options}\
    sys.exit(entry_point({arguments}))
"""


@dataclass(frozen=True)
class Script:
    """An executable that calls an entry point with a session."""

    #: `module:function`, or the name of an entry point of the group `console_scripts`
    entry: str
    #: name of the executable
    name: str
    #: Python text of the arguments of the call
    arguments: str = ""
    #: what the session takes off the command line before the call
    command_line_options: tuple[str, ...] = ()
    #: level of the logger `connector`; None leaves it to the configuration
    log_level: str | None = None

    @classmethod
    def parse(cls, declaration: str, part: str) -> Script:
        """
        Read a declaration; *part* ends the default name, `<entry>_<part>`.

        Raises:
            ConfigurationError: a word of it is unknown, the naming has more than one `=`, or
                the level is none of `logging`.
        """
        naming, *words = declaration.split() or [""]
        entry, *names = naming.split("=")
        if not entry or len(names) > 1 or os.sep in naming:
            raise ConfigurationError(
                f"Cannot read {naming!r} in the script {declaration!r}: write entry or entry=name."
            )
        given = _options(words, declaration)
        return cls(
            entry,
            names[0] if names else f"{entry.replace(':', '.')}_{part}",
            given.get(_ARGUMENTS, ""),
            tuple(filter(None, given.get(_OPTIONS, "").split(","))),
            _level(given, declaration),
        )

    def source(self, conf: str | os.PathLike[str] | None, directory: str | os.PathLike[str]) -> str:
        """The text of the executable, for a configuration file and a directory."""
        module, attributes = _target(self.entry)
        options = f"    session.handle_command_line_options({list(self.command_line_options)!r})\n"
        level = f"logging.getLogger('connector').setLevel({self.log_level!r})\n"
        return _BODY.format(
            python=sys.executable,
            module=module,
            attributes=f".{attributes}",
            conf=None if conf is None else os.path.abspath(conf),
            directory=os.path.abspath(directory),
            options=options if self.command_line_options else "",
            logging=level if self.log_level else "",
            arguments=self.arguments,
        )


def write(
    script: Script,
    conf: str | os.PathLike[str] | None,
    directory: str | os.PathLike[str],
    bin_directory: str | os.PathLike[str],
) -> str:
    """Write the executable of *script* into *bin_directory*; returns its path."""
    path = os.path.join(bin_directory, script.name)
    os.makedirs(bin_directory, exist_ok=True)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(script.source(conf, directory))
    os.chmod(path, _EXECUTABLE)
    return path


def run_entry(entry: str, session: Session, arguments: Iterable[str]) -> Any:
    """
    Call an entry point with the session, and with *arguments* on the command line.

    Returns its exit code, or what it returned; errors come through.

    Raises:
        ConfigurationError: it names nothing that can be imported.
    """
    module, attributes = _target(entry)
    sys.argv = [entry, *arguments]
    sys.path.insert(0, os.getcwd())
    try:
        function = attrgetter(attributes)(importlib.import_module(module))
    except (ModuleNotFoundError, AttributeError) as error:
        raise ConfigurationError(f"Cannot import the script {entry!r}: {error}.") from error
    return _exit_code(lambda: function(session))


def run_file(path: str | os.PathLike[str], session: Session, arguments: Iterable[str]) -> Any:
    """
    Run a Python file as a program with *arguments*; it finds `session` ready.

    Returns its exit code; errors come through.
    """
    sys.argv = [os.fspath(path), *arguments]
    return run_program(path, {"session": session})


def run_program(path: str | os.PathLike[str], names: dict[str, Any] | None = None) -> Any:
    """
    Run a Python file as `__main__`; it finds *names*, and can import what is beside it.

    Returns its exit code; errors come through.

    Raises:
        ConfigurationError: there is no such file.
    """
    if not os.path.isfile(path):
        raise ConfigurationError(f"There is no script {os.fspath(path)!r}.")
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))

    def run() -> None:
        runpy.run_path(os.fspath(path), names, "__main__")

    return _exit_code(run)


def _exit_code(run: Callable[[], Any]) -> Any:
    try:
        return run()
    except SystemExit as end:
        return end.code


def _options(words: list[str], declaration: str) -> dict[str, str]:
    known = (_ARGUMENTS, _OPTIONS, *_LOG_LEVELS)
    found: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or key not in known:
            raise ConfigurationError(
                f"Unknown word {word!r} in the script {declaration!r}. "
                f"Known are: {', '.join(f'{name}=' for name in known)}."
            )
        found[key] = value
    return found


def _level(given: Mapping[str, str], declaration: str) -> str | None:
    told = [given[key].upper() for key in _LOG_LEVELS if key in given]
    if not told:
        return None
    if told[0] not in logging.getLevelNamesMapping():
        raise ConfigurationError(
            f"Unknown log level {told[0]!r} in the script {declaration!r}. "
            f"Known are: {', '.join(logging.getLevelNamesMapping())}."
        )
    return told[0]


def _target(entry: str) -> tuple[str, str]:
    """The module and the function that an entry names."""
    module, _, attributes = entry.partition(":")
    if _NAME.fullmatch(module) and _NAME.fullmatch(attributes):
        return module, attributes
    for point in entry_points(group="console_scripts", name=entry):
        return point.module, point.attr
    raise ConfigurationError(
        f"No entry point {entry!r} in the group console_scripts. "
        "Write module:function, or install the distribution that declares it."
    )
