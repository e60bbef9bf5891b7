"""
Starts the server in this process: any script, by default `connector serve`.

The options that the deployment decides go onto the command line, before those of the user.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable
from typing import Any

from connector.core.addon import found_addons
from connector.runtime.script import run_program

__all__ = ["insert_args", "main"]

#: The module behind the command `connector`, by name: it stands above this one.
COMMAND = "connector.cli.main"

INSTALL_ALL = "--install-all"


def insert_args(arguments: Iterable[str]) -> None:
    """Put arguments right behind the program's name in `sys.argv`, in their order."""
    sys.argv[1:1] = arguments


def main(
    starter: str | os.PathLike[str] | None,
    conf: str | os.PathLike[str] | None,
    version: tuple[int, ...] | None = None,
    just_test: bool = False,
    server_wide_modules: Iterable[str] | None = None,
    gevent_script_path: str | None = None,
) -> Any:
    """
    Run the script *starter* as a program, and return its exit code; errors come through.

    Without *starter* it is `connector serve`, with *just_test* `connector test`, to which only
    *conf* and the user's own arguments are given.

    *conf* becomes `-c`, *just_test* the options of a test run of that *version*,
    *server_wide_modules* `--load`, unless the command line has one; `--install-all` there becomes
    `-i` with every addon that is found. *gevent_script_path* is accepted for callers written for
    8.0, and not used: no second process answers long polling here.
    """
    if starter is None:
        _insert_conf(conf, "test" if just_test else "serve")
        return importlib.import_module(COMMAND).main()
    inserted = _test_options(version) if just_test else []
    if server_wide_modules and not any(word.startswith("--load") for word in sys.argv[1:]):
        inserted.append(f"--load={','.join(server_wide_modules)}")
    _replace_install_all()
    _insert_conf(conf, *inserted)
    path = os.path.abspath(starter)
    sys.argv[0] = path
    os.chdir(os.path.dirname(path))
    return run_program(path)


def _insert_conf(conf: str | os.PathLike[str] | None, *others: str) -> None:
    # Absolute, since the working directory changes.
    insert_args([*(("-c", os.path.abspath(conf)) if conf is not None else ()), *others])


def _test_options(version: tuple[int, ...] | None) -> list[str]:
    """Up to 6.1 a server has no option for tests; before 6.0 it has no log level of theirs."""
    level = "info" if version and version[0] < 6 else "test"
    options = ["--log-level", level, "--stop-after-init"]
    return options if version and version[0] < 7 else [*options, "--test-enable"]


def _replace_install_all() -> None:
    if INSTALL_ALL in sys.argv[1:]:
        sys.argv[1:] = [word for word in sys.argv[1:] if word != INSTALL_ALL]
        insert_args(["-i", ",".join(sorted(found_addons()))])
