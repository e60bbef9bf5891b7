"""
Channels in memory, by the names of 8.0: what would run of jobs that one tells of.

The dispatcher keeps nothing in memory and has its order and seats from the table of jobs.  This
is the same tree for whoever wants to know beforehand how a configuration works:

    manager = ChannelManager()
    manager.simple_configure("root:4,shop:2,shop.orders:1:sequential")
    manager.notify("db", "shop.orders", uuid, seq, date_created, priority, eta, "pending")
    list(manager.get_jobs_to_run(now))
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from connector.exception import ChannelNotFound, ChannelSettingsError
from connector.queue.channel_grammar import ROOT, full_name, parse_simple_config
from connector.queue.channel_queue import ChannelJob, ChannelQueue, SafeSet
from connector.queue.state import SEATED, State

logger = logging.getLogger(__name__)


class Channel:
    """
    One channel of the tree: its jobs that wait, run and have failed, with those from below.

    A job that a channel lets go waits in the channel above it, until `root` lets it run.
    """

    def __init__(
        self,
        name: str,
        parent: Channel | None,
        capacity: int | None = None,
        sequential: bool = False,
        throttle: float = 0,
    ) -> None:
        self.name = name
        self.parent = parent
        self.children: dict[str, Channel] = {}
        if parent is not None:
            parent.children[name] = self
        self._queue = ChannelQueue()
        self._running: SafeSet[ChannelJob] = SafeSet()
        self._failed: SafeSet[ChannelJob] = SafeSet()
        self._closed_until: Any = None
        self.configure({"capacity": capacity, "sequential": sequential, "throttle": throttle})

    @property
    def fullname(self) -> str:
        return f"{self.parent.fullname}.{self.name}" if self.parent else self.name

    def configure(self, config: Mapping[str, Any]) -> None:
        """
        Set capacity, sequential and throttle; what is not given has its default.

        Raises:
            ChannelSettingsError: sequential, with a capacity other than 1.
        """
        capacity = config.get("capacity")
        sequential = bool(config.get("sequential", False))
        if sequential and capacity != 1:
            raise ChannelSettingsError(
                f"The channel {self.fullname!r} is sequential and has the capacity {capacity}; "
                "write 1."
            )
        self.capacity = capacity
        self.throttle = float(config.get("throttle") or 0)
        self.sequential = self._queue.sequential = sequential

    def get_subchannel_by_name(self, name: str) -> Channel | None:
        """The channel of that name right below this one."""
        return self.children.get(name)

    def set_pending(self, job: ChannelJob) -> None:
        """The job waits here."""
        if job not in self._queue:
            self.remove(job)
            self._queue.add(job)

    def set_running(self, job: ChannelJob) -> None:
        """The job runs, here and in all channels above."""
        for channel in self._upward():
            channel._queue.remove(job)
            channel._failed.remove(job)
            channel._running.add(job)

    def set_failed(self, job: ChannelJob) -> None:
        """The job has failed; a sequential channel, here or above, stops."""
        for channel in self._upward():
            channel._queue.remove(job)
            channel._running.remove(job)
            channel._failed.add(job)

    def set_done(self, job: ChannelJob) -> None:
        """The job is over."""
        self.remove(job)

    def remove(self, job: ChannelJob) -> None:
        """Forget the job, here and in all channels above."""
        for channel in self._upward():
            channel._queue.remove(job)
            channel._running.remove(job)
            channel._failed.remove(job)

    def get_jobs_to_run(self, now: Any) -> Iterator[ChannelJob]:
        """Let go what may go now, the first one first."""
        for child in self.children.values():
            for job in child.get_jobs_to_run(now):
                self._queue.add(job)
        while self._is_open(now):
            job_ = self._queue.pop(now)
            if job_ is None:
                return
            self._running.add(job_)
            if self.throttle:
                self._closed_until = _later(now, self.throttle)
            yield job_

    def get_wakeup_time(self, wakeup_time: Any = 0) -> Any:
        """When something may go that may not go now; 0 or None when nothing will."""
        if self._closed_until and len(self._queue):
            wakeup_time = min(self._closed_until, wakeup_time or self._closed_until)
        wakeup_time = self._queue.get_wakeup_time(wakeup_time)
        for child in self.children.values():
            wakeup_time = child.get_wakeup_time(wakeup_time)
        return wakeup_time

    def _is_open(self, now: Any) -> bool:
        if self.sequential and self._failed:
            return False
        if self.capacity and len(self._running) >= self.capacity:
            return False
        return self._closed_until is None or now >= self._closed_until

    def _upward(self) -> Iterator[Channel]:
        channel: Channel | None = self
        while channel is not None:
            yield channel
            channel = channel.parent

    def __repr__(self) -> str:
        return f"<Channel {self.fullname} capacity:{self.capacity or 'any'}>"


class ChannelManager:
    """The tree of channels with the jobs that it was told of."""

    def __init__(self) -> None:
        self._root = Channel(ROOT, None)
        self._jobs: dict[str, ChannelJob] = {}

    parse_simple_config = staticmethod(parse_simple_config)

    def simple_configure(self, config_string: str) -> None:
        """Make and set the channels of a configuration text."""
        for config in parse_simple_config(config_string):
            self.get_channel_from_config(config)

    def get_channel_from_config(self, config: Mapping[str, Any]) -> Channel:
        """The channel that an entry of a configuration names, made and set as it says."""
        channel = self.get_channel_by_name(config["name"], autocreate=True)
        channel.configure(config)
        return channel

    def get_channel_by_name(self, channel_name: str | None, autocreate: bool = False) -> Channel:
        """
        The channel of that name, with or without `root.` before it; none means `root`.

        Raises:
            ChannelNotFound: there is none, and none shall be made.
        """
        channel = self._root
        for part in full_name(channel_name).split(".")[1:]:
            found = channel.children.get(part)
            if found is None and not autocreate:
                raise ChannelNotFound(
                    f"There is no channel {channel_name!r}. Name it in the configuration."
                )
            channel = found or Channel(part, channel)
        return channel

    def notify(
        self,
        db_name: str,
        channel_name: str | None,
        uuid: str,
        seq: int,
        date_created: Any,
        priority: int,
        eta: Any,
        state: str | None,
    ) -> None:
        """
        Tell of a job, or of a change of it; a job of an unknown channel is one of `root`.

        Raises:
            ValueError: its database or date changes, or there is no such state.
        """
        known_state = State(state) if state else None
        channel = self._channel_or_root(channel_name, uuid)
        job = self._jobs.get(uuid)
        if job is not None:
            if (job.db_name, job.date_created) != (db_name, date_created):
                raise ValueError(f"Database and date of job {uuid} never change.")
            if (job.channel, job.seq, job.priority, job.eta) != (channel, seq, priority, eta):
                self.remove_job(uuid)
                job = None
        if job is None:
            job = ChannelJob(db_name, channel, uuid, seq, date_created, priority, eta)
            self._jobs[uuid] = job
        if known_state == State.PENDING:
            channel.set_pending(job)
        elif known_state in SEATED:
            channel.set_running(job)
        elif known_state == State.FAILED:
            channel.set_failed(job)
        else:
            self.remove_job(uuid)

    def remove_job(self, uuid: str) -> None:
        """Forget a job."""
        job = self._jobs.pop(uuid, None)
        if job is not None:
            job.channel.set_done(job)

    def remove_db(self, db_name: str) -> None:
        """Forget the jobs of a database."""
        for job in [job for job in self._jobs.values() if job.db_name == db_name]:
            self.remove_job(job.uuid)

    def get_jobs_to_run(self, now: Any) -> Iterator[ChannelJob]:
        """Let go what may go now, the first one first."""
        return self._root.get_jobs_to_run(now)

    def get_wakeup_time(self) -> Any:
        """When something may go that may not go now; 0 or None when nothing will."""
        return self._root.get_wakeup_time()

    def _channel_or_root(self, name: str | None, uuid: str) -> Channel:
        try:
            return self.get_channel_by_name(name)
        except ChannelNotFound:
            logger.warning("Unknown channel %r: job %s goes to root", name, uuid)
            return self._root


def _later(now: Any, seconds: float) -> Any:
    return now + timedelta(seconds=seconds) if isinstance(now, datetime) else now + seconds
