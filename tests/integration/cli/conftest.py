"""Runs the command line as a user does, against the servers of the tests."""

import os
import subprocess
import sys

import pytest


@pytest.fixture
def connector(servers):
    """Runs `connector …` and gives its status, output and errors."""

    def run(*arguments, **environ):
        urls = {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
        return subprocess.run(
            [sys.executable, "-m", "connector.cli.main", *arguments],
            env={**os.environ, **urls, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    return run
