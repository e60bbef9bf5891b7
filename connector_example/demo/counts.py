"""What a run has done so far, counted per table of the shop."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self


@dataclass(frozen=True)
class Counts:
    """The outcomes of one kind of records."""

    created: int = 0  #: not bound before, bound now
    updated: int = 0  #: bound, and its values changed
    unchanged: int = 0  #: bound, and nothing was to write
    failed: int = 0  #: refused, with its reason in the job
    retried: int = 0  #: jobs of this kind that were started again

    @property
    def read(self) -> int:
        return self.created + self.updated + self.unchanged + self.failed

    def __add__(self, other: Self) -> Self:
        return type(self)(
            *(getattr(self, each.name) + getattr(other, each.name) for each in fields(self))
        )


Progress = Mapping[str, Counts]


def total(counts: Progress) -> Counts:
    return sum(counts.values(), Counts())
