"""The models of the addon `connector`, a module per model."""

from connector.models import (
    backend,
    binding,
    checkpoint,
)

__all__ = [
    "backend",
    "binding",
    "checkpoint",
]
