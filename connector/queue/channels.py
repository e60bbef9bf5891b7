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

from connector.exception import ChannelNotFound, ChannelSettingsError, JobDefinitionError
from connector.queue.channel_grammar import ROOT, full_name, parse_simple_config
from connector.queue.channel_manager import Channel, ChannelManager
from connector.queue.channel_queue import ChannelJob, ChannelQueue, PriorityQueue, SafeSet
from connector.queue.function import check_channel

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
#: A day; whoever wants more pauses the channel.
LONGEST_THROTTLE_SECONDS = 24 * 3600
#: What a key says that has a value; without one it says yes.
FLAGS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


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
    name, capacity = full_name(entry["name"]), entry["capacity"]
    try:
        check_channel(name)
    except JobDefinitionError as error:
        raise ChannelSettingsError(str(error)) from error
    sequential = _flag(entry, "sequential")
    if sequential and capacity != 1:
        raise ChannelSettingsError(
            f"The channel {name!r} is sequential and has the capacity {capacity}; write 1."
        )
    paused, short = (_flag(entry, key) if key in entry else None for key in ("paused", "short"))
    return ChannelSettings(name, capacity, sequential, _throttle(entry), paused, short)


def _throttle(entry: Mapping[str, Any]) -> float:
    text = entry.get("throttle", "0")
    try:
        seconds = float("" if text is True else text)
    except ValueError:
        seconds = -1
    if 0 <= seconds <= LONGEST_THROTTLE_SECONDS:
        return seconds
    raise ChannelSettingsError(
        f"The throttle {text!r} of the channel {entry['name']!r} is no number of seconds."
    )


def _flag(entry: Mapping[str, Any], key: str) -> bool:
    said = entry.get(key, False)
    known = said if isinstance(said, bool) else FLAGS.get(said.lower())
    if known is None:
        raise ChannelSettingsError(
            f"{key}={said} of the channel {entry['name']!r} is neither yes nor no."
        )
    return known


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
