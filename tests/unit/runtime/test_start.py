"""Programs started in this process."""

import importlib
import json
import os
import sys

import pytest

from connector.core.addon import found_addons
from connector.exception import ConfigurationError
from connector.runtime import start_odoo, start_openerp, test_odoo, test_openerp
from connector.runtime.start_openerp import insert_args, main

STARTER = """
import json, os, pathlib, sys
import beside
told = [sys.argv, os.getcwd(), __name__, beside.here]
pathlib.Path("told.json").write_text(json.dumps(told))
sys.exit(7)
"""
TEST_RUN = ["--log-level", "test", "--stop-after-init"]


@pytest.fixture
def starter(tmp_path, monkeypatch):
    """A script that writes down how it was started; `told()` reads it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "openerp-server"
    script.write_text(STARTER)
    (folder / "beside.py").write_text("here = True\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(sys, "argv", ["start_openerp", "--user-option"])
    yield script
    sys.modules.pop("beside", None)


def told(starter):
    arguments, folder, name, beside = json.loads((starter.parent / "told.json").read_text())
    assert (os.path.realpath(folder), name, beside) == (
        os.path.realpath(starter.parent),
        "__main__",
        True,
    )
    assert arguments[0] == str(starter)
    return arguments[1:]


def test_arguments_go_behind_the_program(monkeypatch):
    """Arguments are inserted in their order, before those that are there."""
    monkeypatch.setattr(sys, "argv", ["p", "a"])

    insert_args(["-c", "conf"])

    assert sys.argv == ["p", "-c", "conf", "a"]


def test_script_is_started_in_its_own_folder(starter):
    """A script, however it is named, runs as a program in its folder; its code is returned."""
    assert main("bin/openerp-server", "etc/server.conf") == 7

    conf = str(starter.parent.parent / "etc/server.conf")
    assert told(starter) == ["-c", conf, "--user-option"]


@pytest.mark.parametrize(
    ("version", "options"),
    [
        (None, [*TEST_RUN, "--test-enable"]),
        ((8, 0), [*TEST_RUN, "--test-enable"]),
        ((7,), [*TEST_RUN, "--test-enable"]),
        ((6, 1), TEST_RUN),
        ((6,), TEST_RUN),
        ((5, 0), ["--log-level", "info", "--stop-after-init"]),
    ],
)
def test_test_run_has_the_options_of_the_version(starter, version, options):
    """A test run gets the options that a server of the version has for it."""
    main(starter, "/etc/server.conf", version=version, just_test=True)

    assert told(starter) == ["-c", "/etc/server.conf", *options, "--user-option"]


def test_test_program_is_a_test_run(starter):
    """`test_openerp.main` starts the same script with the options of a test run."""
    assert test_openerp.main(starter, "/c") == 7

    assert told(starter) == ["-c", "/c", *TEST_RUN, "--test-enable", "--user-option"]


def test_server_wide_modules_are_loaded(starter):
    """Server-wide modules become one option, unless the command line has it."""
    main(starter, "/c", server_wide_modules=("web", "shop"))
    assert told(starter) == ["-c", "/c", "--load=web,shop", "--user-option"]

    sys.argv[:] = ["start", "--load=base"]
    main(starter, "/c", server_wide_modules=("web",))
    assert told(starter) == ["-c", "/c", "--load=base"]


def test_install_all_names_every_addon(starter):
    """`--install-all` becomes `-i` with all addons that are found."""
    sys.argv[:] = ["start", "--install-all", "--x"]

    main(starter, "/c")

    assert told(starter) == ["-c", "/c", "-i", ",".join(sorted(found_addons())), "--x"]


def test_later_callers_arguments_are_accepted(starter):
    """The path of a script for long polling is accepted; a starter needs none."""
    assert main(starter, "/c", (8, 0), gevent_script_path="bin/gevent") == 7


def test_errors_of_the_script_come_through(starter):
    """An error of the script reaches the caller; a script that ends returns None."""
    starter.write_text("raise LookupError('mine')")
    with pytest.raises(LookupError, match="mine"):
        main(starter, "/c")

    starter.write_text("")
    assert main(starter, "/c") is None


def test_missing_script_is_named(starter):
    """A script that is not there is an error that names it."""
    with pytest.raises(ConfigurationError, match="no-such"):
        main("no-such", "/c")


@pytest.mark.parametrize(("start", "command"), [(start_openerp, "serve"), (test_openerp, "test")])
def test_default_program_is_a_command(monkeypatch, start, command):
    """Without a script, the command line of the connector is run: `serve`, or `test`."""
    seen = []
    module = importlib.import_module(start_openerp.COMMAND)
    monkeypatch.setattr(module, "main", lambda: seen.append(sys.argv[:]) or 5)
    monkeypatch.setattr(sys, "argv", ["start", "--port", "1"])

    assert start.main(None, "/c") == 5

    assert seen == [["start", "-c", "/c", command, "--port", "1"]]


def test_later_names_are_the_same():
    """The later names of the modules give the same functions; the patch modules are empty."""
    assert start_odoo.main is start_openerp.main
    assert start_odoo.insert_args is insert_args
    assert test_odoo.main is test_openerp.main
    for name in ("patch_openerp_v5", "patch_odoo"):
        module = importlib.import_module(f"connector.runtime.{name}")
        # pytest leaves names with @ in the modules of packages that bring a plugin.
        assert not [key for key in vars(module) if not key.startswith(("__", "@"))]
