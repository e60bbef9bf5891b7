"""The models of the addon `connector`, a module per model."""

from connector.models import (
    backend,
    binding,
    checkpoint,
    delaying,
    export_intent,
    import_cursor,
    queue_channel,
    queue_job,
    settings,
    thread,
)

__all__ = [
    "backend",
    "binding",
    "checkpoint",
    "delaying",
    "export_intent",
    "import_cursor",
    "queue_channel",
    "queue_job",
    "settings",
    "thread",
]
