"""What Prometheus is told of the queue."""

from __future__ import annotations

import re
import subprocess
import sys
from urllib.request import urlopen

from prometheus_client import CollectorRegistry, generate_latest

from connector.queue import broker, channel_store
from connector.queue.channels import ChannelSettings
from connector.queue.job import delay_many
from queue_worker.discovery import Named
from queue_worker.metrics import QueueCollector


def told(databases, redis):
    registry = CollectorRegistry()
    registry.register(QueueCollector(Named(databases), redis, ()))
    return generate_latest(registry).decode()


def test_figures_are_those_of_the_moment(queue):
    """
    Jobs by channel and state, waits, channels, dispatcher and workers are told as they are now.
    """
    name = queue.database.name
    with queue.database.session() as session:
        delay_many(queue.jobs.fail, session, "x", [(n,) for n in range(3)], channel="root.a")
        channel_store.set_channel(session.cr, ChannelSettings("root.a", capacity=2, paused=True))
        session.cr.execute("UPDATE queue_job SET date_created = date_created - interval '1 min'")

    text = told([name], broker.current())

    assert f'connector_jobs{{channel="root.a",database="{name}",state="pending"}} 3.0' in text
    assert f'connector_channel_capacity{{channel="root.a",database="{name}"}} 2.0' in text
    assert f'connector_channel_paused{{channel="root.a",database="{name}"}} 1.0' in text
    assert f'connector_dispatchers{{database="{name}"}} 0.0' in text
    assert f'connector_asleep{{database="{name}"}} 0.0' in text
    assert "connector_workers 0.0" in text
    waits = re.search(r"connector_oldest_wait_seconds\{[^}]*\} ([\d.]+)", text)
    assert 60 <= float(waits.group(1)) < 120


def test_what_is_away_is_told_and_stops_nothing(queue):
    """
    A database or a Redis that does not answer is a figure of its own.
    """
    away = broker.Broker("unix:///nowhere/redis.sock")

    text = told(["queue_no_such", queue.database.name], away)

    assert 'connector_up{database="queue_no_such"} 0.0' in text
    assert f'connector_up{{database="{queue.database.name}"}} 1.0' in text
    assert "connector_redis_up 0.0" in text


def test_the_command_serves_prometheus(queue):
    """
    `connector metrics` answers at /metrics until it is asked to stop.
    """
    command = [sys.executable, "-m", "connector.cli.main", "metrics", "--port", "0"]
    process = subprocess.Popen(
        [*command, "-d", queue.database.name],
        env=queue.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = process.stdout.readline().split()[-1]
        with urlopen(url) as answer:
            assert f'connector_up{{database="{queue.database.name}"}} 1.0' in answer.read().decode()
    finally:
        process.terminate()
        process.communicate(timeout=15)
    assert process.returncode == 143
