"""What the tests of the dispatcher share."""

from __future__ import annotations

from typing import Any

import pytest

from connector.queue import broker


@pytest.fixture
def redis(servers: Any) -> broker.Broker:
    """The broker on an empty Redis, with one live worker."""
    current = broker.current()
    current.redis.flushdb()
    with current.redis.pipeline() as pipeline:
        broker.beat(pipeline, "test")
        pipeline.execute()
    return current
