"""Where configuration is read: a file, the environment, a command line. Unknown keys are named."""

from __future__ import annotations

import configparser
import difflib
import os
from collections.abc import Iterable, Mapping

from connector.exception import ConfigurationError

#: For the command line only, as in the 8.0 series: each asks for one act, not for a state.
COMMAND_LINE_ONLY = frozenset(
    {
        "config",
        "console_log_level",
        "create",
        "dev_mode",
        "init",
        "init_load_demo_data",
        "install_all",
        "load",
        "load_language",
        "publisher_warranty_url",
        "quiet",
        "root_path",
        "save",
        "shell_interface",
        "stop_after_init",
        "test_enable",
        "update",
    }
)
PREFIX = "CONNECTOR_"
SECTIONS = ("options", "queue")
#: Variables of that prefix that are no keys: the file's name, and how servers are found and run.
OWN_VARIABLES = frozenset(
    PREFIX + name for name in ("CONFIG", "TRACEBACK", "PG_BIN", "REDIS_BIN", "RUN_AS")
)

#: Key -> raw value and the place it was found in.
Found = dict[str, tuple[str, str]]

#: Known key -> the section of the file that it belongs to.
Options = Mapping[str, str]


def read_file(path: str | os.PathLike[str], options: Options) -> Found:
    # No interpolation: a password may hold a percent sign.
    parser = configparser.RawConfigParser(default_section="", strict=True)
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as stream:
            parser.read_file(stream)
    except OSError as error:
        raise ConfigurationError(
            f"Cannot read the configuration file {os.fspath(path)!r}: {error.strerror}. "
            "Name another with -c or CONNECTOR_CONFIG, or leave both out."
        ) from error
    except (configparser.Error, UnicodeDecodeError) as error:
        # Without the error's own text and without its cause: both quote the line.
        raise ConfigurationError(f"{path} is not an INI file: {_fault(error)}.") from None
    found: Found = {}
    for section in parser.sections():
        if section in SECTIONS:
            found.update(_read_section(section, dict(parser.items(section)), str(path), options))
        else:
            _refuse_if_misspelt(f"section [{section}] in {path}", section, SECTIONS)
    return found


def _read_section(section: str, items: Mapping[str, str], path: str, options: Options) -> Found:
    found: Found = {}
    for key, raw in items.items():
        place = f"{path} [{section}]"
        if key.replace("-", "_") in COMMAND_LINE_ONLY:
            raise ConfigurationError(
                f"{key!r} in {place}: it is for the command line only. Take it out of the file."
            )
        if options.get(key) != section:
            raise _unknown(key, place, options)
        found[key] = raw.strip(), place
    return found


def read_environ(environ: Mapping[str, str], options: Options) -> Found:
    found: Found = {}
    for name, raw in environ.items():
        key = name.removeprefix(PREFIX).lower()
        if name in ("DATABASE_URL", "REDIS_URL"):
            # CONNECTOR_REDIS_URL says it more closely than REDIS_URL, whatever their order.
            if raw and f"{PREFIX}{name}" not in environ:
                found[name.lower()] = raw, name
        elif name.startswith(PREFIX) and key in options:
            found[key] = raw, name
        elif name.startswith(PREFIX) and name not in OWN_VARIABLES:
            # Other programs, and addons, have variables of this prefix too.
            _refuse_if_misspelt(f"variable {name}", key, options)
    return found


def read_command_line(given: Mapping[str, object], options: Options) -> Found:
    found: Found = {}
    for key, value in given.items():
        if key not in options:
            raise _unknown(key, "the command line", options)
        if value is not None:
            found[key] = str(value), "the command line"
    return found


def _fault(error: Exception) -> str:
    numbers = [number for number, _ in getattr(error, "errors", ())]
    line = numbers[0] if numbers else getattr(error, "lineno", None)
    where = f" in line {line}" if line else ""
    return f"{type(error).__name__}{where}"


def _unknown(key: str, place: str, options: Options) -> ConfigurationError:
    near = difflib.get_close_matches(key, options, n=1, cutoff=0)[0]
    section = options[near]
    return ConfigurationError(
        f"Unknown key {key!r} in {place}. The nearest known one is {near!r} in [{section}]."
    )


def _refuse_if_misspelt(what: str, name: str, known: Iterable[str]) -> None:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.75)
    if near:
        raise ConfigurationError(f"Unknown {what}. Is {near[0]!r} meant?")
