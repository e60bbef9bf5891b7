"""The README is true: its first command and its forty lines, run as they stand there."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()

#: Lines that come as often as the machine's speed has it.
PROGRESS = re.compile(r"\s*[\d.]+ s {2}[\d,]+ of ")


@dataclass(frozen=True)
class Step:
    """A command of the README, and the output that stands below it."""

    command: str
    output: list[str]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def steps(block: str) -> list[Step]:
    found: list[Step] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(Step(line[2:], []))
        else:
            found[-1].output.append(line)
    return found


def shape(lines: list[str]) -> list[str]:
    """Lines without progress, each with its numbers, times and runs of blanks made equal."""
    kept = [line for line in lines if line.strip() and not PROGRESS.match(line)]
    return [re.sub(r"[\s─━]+", " ", re.sub(r"\d[\d.,]*", "#", line)).strip() for line in kept]


FIRST, SECOND, SHOP, SYNC = [steps(block) for block in blocks("console")]
MANIFEST, FORTY_LINES = blocks("python")


@pytest.fixture(scope="module")
def clone() -> Iterator[Path]:
    """A clean copy of what git keeps, where the servers' own user may enter."""
    home = Path(tempfile.mkdtemp(prefix="connector-readme-", dir="/var/tmp"))
    home.chmod(0o711)
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, tracked.stdout.split("\0")):
        target = home / "clone" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    yield home / "clone"
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def environment(clone: Path) -> dict[str, str]:
    """The user's environment: no servers given, no other virtual environment in the way."""
    unwanted = ("_URL", "VIRTUAL_ENV", "PYTHONPATH", "COVERAGE")
    kept = {name: value for name, value in os.environ.items() if not name.endswith(unwanted)}
    return {**kept, "CONNECTOR_DATA_DIR": str(clone.parent / "data")}


@pytest.fixture(scope="module")
def first_command(clone: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return shell(FIRST[0].command, clone, environment)


def shell(
    command: str, directory: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_the_first_command_sets_everything_up_and_imports_the_shop(
    first_command: subprocess.CompletedProcess[str],
) -> None:
    """
    On a clean clone the first command prints what the README shows, but for numbers.
    """
    assert first_command.returncode == 0, first_command.stdout + first_command.stderr
    assert shape(first_command.stdout.splitlines()) == shape(FIRST[0].output)


def test_forty_lines_are_a_connector(
    first_command: subprocess.CompletedProcess[str], clone: Path, environment: dict[str, str]
) -> None:
    """
    The forty lines, put where the README says, do what it says.
    """
    assert len([line for line in FORTY_LINES.splitlines() if line.strip()]) <= 40
    addon = clone / "acme"
    addon.mkdir()
    (addon / "__manifest__.py").write_text(MANIFEST)
    (addon / "__init__.py").write_text(FORTY_LINES)
    environment = {**environment, "CONNECTOR_ADDONS_PATH": str(clone)}
    shop = subprocess.Popen(
        ["sh", "-c", f"exec env {SHOP[0].command}"],
        cwd=clone,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert shop.stdout is not None
        assert shop.stdout.readline().split() == SHOP[0].output
        for step in SYNC:
            done = shell(step.command, clone, environment)
            assert done.returncode == 0, done.stdout + done.stderr
            assert shape(done.stdout.splitlines()) == shape(step.output), step.command
    finally:
        shop.communicate("", timeout=30)


def test_the_second_command_is_the_one_that_ci_runs() -> None:
    """
    `.ci/run` is the run of the README's second command.
    """
    (second,) = SECOND
    script = (ROOT / ".ci" / "run").read_text()

    for part in re.findall(r"\.venv/bin/\S+ ?[^&]*", second.command):
        assert part.strip() in script
