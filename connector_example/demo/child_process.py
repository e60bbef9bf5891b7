"""Ends the processes that the demo starts: they all take the end of their input for a farewell."""

import subprocess
from typing import Any


def say_farewell(process: subprocess.Popen[Any], patience_seconds: float) -> None:
    """
    Close the input of *process* and wait until it has ended, then close its output.

    One that takes longer is killed; a second time does nothing.
    """
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(patience_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
