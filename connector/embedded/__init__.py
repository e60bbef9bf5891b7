"""PostgreSQL and Redis (or Valkey) started from wheels, stopped with their last user."""

import sys

if sys.platform == "win32":
    raise ImportError(
        "the connector's processes and servers need Linux or macOS; on Windows, use WSL"
    )

from connector.embedded.services import Services

__all__ = ["Services"]
