"""The queue itself: one supervisor with a dispatcher and one worker."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

from connector.queue.job import delay_many
from connector.session import ConnectorSessionHandler

ADDONS = Path(__file__).parents[1] / "queue_addons"
DATABASE = "queue_bench"
MODEL = "res.partner"

COMMAND = [sys.executable, "-m", "connector.cli.main", "worker", "-n", "1", "-d", DATABASE]


def delay(session: Any, function: str, jobs: int) -> None:
    # The addons path names the module.
    bench = importlib.import_module("connector.addons.queue_bench.jobs")
    delay_many(getattr(bench, function), session, MODEL, [(number,) for number in range(jobs)])


def enqueue(function: str, jobs: int) -> None:
    with ConnectorSessionHandler(DATABASE, 1).session() as session:
        session.cr.execute("DELETE FROM queue_job")
        delay(session, function, jobs)


def settings(channels: str) -> dict[str, str]:
    return {
        "CONNECTOR_ADDONS_PATH": os.fspath(ADDONS),
        "CONNECTOR_CHANNELS": channels,
        "CONNECTOR_LOG_LEVEL": "warning",
    }
