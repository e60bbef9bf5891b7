"""
The supervisor: one dispatcher and N workers as child processes, each replaced when it ends.

It loads the registries, so that a new child has them at once, and closes every connection
before it forks: a child opens its own.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any

from connector.config import Config
from connector.core import sql
from connector.core.registry import Registry
from connector.queue import broker
from connector.queue.configured_channels import ConfiguredChannels
from queue_worker.discovery import Databases
from queue_worker.dispatching import dispatch
from queue_worker.forking import ForkingWorker
from queue_worker.worker import Worker

logger = logging.getLogger(__name__)

#: A child that ends sooner than this after its start is replaced only after this time.
RESPAWN_SECONDS = 1.0
#: Time for running jobs to end after a stop is asked for; then they are given back.
GRACE_SECONDS = 30.0
#: Time for a job to be given back; then the process is killed, and the sweep does it.
FORCE_SECONDS = 5.0

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_fork = multiprocessing.get_context("fork")


@dataclass
class Slot:
    """A place for one child process."""

    name: str
    main: Callable[[], None]
    process: BaseProcess | None = None
    started: float = field(default=0.0)

    def keep_filled(self) -> None:
        """Start the child where there is none, not faster than `RESPAWN_SECONDS`."""
        if self.process is not None and not self.process.is_alive():
            logger.warning("%s ended (%s)", self.label, self.process.exitcode)
            self.process = None
        if self.process is None and time.monotonic() - self.started >= RESPAWN_SECONDS:
            self.started = time.monotonic()
            self.process = _fork.Process(target=_begin, args=(self.main,), name=self.name)
            # A signal that came before the child has its own handlers would be heard by nobody.
            before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
            try:
                self.process.start()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            logger.info("%s started", self.label)

    @property
    def label(self) -> str:
        return f"{self.name} (pid {self.process.pid})" if self.process else self.name

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.is_alive() and self.process.pid:
            os.kill(self.process.pid, number)


class Supervisor:
    """Keeps dispatcher and workers alive until it is told to stop."""

    def __init__(
        self,
        config: Config,
        databases: Databases,
        workers: int,
        *,
        fork: bool = False,
        is_idle: Callable[[], bool] | None = None,
        leash: int | None = None,
    ) -> None:
        self._config = config
        self._databases = databases
        self._worker_class = ForkingWorker if fork else Worker
        self._is_idle = is_idle
        #: A file descriptor; its end is a reason to stop.
        self._leash = leash
        self._stopping = False
        self._wake_reader, self._wake_writer = os.pipe()
        self._slots = [Slot("dispatcher", self._dispatch)]
        self._slots += [Slot(f"worker {n}", self._work) for n in range(1, workers + 1)]

    def run(self) -> None:
        """Run until SIGTERM or SIGINT, or until idle where that is asked for."""
        for number in STOP_SIGNALS:
            signal.signal(number, self._ask_to_stop)
        for database in self._databases.current():
            _warm(database)
        sql.close_all()
        try:
            while not self._stopping:
                for slot in self._slots:
                    slot.keep_filled()
                self._wait_for_news()
                if self._is_idle is not None and self._is_idle():
                    logger.info("No job is left")
                    break
        finally:
            self._stop()

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        os.write(self._wake_writer, b"!")

    def _stop(self) -> None:
        for number, seconds in (
            (signal.SIGTERM, GRACE_SECONDS),
            (signal.SIGTERM, FORCE_SECONDS),
            (signal.SIGKILL, FORCE_SECONDS),
        ):
            for slot in self._slots:
                slot.signal(number)
            if self._all_ended_within(seconds):
                return

    def _all_ended_within(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while alive := self._alive():
            if time.monotonic() >= end:
                logger.warning("Still running: %s", ", ".join(p.name for p in alive))
                return False
            _wait(alive, end - time.monotonic())
        return True

    def _alive(self) -> list[BaseProcess]:
        return [s.process for s in self._slots if s.process is not None and s.process.is_alive()]

    def _wait_for_news(self) -> None:
        leash = [] if self._leash is None else [self._leash]
        news = _wait([*self._alive(), self._wake_reader, *leash], RESPAWN_SECONDS)
        if self._leash in news:
            self._follow_leash()

    def _follow_leash(self) -> None:
        """Stop when whoever holds the other end is gone; what he writes means nothing."""
        if self._leash is not None and not os.read(self._leash, 4096):
            self._leash = None
            self._stopping = True

    def _dispatch(self) -> None:
        """In the child: dispatch until asked to stop, or until the supervisor is gone."""
        parent = os.getppid()
        redis = broker.current()
        with broker.Wakes(redis.url) as wakes:
            is_asked = _until_signal(wakes.call)
            dispatch(
                self._databases,
                redis,
                ConfiguredChannels(self._config),
                wakes,
                lambda: is_asked() or os.getppid() != parent,
            )

    def _work(self) -> None:
        """In the child: run jobs until asked to stop."""
        own = broker.connect(broker.current().url)
        self._worker_class(own, max_memory=self._config.max_memory).work(
            max_jobs=self._config.max_jobs
        )


def _begin(main: Callable[[], None]) -> None:
    """In the child: a signal ends it, until it has handlers of its own."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    main()


def _wait(things: Sequence[BaseProcess | int], seconds: float) -> list[Any]:
    """Wait until a process ends or a descriptor is readable; answer which descriptors are."""
    ends = [thing if isinstance(thing, int) else thing.sentinel for thing in things]
    return wait(ends, timeout=max(0.0, seconds))


def _warm(database: str) -> None:
    try:
        Registry(database)
    except Exception as error:
        # The workers serve other databases as well; a job of this one says it again.
        logger.warning("Cannot load database %r yet: %s", database, error)


def _until_signal(wake: Callable[[], None]) -> Callable[[], bool]:
    """Answer whether SIGTERM or SIGINT came; *wake* ends a wait when it does."""
    asked: list[int] = []

    def ask(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        wake()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return lambda: bool(asked)
