"""
A pytest plugin: the example shop as a backend for tests, faults included.

    mock_shop    a running shop, as on its first day

    def test_a_pause_is_waited_for(mock_shop):
        with mock_shop.fault("too_many_requests", kind="artists", times=2):
            ...
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from connector_example.demo.shop_process import ShopProcess


@pytest.fixture(scope="session")
def _shop_process() -> Iterator[ShopProcess]:
    """One process for the whole run: starting it takes a second."""
    from connector_example.demo.shop_process import ShopProcess

    with ShopProcess() as process:
        yield process


@pytest.fixture
def mock_shop(_shop_process: ShopProcess) -> ShopProcess:
    """The example shop: `url`, `token`, `fault()`, `misbehave()`, `change()`, `dump()`."""
    _shop_process.reset()
    return _shop_process
