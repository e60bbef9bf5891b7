"""What an entry point does around its work."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from connector.embedded import Services, keeper, postgres, redis

PROGRAM = """
import os, signal
from connector.cli.entry import check_servers, open_servers
from connector.config import Config

with open_servers(Config.load()) as services:
    check_servers()
    print("open", flush=True)
    signal.pause()
"""


@pytest.fixture
def data_dir():
    # pytest's own temporary directories are private to this user.
    path = Path(tempfile.mkdtemp(prefix="connector-test-"))
    path.chmod(0o711)
    yield path
    keeper.stop_servers(Services(path).layout)
    shutil.rmtree(path)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_embedded_servers_end_with_the_command(data_dir, number, status):
    """Without URLs the servers are started; they stop with the command, however it ends."""
    urls = {"DATABASE_URL", "REDIS_URL"}
    environ = {name: value for name, value in os.environ.items() if name not in urls}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env={**environ, "CONNECTOR_DATA_DIR": str(data_dir)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process, contextlib.ExitStack() as stack:
        stack.callback(process.kill)
        assert process.stdout.readline() == "open\n"
        layout = Services(data_dir).layout
        assert postgres.running_pid(layout)
        assert redis.running_pid(layout)

        process.send_signal(number)

        assert process.wait(20) == status
    with Services(data_dir):
        pass  # waits for a keeper that is at work
    assert (postgres.running_pid(layout), redis.running_pid(layout)) == (None, None)
