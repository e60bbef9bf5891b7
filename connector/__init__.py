"""Keeps the records of two systems in step: backends, connector units, bindings, jobs."""

from typing import Any

__version__ = "0.1.0"


def uninstall_hook(cr: Any, registry: Any) -> None:
    """Drop what the queue keeps beside its models; called when the addon is removed."""
    from connector.queue.schema import drop_rest

    drop_rest(cr)
