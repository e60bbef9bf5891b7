"""
Queues of jobs in memory, by the names of 8.0: what `ChannelManager` is made of.

    PriorityQueue   any comparable things, the smallest first
    ChannelJob      what a channel needs to know of a job
    ChannelQueue    the jobs of one channel: those that may go, and those that wait for their time
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SafeSet(set[T]):
    """A set that does not mind the removal of what it does not hold."""

    def remove(self, element: T) -> None:
        """Take the element out where it is in."""
        self.discard(element)


class _Entry(Generic[T]):
    """An element's place in a heap; one that was taken out since is dead."""

    def __init__(self, element: T) -> None:
        self.element = element
        self.alive = True

    def __lt__(self, other: _Entry[T]) -> bool:
        return bool(self.element < other.element)  # type: ignore[operator]  # see PriorityQueue


class PriorityQueue(Generic[T]):
    """Comparable things, the smallest first; adding twice is adding once."""

    def __init__(self) -> None:
        self._heap: list[_Entry[T]] = []
        self._entries: dict[T, _Entry[T]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, element: object) -> bool:
        return element in self._entries

    def __getitem__(self, index: int) -> T:
        """
        The first one, which is all that can be asked for.

        Raises:
            IndexError: the queue is empty, or another one is asked for.
        """
        self._forget_dead()
        if index != 0:
            raise IndexError("Only the first of a priority queue is known.")
        return self._heap[0].element

    def add(self, element: T) -> None:
        """
        Put an element in.

        Raises:
            ValueError: it is None.
        """
        if element is None:
            raise ValueError("None cannot be put into a priority queue.")
        if element not in self._entries:
            self._entries[element] = entry = _Entry(element)
            heappush(self._heap, entry)

    def remove(self, element: T) -> None:
        """Take an element out, where it is in; the heap forgets it when its turn comes."""
        entry = self._entries.pop(element, None)
        if entry is not None:
            entry.alive = False

    def pop(self) -> T | None:
        """Take out the first one; None when there is none."""
        self._forget_dead()
        if not self._heap:
            return None
        element = heappop(self._heap).element
        del self._entries[element]
        return element

    def _forget_dead(self) -> None:
        while self._heap and not self._heap[0].alive:
            heappop(self._heap)


class ChannelJob:
    """
    A job as its channel knows it; two are one only when they are the same object.

    Those with an eta come first, then eta, priority, date and number decide.
    """

    def __init__(
        self,
        db_name: str,
        channel: Any,
        uuid: str,
        seq: int,
        date_created: Any,
        priority: int,
        eta: Any,
    ) -> None:
        self.db_name = db_name
        self.channel = channel
        self.uuid = uuid
        self.seq = seq
        self.date_created = date_created
        self.priority = priority
        self.eta = eta

    def order(self) -> tuple[Any, ...]:
        """What decides where no eta does."""
        return (self.priority, self.date_created, self.seq)

    def __lt__(self, other: ChannelJob) -> bool:
        if (self.eta is None) != (other.eta is None):
            return self.eta is not None
        if self.eta != other.eta:
            return bool(self.eta < other.eta)
        return self.order() < other.order()

    def __repr__(self) -> str:
        return f"<ChannelJob {self.uuid}>"


class ChannelQueue:
    """Jobs of a channel; one whose time has come competes by its priority from then on."""

    def __init__(self, sequential: bool = False) -> None:
        self.sequential = sequential
        self._ready: PriorityQueue[ChannelJob] = PriorityQueue()
        self._later: PriorityQueue[ChannelJob] = PriorityQueue()

    def __len__(self) -> int:
        return len(self._ready) + len(self._later)

    def __contains__(self, job: object) -> bool:
        return job in self._ready or job in self._later

    def add(self, job: ChannelJob) -> None:
        """Put a job in."""
        (self._ready if job.eta is None else self._later).add(job)

    def remove(self, job: ChannelJob) -> None:
        """Take a job out, where it is in."""
        self._ready.remove(job)
        self._later.remove(job)

    def pop(self, now: Any) -> ChannelJob | None:
        """
        Take out the job that goes next; None when none may go.

        In a sequential queue no job overtakes one before it that waits for its time.
        """
        while len(self._later) and self._later[0].eta <= now:
            due = self._later.pop()
            if due is not None:
                due.eta = None
                self._ready.add(due)
        is_held_up = self.sequential and len(self._later) and len(self._ready)
        if is_held_up and self._later[0].order() < self._ready[0].order():
            return None
        return self._ready.pop()

    def get_wakeup_time(self, wakeup_time: Any = 0) -> Any:
        """The sooner of the next eta and *wakeup_time*; what is 0 or None is not counted."""
        if not len(self._later):
            return wakeup_time
        eta = self._later[0].eta
        return min(eta, wakeup_time) if wakeup_time else eta
