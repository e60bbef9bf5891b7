"""Recording HTTP from the command line of pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.testing import FakeApi

TOKEN = "tok-3f9a7c51"


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi({"customers": [{"id": 1, "name": "Ada"}]}, token=TOKEN) as api:
        yield api


TEST_FILE = """
import requests

def test_customer(recorded_http):
    url = {url!r} + "/customers/1"
    answer = requests.get(url, headers={{"Authorization": "Bearer {token}"}}, timeout=5)
    assert answer.json()["name"] == "Ada"
"""


def test_the_fixture_records_on_request_and_never_in_ci(api: FakeApi, tmp_path: Path) -> None:
    """Without a cassette the test fails; `--record-http` makes it; in CI that is refused."""
    (tmp_path / "pytest.ini").write_text("[pytest]")
    (tmp_path / "test_shop.py").write_text(TEST_FILE.format(url=api.url, token=TOKEN))

    def run(*options: str, **environment: str) -> tuple[int, str]:
        outside = {name: text for name, text in os.environ.items() if name != "CI"}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
        done = subprocess.run(
            command, cwd=tmp_path, env=outside | environment, capture_output=True, text=True
        )
        return done.returncode, done.stdout + done.stderr

    status, told = run()
    assert (status, "There is no cassette" in told) == (1, True)
    status, told = run("--record-http", CI="true")
    assert (status, "CI replays and never records" in told) == (4, True)
    assert api.requests == []

    assert run("--record-http")[0] == 0
    assert len(api.requests) == 1
    cassette = tmp_path / "cassettes" / "test_shop" / "test_customer.yaml"
    assert TOKEN not in cassette.read_text()
    assert run(CI="true")[0] == 0
    assert len(api.requests) == 1
