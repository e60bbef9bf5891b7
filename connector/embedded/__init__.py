"""PostgreSQL and Redis (or Valkey) started from wheels, stopped with their last user."""

from connector.embedded.services import Services

__all__ = ["Services"]
