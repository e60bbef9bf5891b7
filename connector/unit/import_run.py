"""What the importers of one task share: what is under way, what is done, what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from connector.unit.dependency import Dependency
from connector.unit.patience import Patience

__all__ = ["ImportRun", "Key", "Outcome"]

#: A record of the backend: binding model and external id as text.
Key = tuple[str, str]


class Outcome(StrEnum):
    """What became of one record."""

    CREATED = "created"  #: it and its binding are new
    UPDATED = "updated"  #: something differed and was written
    UNCHANGED = "unchanged"  #: nothing differed, nothing was written
    REMOVED = "removed"  #: the backend's record lost it; only lines are removed by an import
    SKIPPED = "skipped"  #: the importer has a reason to leave it
    MISSING = "missing"  #: the backend does not have it any more


#: Which outcome counts when one run meets a record several times.
_WEIGHT = {
    outcome: weight
    for weight, outcome in enumerate(
        (
            Outcome.UNCHANGED,
            Outcome.SKIPPED,
            Outcome.MISSING,
            Outcome.REMOVED,
            Outcome.UPDATED,
            Outcome.CREATED,
        )
    )
}


@dataclass
class ImportRun:
    """
    The shared state of importers that work in one transaction.

    An importer makes one; those it asks for dependencies take it over.
    """

    outcomes: dict[Key, Outcome] = field(default_factory=dict)
    #: records whose import has begun and not ended; a dependency on one of them is a cycle
    unfinished: set[Key] = field(default_factory=set)
    #: records imported without their link to an unfinished one: (model, id) -> those
    waiting: dict[Key, set[Key]] = field(default_factory=dict)
    #: records the backend has sent already, by which reading them is saved
    records: dict[Key, Any] = field(default_factory=dict)
    #: what records are known to need, so that it is read from each record once
    needs: dict[Key, list[Dependency]] = field(default_factory=dict)
    #: records known to be bound
    bound: set[Key] = field(default_factory=set)
    #: (binding model, external id, whether unwrapped) -> id of the record that a mapping found
    found: dict[tuple[str, str, bool], int] = field(default_factory=dict)
    #: records whose lock this transaction holds
    locked: set[Key] = field(default_factory=set)
    #: the model whose new records are gathered and created together
    gathers: str | None = None
    #: those records: their importer and the values to create
    gathered: dict[Key, tuple[Any, dict[str, Any]]] = field(default_factory=dict)
    #: records that are partly written: an error now is undone only by a rollback
    writing: set[Key] = field(default_factory=set)
    #: how long the task may still wait for pauses that the backend asks for
    patience: Patience = field(default_factory=Patience)

    def note(self, key: Key, outcome: Outcome) -> None:
        """Keep what became of a record; created and updated are not overwritten by less."""
        known = self.outcomes.get(key)
        if known is None or _WEIGHT[outcome] > _WEIGHT[known]:
            self.outcomes[key] = outcome

    def mark(self) -> ImportRun:
        """Give a copy to come back to when a savepoint is rolled back."""
        return ImportRun(
            outcomes=dict(self.outcomes),
            unfinished=set(self.unfinished),
            waiting={key: set(keys) for key, keys in self.waiting.items()},
            records=dict(self.records),
            needs=self.needs,
            bound=set(self.bound),
            found=dict(self.found),
            locked=set(self.locked),
            gathers=self.gathers,
            gathered=dict(self.gathered),
            writing=set(self.writing),
            patience=self.patience,
        )

    def back_to(self, mark: ImportRun) -> None:
        """Forget what was done since the mark; locks taken since are gone with the savepoint."""
        for name, value in vars(mark.mark()).items():
            setattr(self, name, value)

    def counts(self) -> dict[str, dict[str, int]]:
        """Give how many records of each model came to each outcome, for a report."""
        counts: dict[str, Counter[str]] = {}
        for (model, _), outcome in self.outcomes.items():
            counts.setdefault(model, Counter())[outcome.value] += 1
        return {model: dict(counter) for model, counter in sorted(counts.items())}
