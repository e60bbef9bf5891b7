"""A new connector, as its author meets it: written, installed in a fresh venv, tested."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from connector.embedded import Services

ROOT = Path(__file__).parents[2]
SHIPPED = ["connector", "connector_example", "queue_worker"]
FILES = ["setup.cfg", "pyproject.toml", "README.md", "LICENSE", "COPYING"]


def run(folder: Path, *command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh virtual environment in which the package is installed, as a copy."""
    home = tmp_path_factory.mktemp("fresh")
    source = home / "source"
    unneeded = shutil.ignore_patterns("__pycache__", ".*_cache")
    for name in SHIPPED:
        shutil.copytree(ROOT / name, source / name, ignore=unneeded)
    for name in FILES:
        shutil.copy(ROOT / name, source)
    run(home, sys.executable, "-m", "venv", home / "venv")
    programs = home / "venv" / "bin"
    run(home, programs / "pip", "install", "-q", f"{source}[testing]")
    return programs


@pytest.mark.parametrize("options", [[], ["--export"]], ids=["import", "both ways"])
def test_a_new_connector_passes_its_own_tests(
    venv: Path, servers: Services, tmp_path: Path, options: list[str]
) -> None:
    """
    Written by `connector init`, installed by `pip install -e`: its tests, ruff and mypy are green.
    """
    urls = {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
    # One name is short and one is as long as it may be: lines fit, and sort, in both cases.
    name = "zoo" if options else "a_connector_with_a_longish_nam"
    run(tmp_path, venv / "connector", "init", name, *options)
    project = tmp_path / name

    run(project, venv / "pip", "install", "-q", "-e", ".[test]")
    told = run(project, venv / "pytest", **urls)

    assert "passed, 1 skipped" in told
    assert "does not declare find: not tested" in told
    assert (project / "tests" / "test_export.py").exists() is bool(options)
    assert "3 passed" in run(tmp_path, venv / "connector", "test", name, "-k", "import.py", **urls)
    run(project, venv / "ruff", "check")
    run(project, venv / "ruff", "format", "--check")
    # One cache for both: it is the framework that takes the time.
    run(project, venv / "mypy", MYPY_CACHE_DIR=str(venv.parent / "mypy_cache"))
