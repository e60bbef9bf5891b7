"""`connector test`: the tests of an addon, run by pytest with the fixtures of its plugin."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import click

from connector.config import current
from connector.core import addon
from connector.core.modules.manifest import manifest_of
from connector.testing import addon_names

TESTS = "tests"


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("addon_name", metavar="ADDON")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(addon_name: str, arguments: Sequence[str]) -> int:
    """
    Run the tests of ADDON, in databases that have it installed.

    They are in its folder `tests`, or beside it in the project that `connector init` has written.

    ARGUMENTS go to pytest, such as `-k partner -x`. The exit status is that of pytest.
    """
    if find_spec("pytest") is None:
        raise click.ClickException(
            "Tests are run by pytest, which is missing: pip install 'connector[test]'."
        )
    import pytest

    addon.use_addons_path(current().addons_path)
    manifest = manifest_of(addon_name)
    folder = _tests_of(Path(manifest.path))
    if folder is None:
        raise click.ClickException(
            f"The addon {addon_name!r} has no tests: there is no folder "
            f"{Path(manifest.path) / TESTS}."
        )
    addon_names.alias(Path(manifest.path), manifest.package)
    options = [
        "--import-mode=importlib",
        f"--override-ini=connector_addons={addon_name}",
        # This command has imported the package before pytest could look at its plugins.
        "-Wignore:Module already imported:pytest.PytestAssertRewriteWarning",
    ]
    return int(pytest.main([*options, *arguments, str(folder)]))


def _tests_of(package: Path) -> Path | None:
    """Give the folder of an addon's tests: in its package, else beside it in its project."""
    if (package / TESTS).is_dir():
        return package / TESTS
    project = package.parent
    is_project = (project / "pyproject.toml").is_file() and (project / TESTS).is_dir()
    return project / TESTS if is_project else None
