"""Five hundred jobs while workers, children, dispatchers and servers are killed at random."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

STORM = Path(__file__).parents[2] / "benchmarks" / "storm.py"
SEED = 2026
JOBS = 500
SECONDS = 35
FAULTS = {
    "kill a worker",
    "kill a forked child",
    "kill the worker of a child",
    "kill a job in its statement",
    "kill the dispatchers",
    "kill a supervisor",
    "kill Redis and start it",
    "flush Redis",
    "terminate backends",
    "stop PostgreSQL and start it",
    "kill PostgreSQL and start it",
}


def test_every_job_runs_once_and_in_time_whatever_is_killed(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """
    Each effect is there once, each job in its right state, each killed job started again in time.
    """
    figures = tmp_path / "storm.json"
    limits = ["--duration", str(SECONDS), "--jobs", str(JOBS), "--healthy", "0"]
    ended = subprocess.run(
        [sys.executable, "-P", str(STORM), "--seed", str(SEED), *limits, "--json", str(figures)],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = json.loads(figures.read_text())
    record_property(
        "figure",
        f"storm, seed {SEED}: {told['killed jobs']} jobs killed, "
        f"taken up after {told['taken up after, slowest s']} s at most",
    )
    assert told["wrong"] == []
    assert told["jobs"] >= JOBS
    assert told["killed jobs"] >= 5
    assert set(told["faults"]) == FAULTS
