"""
Channels: how many jobs of which kind run side by side.

Channels are a tree below `root`.  A job takes a seat in its own channel and in every channel
above it.  A channel without a capacity has any number of seats.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from connector.exception import ChannelNotFound, ChannelSettingsError
from connector.queue.channel_grammar import ROOT, full_name, parse_simple_config
from connector.queue.channel_manager import Channel, ChannelManager
from connector.queue.channel_queue import ChannelJob, ChannelQueue, PriorityQueue, SafeSet

__all__ = [
    "JOBS_PER_WORKER",
    "ROOT",
    "SHORT_GROUP",
    "Channel",
    "ChannelJob",
    "ChannelManager",
    "ChannelNotFound",
    "ChannelQueue",
    "ChannelSettings",
    "ChannelTree",
    "PriorityQueue",
    "SafeSet",
    "Seats",
    "chain",
    "full_name",
    "parse_simple_config",
    "settings_from_text",
]

#: Jobs of a channel without capacity that wait in Redis or run, per live worker.
JOBS_PER_WORKER = 4
#: Jobs of a short channel that a worker takes at a time; each counts as much less there.
SHORT_GROUP = 25


@dataclass(frozen=True)
class ChannelSettings:
    """What is set for one channel; None leaves a setting to a weaker source."""

    name: str
    #: Seats; 0 is any number, below zero is none at all.
    capacity: int | None = None
    #: One job after the other, and none while a job of the channel is failed.
    sequential: bool | None = None
    #: Least seconds between two starts.
    throttle: float | None = None
    #: Nothing starts.
    paused: bool | None = None
    #: Jobs are so short that a worker takes several at a time.
    short: bool | None = None

    @property
    def seats(self) -> int | None:
        """Seats that hold: a sequential channel has one, whatever it is given; None is any."""
        if self.sequential and (self.capacity or 0) >= 0:
            return 1
        return self.capacity or None


def settings_from_text(text: str) -> list[ChannelSettings]:
    """
    The channels that a configuration text describes.

    `root` alone gives no capacity: a configuration that only names the tree's top limits
    nothing.

    Raises:
        ChannelSettingsError: the text cannot be read, or contradicts itself.
    """
    if text.strip() == ROOT:
        return [ChannelSettings(ROOT)]
    return [_checked_settings(entry) for entry in parse_simple_config(text)]


def _checked_settings(entry: Mapping[str, Any]) -> ChannelSettings:
    name, capacity = entry["name"], entry["capacity"]
    sequential = bool(entry.get("sequential"))
    if sequential and capacity != 1:
        raise ChannelSettingsError(
            f"The channel {name!r} is sequential and has the capacity {capacity}; write 1."
        )
    try:
        throttle = float(entry.get("throttle") or 0)
    except ValueError:
        raise ChannelSettingsError(
            f"The throttle {entry['throttle']!r} of the channel {name!r} is no number."
        ) from None
    short = bool(entry["short"]) if "short" in entry else None
    return ChannelSettings(full_name(name), capacity, sequential, throttle, short=short)


def chain(name: str) -> Iterator[str]:
    """A channel and all above it, `root` last."""
    while name:
        yield name
        name = name.rpartition(".")[0]


@dataclass
class ChannelTree:
    """All known channels with their settings; the source that is added last wins."""

    _channels: dict[str, ChannelSettings] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._channels.setdefault(ROOT, ChannelSettings(ROOT))

    def add(self, settings: Iterable[ChannelSettings]) -> None:
        """Set what *settings* set; channels above them come into being without settings."""
        for new in settings:
            for name in chain(new.name):
                self._channels.setdefault(name, ChannelSettings(name))
            given = {
                key: value
                for key, value in vars(new).items()
                if value is not None and key != "name"
            }
            self._channels[new.name] = replace(self._channels[new.name], **given)

    def __contains__(self, name: str) -> bool:
        return name in self._channels

    def __iter__(self) -> Iterator[ChannelSettings]:
        return iter(self._channels.values())

    def settings(self, name: str) -> ChannelSettings:
        """The settings of a channel; an unknown one is `root`."""
        return self._channels.get(name) or self._channels[ROOT]

    def chain(self, name: str) -> list[ChannelSettings]:
        """The settings of a channel and of all above it; an unknown one is `root`."""
        known = name if name in self._channels else ROOT
        return [self._channels[above] for above in chain(known)]


class Seats:
    """The free seats of a tree at one moment; `take` uses them up."""

    def __init__(
        self,
        tree: ChannelTree,
        *,
        taken: Mapping[str, int],
        failed: Iterable[str],
        last_starts: Mapping[str, datetime],
        workers: int,
        now: datetime,
    ) -> None:
        self._tree = tree
        self._leaf_taken = Counter(taken)
        self._taken: Counter[str] = Counter()
        for name, jobs in taken.items():
            self._count(name, jobs)
        self._failed = {above.name for name in failed for above in tree.chain(name)}
        self._last_starts = dict(last_starts)
        self._workers = workers
        self._now = now
        # Filled up in groups: the half that is left keeps every worker busy meanwhile.
        self._well_filled = {
            name for name, jobs in taken.items() if 2 * jobs > self._limit(name) > 0
        }

    def free(self, name: str) -> int:
        """How many more jobs of a channel may start now."""
        if name in self._well_filled:
            return 0
        rooms = [self._room(channel) for channel in self._tree.chain(name)]
        limits = [room for room in rooms if room is not None]
        if limits:
            return max(0, min(limits))
        return max(0, self._limit(name) - self._leaf_taken[name])

    def take(self, name: str) -> bool:
        """Take a seat in a channel and all above it; False when there is none."""
        if not self.free(name):
            return False
        self._leaf_taken[name] += 1
        self._count(name, 1)
        self._last_starts.update({above.name: self._now for above in self._tree.chain(name)})
        return True

    def _limit(self, name: str) -> int:
        """Jobs that are handed over where no capacity says how many."""
        group = SHORT_GROUP if self._tree.settings(name).short else 1
        return JOBS_PER_WORKER * self._workers * group

    def _count(self, name: str, jobs: int) -> None:
        for above in self._tree.chain(name):
            self._taken[above.name] += jobs

    def _room(self, channel: ChannelSettings) -> int | None:
        if channel.paused or (channel.sequential and channel.name in self._failed):
            return 0
        room = channel.seats - self._taken[channel.name] if channel.seats else None
        if not channel.throttle:
            return room
        last = self._last_starts.get(channel.name)
        if last is not None and self._now - last < timedelta(seconds=channel.throttle):
            return 0
        return 1 if room is None else min(1, room)
