"""What the acceptance tests share: a home for servers of their own."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def servers_home() -> Iterator[Path]:
    """A data directory that the servers' own user can enter, which pytest's is not for root's."""
    home = Path(tempfile.mkdtemp(prefix="connector-", dir="/var/tmp"))
    home.chmod(0o711)
    yield home
    shutil.rmtree(home)
