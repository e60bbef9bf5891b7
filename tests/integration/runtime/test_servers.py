"""The servers of a script that opens a session by itself."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from connector.core import sql
from connector.embedded import Services, keeper, postgres, redis

EMBEDDED = """
from connector.runtime.session import Session

with Session(None, ".") as session:
    session.open("one")
    print(session.cr.dbname, session.is_initialization)
    session.open()
    print(session.cr.dbname, session.is_initialization)
"""
BOTH = """
import os, sys
from connector.core import sql
from connector.core.exceptions import DatabaseMissingError
from connector.core.registry import Registry
from connector.runtime.session import Session

with Session(None, ".") as session:
    session.open("one")
    first = sql.current_server()
    os.environ["DATABASE_URL"] = sys.argv[1]
    other = Session(None, ".")
    try:
        other.open("one")
    except DatabaseMissingError:
        print(sql.current_server() is first, len(Registry.registries))
"""


@pytest.fixture
def data_dir():
    # pytest's own temporary directories are private to this user.
    path = Path(tempfile.mkdtemp(prefix="connector-test-"))
    path.chmod(0o711)
    yield path
    keeper.stop_servers(Services(path).layout)
    shutil.rmtree(path)


@pytest.fixture
def program(data_dir):
    """Runs a program for which no server is configured."""

    def run(text, *arguments):
        urls = {"DATABASE_URL", "REDIS_URL"}
        environ = {name: value for name, value in os.environ.items() if name not in urls}
        return subprocess.run(
            [sys.executable, "-c", text, *arguments],
            env={**environ, "CONNECTOR_DATA_DIR": str(data_dir)},
            capture_output=True,
            text=True,
        )

    return run


def test_script_starts_the_embedded_servers_and_stops_them(program, data_dir):
    """Without URLs a session starts the servers, makes its databases, and stops them at its end."""
    done = program(EMBEDDED)

    assert done.stdout == "one True\nconnector True\n", done.stderr
    layout = Services(data_dir).layout
    assert (postgres.running_pid(layout), redis.running_pid(layout)) == (None, None)


def test_session_on_another_server_leaves_the_first(program, servers):
    """A session that is configured for another server works there, not where the first one did."""
    assert not sql.database_exists("one")

    done = program(BOTH, servers.database_url)

    assert done.stdout == "False 0\n", done.stderr
