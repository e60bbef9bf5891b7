"""What a statement found: ids, of which a large number takes little memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from mmap import mmap
from typing import Any, overload

__all__ = ["FoundIds", "found_ids"]

#: rows taken from the driver at once; more ids than this are kept as numbers of four bytes
ROWS_AT_ONCE = 10_000


class FoundIds(Sequence[int]):
    """The ids of many records, as a tuple would hold them; a slice of them is a tuple."""

    __slots__ = ("_numbers",)

    def __init__(self, numbers: memoryview[int]) -> None:
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, key: int) -> int: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[int, ...]: ...
    def __getitem__(self, key: int | slice) -> int | tuple[int, ...]:
        return tuple(self._numbers[key]) if isinstance(key, slice) else self._numbers[key]

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)

    def __contains__(self, number: object) -> bool:
        return number in self._numbers


def found_ids(cr: Any) -> Sequence[int]:
    """The first column of the rows that *cr* found."""
    rows = cr.fetchmany(ROWS_AT_ONCE)
    if len(rows) < ROWS_AT_ONCE:
        return tuple([id_ for (id_,) in rows])
    # Memory of its own: on the heap it would lie behind the driver's rows and hold theirs.
    numbers = memoryview(mmap(-1, 4 * cr.rowcount)).cast("i")
    place = 0
    while rows:
        numbers[place : place + len(rows)] = array("i", [id_ for (id_,) in rows])
        place += len(rows)
        rows = cr.fetchmany(ROWS_AT_ONCE)
    # The driver holds all rows until the next statement, behind which memory is not given back.
    cr.free_result()
    return FoundIds(numbers)
