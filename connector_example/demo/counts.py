"""What a run has done so far, counted per table of the shop."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Self


@dataclass(frozen=True)
class Counts:
    """The outcomes of one kind of records."""

    read: int = 0  #: brought by a page, or inside a record of a page
    created: int = 0  #: not bound before, bound now
    updated: int = 0  #: bound, and its values changed
    unchanged: int = 0  #: bound, and nothing was to write
    failed: int = 0  #: refused, with its reason in the job
    retried: int = 0  #: starts of a job of this kind beyond its first

    @classmethod
    def of(cls, outcomes: Mapping[str, int]) -> Self:
        """The outcomes that an import job reports; a record gone from the shop is none here."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: number for name, number in outcomes.items() if name in known})

    @property
    def done(self) -> int:
        return self.created + self.updated + self.unchanged + self.failed

    def __add__(self, other: Self) -> Self:
        return type(self)(
            *(getattr(self, each.name) + getattr(other, each.name) for each in fields(self))
        )

    def settled(self) -> Self:
        """
        Count each record once.

        A record that another one needed early is created by that one's job, and its own job
        finds it unchanged.
        """
        unchanged = self.read - self.created - self.updated - self.failed
        return replace(self, unchanged=max(unchanged, 0))


Progress = Mapping[str, Counts]


def total(counts: Progress) -> Counts:
    return sum(counts.values(), Counts())
