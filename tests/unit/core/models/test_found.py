"""Ids of many records behave as a tuple of them."""

from __future__ import annotations

from array import array
from typing import Any

import pytest

from connector.core.models.found import ROWS_AT_ONCE, FoundIds, found_ids


class Rows:
    """A cursor that has found *count* rows."""

    def __init__(self, count: int) -> None:
        self.rows = [(number,) for number in range(1, count + 1)]
        self.freed, self.rowcount = False, count

    def fetchmany(self, size: int) -> list[Any]:
        taken, self.rows = self.rows[:size], self.rows[size:]
        return taken

    def free_result(self) -> None:
        self.freed = True


@pytest.mark.parametrize(
    "count", [0, 1, ROWS_AT_ONCE - 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1, 3 * ROWS_AT_ONCE]
)
def test_every_row_is_found_in_order(count: int) -> None:
    """
    However many rows there are, each id is there once and in turn.
    """
    rows = Rows(count)

    assert list(found_ids(rows)) == list(range(1, count + 1))
    assert rows.freed == (count >= ROWS_AT_ONCE)


def test_many_ids_are_like_a_tuple() -> None:
    """
    Length, items, slices and membership are those of the tuple of the same ids.
    """
    found = FoundIds([array("i", [5, 3, 8]), range(10, 13), array("i", [1, 20])])
    like = (5, 3, 8, 10, 11, 12, 1, 20)

    assert (len(found), tuple(found), found[:]) == (len(like), like, like)
    assert [found[place] for place in range(-8, 8)] == [like[place] for place in range(-8, 8)]
    for start in range(-9, 10):
        for stop in range(-9, 10):
            assert found[start:stop] == like[start:stop]
            assert found[start:stop:-2] == like[start:stop:-2]
    assert tuple(reversed(found)) == like[::-1]
    assert all(number in found for number in like)
    assert 4 not in found
    with pytest.raises(IndexError):
        found[8]
