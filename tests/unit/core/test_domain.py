"""Domains: read, normalised, joined and negated."""

from __future__ import annotations

from typing import Any

import pytest

from connector.core.domain import (
    AND,
    FALSE_LEAF,
    OR,
    TRUE_LEAF,
    All,
    AnyOf,
    Constant,
    Leaf,
    Not,
    distribute_not,
    normalize_domain,
    parse,
)
from connector.core.exceptions import DomainError

A, B, C = ("a", "=", 1), ("b", "=", 2), ("c", "=", 3)
LEAF_A, LEAF_B, LEAF_C = (Leaf(*leaf) for leaf in (A, B, C))


@pytest.mark.parametrize(
    ("domain", "node"),
    [
        ([], Constant(True)),
        ([A], LEAF_A),
        ([list(A)], LEAF_A),
        ([A, B], All((LEAF_A, LEAF_B))),
        (["|", A, B], AnyOf((LEAF_A, LEAF_B))),
        (["|", A, "&", B, C], AnyOf((LEAF_A, All((LEAF_B, LEAF_C))))),
        (["!", A, B], All((Not(LEAF_A), LEAF_B))),
        ([TRUE_LEAF], Constant(True)),
        ([FALSE_LEAF], Constant(False)),
        ([("a", "<>", 1)], Leaf("a", "!=", 1)),
        ([("a", "ILIKE", "x")], Leaf("a", "ilike", "x")),
    ],
)
def test_domain_is_read(domain: list[Any], node: Any) -> None:
    """
    Prefix notation becomes a tree; conditions side by side are joined by and.
    """
    assert parse(domain) == node


@pytest.mark.parametrize(
    "domain",
    [["|", A], ["!"], ["&", A], [("a", "=")], ["a"], [("a", "is", 1)], "a = 1", [(2, "=", 2)]],
)
def test_unreadable_domains_are_refused(domain: Any) -> None:
    """
    What is no condition, or lacks one, raises and shows the domain.
    """
    with pytest.raises(DomainError):
        parse(domain)


def test_normalised_domain_means_the_same() -> None:
    """
    Every and is written out; an unfinished domain is refused.
    """
    assert normalize_domain([A, B, C]) == ["&", "&", A, B, C]
    assert normalize_domain([]) == [TRUE_LEAF]
    assert normalize_domain(["|", A, B, C]) == ["&", "|", A, B, C]
    with pytest.raises(DomainError):
        normalize_domain(["|", A])


def test_domains_are_joined() -> None:
    """
    True and false parts vanish or decide.
    """
    assert AND([[A], [B]]) == ["&", A, B]
    assert OR([[A, B], [C]]) == ["|", "&", A, B, C]
    assert AND([[A], [TRUE_LEAF]]) == [A]
    assert AND([[A], [FALSE_LEAF]]) == [FALSE_LEAF]
    assert OR([[A], [TRUE_LEAF]]) == [TRUE_LEAF]
    assert OR([]) == [FALSE_LEAF]
    assert AND([]) == [TRUE_LEAF]


def test_negation_is_carried_down() -> None:
    """
    Where an operator has a counterpart it is used; order and paths keep their !.
    """
    assert distribute_not(["!", "&", A, B]) == ["|", ("a", "!=", 1), ("b", "!=", 2)]
    assert distribute_not(["!", "!", A]) == [A]
    assert distribute_not(["!", ("a", "<", 1)]) == ["!", ("a", "<", 1)]
    assert distribute_not(["!", ("a.b", "=", 1)]) == ["!", ("a.b", "=", 1)]
    assert distribute_not(["!", TRUE_LEAF]) == [FALSE_LEAF]
