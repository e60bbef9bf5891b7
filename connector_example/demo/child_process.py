"""What the processes have in common that the demo starts: their servers, and how they end."""

import os
import subprocess
from typing import Any

from connector.embedded import Services


def environment(services: Services) -> dict[str, str]:
    """
    This process's own, with the servers.

    A URL may hold a password, and a command line is public.
    """
    urls = {"DATABASE_URL": services.database_url, "REDIS_URL": services.redis_url}
    return os.environ | urls


def say_farewell(process: subprocess.Popen[Any], patience_seconds: float) -> None:
    """
    Close the input of *process*, its farewell, and wait until it has ended, then close its output.

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
