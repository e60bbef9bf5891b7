"""When throttled channels let a job start last."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from connector.queue.channels import ChannelTree, chain

_LAST_START = "SELECT max(date_enqueued) FROM queue_job WHERE channel = %(channel)s"


def last_start(cr: Any, tree: ChannelTree, name: str) -> datetime | None:
    """When a job of a channel, or of one below it, was handed over last."""
    moments = []
    for channel in tree:
        if name in chain(channel.name):
            cr.execute_unflushed(_LAST_START, {"channel": channel.name})
            moments.append(cr.fetchone()[0])
    return max((moment for moment in moments if moment is not None), default=None)


class ThrottledStarts:
    """
    The last starts of the throttled channels, as the one dispatcher of a database knows them.

    The table tells of those before it, once; a job that comes back forgets its start there.
    """

    def __init__(self) -> None:
        self._starts: dict[str, datetime | None] = {}

    def last(self, cr: Any, tree: ChannelTree) -> dict[str, datetime]:
        """When each throttled channel, or one below it, let a job start last."""
        for channel in tree:
            if channel.throttle and channel.name not in self._starts:
                self._starts[channel.name] = last_start(cr, tree, channel.name)
        return {name: moment for name, moment in self._starts.items() if moment is not None}

    def note(self, tree: ChannelTree, names: Iterable[str], now: datetime) -> None:
        """Jobs of these channels start now."""
        for name in names:
            for channel in tree.chain(name):
                if channel.name in self._starts:
                    self._starts[channel.name] = now
