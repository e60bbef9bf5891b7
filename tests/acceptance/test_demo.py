"""`connector demo` as a user runs it, on servers of its own."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from connector.embedded import Services, keeper
from connector_example.shop.app import BURST, REQUESTS_PER_SECOND

CONNECTOR = [sys.executable, "-m", "connector.cli.main"]
WHOLE_COMMAND_SECONDS = 60
IMPORT_SECONDS = 20

Demo = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    # pytest's own temporary directories are closed to the uid that the servers run as.
    path = Path(tempfile.mkdtemp(prefix="connector-demo-"))
    path.chmod(0o711)
    yield path
    keeper.stop_servers(Services(path).layout)
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def environment(home: Path) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    return given | {"CONNECTOR_DATA_DIR": str(home)}


@pytest.fixture(scope="module")
def demo(environment: dict[str, str]) -> Demo:
    def run(*options: str, **changed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*CONNECTOR, "demo", *options],
            env=environment | changed,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def first_run(demo: Demo) -> tuple[subprocess.CompletedProcess[str], float]:
    start = time.monotonic()
    return demo(), time.monotonic() - start


def row(output: str, kind: str) -> list[int]:
    """The figures of a row: read, created, updated, unchanged, failed, retried."""
    (line,) = [line for line in output.splitlines() if line.startswith(f"│ {kind} ")]
    return [int(figure) for figure in re.findall(r"\d+", line.replace(",", ""))]


def test_the_first_run_imports_everything(first_run):
    """
    6,874 records are created and equal to the shop's, within the time promised.
    """
    result, seconds = first_run

    assert result.returncode == 0, result.stdout + result.stderr
    assert row(result.stdout, "all")[:5] == [6874, 6874, 0, 0, 0]
    assert row(result.stdout, "tracks")[:2] == [3503, 3503]
    assert row(result.stdout, "invoice_lines")[:2] == [2240, 2240]
    assert "all 6,874 records are bound once and equal" in result.stdout
    assert seconds < WHOLE_COMMAND_SECONDS


def test_the_shop_sets_the_pace(first_run):
    """
    About a hundred requests suffice, and no more get through than the shop allows.
    """
    found = re.search(
        r"([\d.]+) s, .* records/s; (\d+) requests, (\d+) answered 429", first_run[0].stdout
    )

    assert found
    seconds, requests, throttled = float(found[1]), int(found[2]), int(found[3])
    assert 104 <= requests <= 150
    # On a machine that is slower than the shop nobody has to be told to wait.
    assert throttled >= 1 or requests <= BURST + REQUESTS_PER_SECOND * (seconds + 1)
    assert seconds < IMPORT_SECONDS


def test_without_a_terminal_progress_is_plain_lines(first_run):
    """
    Piped output has no control characters, and tells how far the import is.
    """
    assert "\x1b" not in first_run[0].stdout
    assert re.search(r"s  6,874 of 6,874  \d+/s", first_run[0].stdout)


def test_a_second_run_changes_nothing(first_run, demo: Demo):
    """
    Run again, everything is unchanged.
    """
    result = demo()

    assert result.returncode == 0, result.stdout + result.stderr
    assert row(result.stdout, "all")[:5] == [6874, 0, 0, 6874, 0]


def test_changes_of_the_shop_are_updates(first_run, demo: Demo):
    """
    25 changes make 25 updates, spread over all nine kinds, and stay in the shop.
    """
    changed = demo("--change", "25")
    afterwards = demo()

    assert changed.returncode == 0, changed.stdout + changed.stderr
    assert row(changed.stdout, "all")[:5] == [6874, 0, 25, 6849, 0]
    assert row(changed.stdout, "invoice_lines")[2] in (2, 3)
    assert row(afterwards.stdout, "all")[:5] == [6874, 0, 0, 6874, 0]


def test_killed_workers_and_a_killed_redis_lose_nothing(first_run, demo: Demo):
    """
    Three workers and Redis end by kill -9 while jobs are started; every record is still right.
    """
    result = demo("--kill", "--database", "connector_demo_killed")

    assert result.returncode == 0, result.stdout + result.stderr
    report = result.stdout[result.stdout.index("answered 429") :]
    assert len(re.findall(r"kill -9 at [\d.]+ s: worker \d+, while job \w+", report)) == 3
    assert len(re.findall(r"kill -9 at [\d.]+ s: Redis \d+, while job \w+", report)) == 1
    assert row(result.stdout, "all")[:5] == [6874, 6874, 0, 0, 0]
    assert row(result.stdout, "all")[5] >= 1


def test_a_second_demo_beside_the_first_is_told_so(
    first_run, demo: Demo, environment: dict[str, str]
):
    """
    The second one ends at once with one message; the first one goes on undisturbed.
    """
    command = [*CONNECTOR, "demo"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        while "database" not in first.stdout.readline():
            pass
        second = demo()
        told, _ = first.communicate(timeout=WHOLE_COMMAND_SECONDS)

    assert second.returncode == 1
    assert "Another `connector demo` works in the database 'connector_demo'" in second.stderr
    assert len(second.stderr.splitlines()) == 1
    assert first.returncode == 0, told


@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_an_interrupted_demo_leaves_no_process_and_the_next_one_goes_on(
    demo: Demo, environment: dict[str, str], number: signal.Signals, status: int
):
    """
    Killed or stopped by Ctrl-C in its import, a demo ends with its shop and its workers; run
    again, everything is right.
    """
    database = f"connector_demo_{number.name.lower()}"
    command = [*CONNECTOR, "demo", "--database", database]
    # A shell starts what it puts into the background deaf to Ctrl-C, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None
        while "artists" not in first.stdout.readline():
            pass
        first.send_signal(number)
        first.stdout.read()

    assert first.returncode == status
    deadline = time.monotonic() + 20
    while processes_of(database):
        assert time.monotonic() < deadline, processes_of(database)
        time.sleep(0.2)

    again = demo("--database", database)
    assert again.returncode == 0, again.stdout + again.stderr
    assert row(again.stdout, "all")[0] == 6874


def processes_of(database: str) -> list[list[str]]:
    """The command lines of the shop and the workers of a demo."""
    lines = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            lines.append(process.cmdline())
    return [line for line in lines if any(database in part for part in line)]


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:9/nowhere"),
        ("REDIS_URL", "redis://:secret@127.0.0.1:9/0"),
    ],
)
def test_a_server_that_cannot_be_reached_is_named(demo: Demo, name: str, url: str):
    """
    One message says which server did not answer and where; no traceback, no password.
    """
    result = demo(**{name: url})

    assert result.returncode == 1
    assert "127.0.0.1" in result.stderr
    assert name in result.stderr
    assert "secret" not in result.stdout + result.stderr
    assert "Traceback" not in result.stderr
