"""A directory that the servers' own uid can enter, and helpers of the tests of its servers."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest

from connector.embedded import Services, keeper

USER = """
import sys, time
from connector.embedded import Services
with Services(sys.argv[1]) as services:
    print(services.database_url, flush=True)
    {body}
"""


@pytest.fixture(scope="module")
def shared_directory():
    """One directory for the tests of a module: what they start is stopped at its end."""
    with _directory() as directory:
        yield directory


@pytest.fixture
def directory():
    with _directory() as directory:
        yield directory


@contextlib.contextmanager
def _directory():
    # pytest's own temporary directories are private to this user.
    path = Path(tempfile.mkdtemp(prefix="connector-test-"))
    path.chmod(0o711)
    try:
        yield path
    finally:
        keeper.stop_servers(Services(path).layout)
        shutil.rmtree(path)


@pytest.fixture
def user_process():
    """Starts a process that enters the servers' context and runs a line in it."""
    started = []

    def start(directory, body="time.sleep(60)"):
        program = USER.format(body=textwrap.indent(body, "    ").strip())
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(directory)], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline().startswith("postgresql://")
        return process

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


@pytest.fixture
def wait_until():
    """Waits for a truth that another process brings about."""

    def wait(is_true, seconds=10):
        deadline = time.monotonic() + seconds
        while not is_true():
            assert time.monotonic() < deadline, "it does not come true"
            time.sleep(0.02)

    return wait
