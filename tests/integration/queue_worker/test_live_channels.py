"""Channels that change while workers run: by configuration, by command and in the database."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

SAMPLE = "root.sample"


def connector(queue: Any, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "connector.cli.main", *arguments, "-d", queue.database.name],
        env=queue.environment,
        check=True,
        capture_output=True,
        timeout=60,
    )


def record(queue: Any, **values: Any) -> None:
    with queue.database.env() as env:
        env["queue.job.channel"].search([("complete_name", "=", SAMPLE)]).write(values)


def stays_pending(queue: Any, uuid: str) -> bool:
    """Whether the job still waits after the dispatcher has looked at the channels again."""
    time.sleep(2.2)
    return bool(queue.job(uuid)["state"] == "pending")


def test_channels_change_without_a_restart(queue, tmp_path):
    """
    Running workers follow the configuration's file, the command and the database, each way.
    """
    conffile = tmp_path / "queue.ini"
    conffile.write_text(f"[queue]\nchannels = {SAMPLE}:-1\n")
    queue.environment["CONNECTOR_CONFIG"] = str(conffile)
    closed = queue.delay(queue.jobs.leave_effect, "configured")
    with queue.workers():
        queue.wait_for_state(queue.delay(queue.jobs.find_nothing), "done")  # they are there
        assert stays_pending(queue, closed)
        conffile.write_text("[queue]\nchannels = root.sample:many\n")  # a slip of the hand
        assert stays_pending(queue, closed)
        conffile.write_text(f"[queue]\nchannels = {SAMPLE}:2\n")
        queue.wait_for_state(closed, "done")

        connector(queue, "channels", "pause", "sample")
        paused = queue.delay(queue.jobs.leave_effect, "commanded")
        assert stays_pending(queue, paused)
        connector(queue, "channels", "resume", "sample")
        queue.wait_for_state(paused, "done")

        record(queue, capacity=-1)
        shut = queue.delay(queue.jobs.leave_effect, "recorded")
        assert stays_pending(queue, shut)
        record(queue, capacity=1)
        queue.wait_for_state(shut, "done")

    assert queue.effects() == ["configured", "commanded", "recorded"]
    assert queue.log.read_text().count("The channels stay as they were") == 1
