"""A budget of calls that processes share, with Redis and without."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest

from connector.exception import BackendUnreachableError, JobDefinitionError, RateLimitError
from connector.queue import broker, rate_budget
from connector.queue.rate_budget import LocalBucket, RateBudget
from connector.unit.http_client import HttpClient

#: Takes so many tokens, and tells when each was there.
TAKE = """
import sys, time
from connector.queue import broker
from connector.queue.rate_budget import RateBudget
broker.use_redis(sys.argv[1])
budget = RateBudget("shared", float(sys.argv[2]), 5)
for _ in range(int(sys.argv[3])):
    budget.take(60)
    print(time.time())
"""


@pytest.fixture
def redis(servers: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The broker on an empty Redis, and a process that remembers nothing."""
    current = broker.Broker(servers.redis_url)
    current.redis.flushdb()
    monkeypatch.setattr(broker, "_broker", current)
    monkeypatch.setattr(rate_budget, "_away", rate_budget._Away())
    monkeypatch.setattr(rate_budget, "_buckets", {})
    return current


def test_processes_share_one_budget(servers, redis):
    """
    Three processes that take as fast as they can get the burst, and then the rate together.
    """
    command = [sys.executable, "-c", TAKE, servers.redis_url, "20", "15"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    moments = sorted(float(line) for each in processes for line in each.communicate()[0].split())

    assert len(moments) == 45
    assert moments[-1] - moments[0] >= (45 - 5) / 20 - 0.2
    for first, later in zip(moments, moments[25:], strict=False):
        assert later - first >= 0.9  # never more than the burst and a second's rate at once


def test_a_turn_that_is_far_away_is_not_waited_for(redis):
    """
    A wait beyond the longest is an error that brings the job back, and spends nothing.
    """
    budget = RateBudget("slow", 0.1)
    assert budget.take() == 0
    for _ in range(3):
        with pytest.raises(RateLimitError, match="'slow' of 0.1 calls a second") as raised:
            budget.take(1)
        assert 9 < raised.value.seconds <= 10
        assert raised.value.ignore_retry
    assert 0 < redis.redis.ttl("connector:budget:slow") <= 12


def test_without_redis_each_process_spends_its_share(redis, monkeypatch, caplog):
    """
    With Redis away the rate is divided by the workers seen last, and no burst is given.
    """
    with redis.redis.pipeline() as pipeline:
        for name in "abcd":
            broker.beat(pipeline, name)
        pipeline.execute()
    budget = RateBudget("key", 100, 50)
    assert budget.take() == 0  # four workers are seen
    monkeypatch.setattr(broker, "_broker", broker.Broker("unix:///nowhere/redis.sock"))

    begun = time.monotonic()
    waits = [budget.take() for _ in range(10)]

    assert all(waits)
    assert time.monotonic() - begun >= 10 / (100 / 4) - 0.02
    assert caplog.text.count("without Redis") == 1


def test_redis_is_asked_again_after_a_while(redis, monkeypatch):
    """
    After an outage the budget is that of all again.
    """
    monkeypatch.setattr(broker, "_broker", broker.Broker("unix:///nowhere/redis.sock"))
    budget = RateBudget("key", 1000)
    budget.take()
    monkeypatch.setattr(broker, "_broker", redis)
    budget.take()
    assert not redis.redis.exists("connector:budget:key")
    monkeypatch.setattr(rate_budget._away, "until", 0.0)
    budget.take()
    assert redis.redis.exists("connector:budget:key")


def test_a_local_bucket_fills_at_its_rate():
    """
    A bucket begins empty, fills up to its burst and no further, and lends one token at a time.
    """
    now = [0.0]
    bucket = LocalBucket(lambda: now[0])
    assert bucket.take(2, 3, 0.1) == (False, 0.5)
    assert bucket.take(2, 3, 1) == (True, 0.5)
    now[0] = 100.0
    assert [bucket.take(2, 3, 0.1)[0] for _ in range(4)] == [True, True, True, False]


def test_a_client_of_a_backend_sends_nothing_beyond_its_budget(redis):
    """
    Each request of a client takes its turn; where that is far away nothing is sent.
    """
    client = HttpClient("http://127.0.0.1:1", budget=RateBudget("shop", 0.01))

    with pytest.raises(BackendUnreachableError):
        client.get("orders")
    with pytest.raises(RateLimitError, match="'shop'"):
        client.get("orders")
    assert client.requests == 1


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0)])
def test_a_budget_that_gives_nothing_is_refused(rate, burst):
    """
    A rate of zero or a burst below one is an error at once.
    """
    with pytest.raises(JobDefinitionError, match="'key'"):
        RateBudget("key", rate, burst)
