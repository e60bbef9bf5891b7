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
from connector.models import queue_channel as queue_channel
from connector.models import queue_job as queue_job
