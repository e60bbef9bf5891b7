"""
Search domains: the prefix notation of lists, read into a small tree.

    Domain = Always | Never | Leaf | Not(Domain) | All(Domain, ...) | Any(Domain, ...)

The tree knows nothing of models or SQL: :mod:`connector.core.query` gives it meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from connector.core.exceptions import DomainError

__all__ = [
    "AND",
    "FALSE_DOMAIN",
    "FALSE_LEAF",
    "OPERATORS",
    "OR",
    "TRUE_DOMAIN",
    "TRUE_LEAF",
    "All",
    "AnyOf",
    "Constant",
    "Leaf",
    "Node",
    "Not",
    "distribute_not",
    "is_leaf",
    "is_operator",
    "normalize_domain",
    "parse",
]

TRUE_LEAF = (1, "=", 1)
FALSE_LEAF = (0, "=", 1)
TRUE_DOMAIN = [TRUE_LEAF]
FALSE_DOMAIN = [FALSE_LEAF]

AND_SIGN, OR_SIGN, NOT_SIGN = "&", "|", "!"
ARITY = {AND_SIGN: 2, OR_SIGN: 2, NOT_SIGN: 1}

#: operator -> the operator that is true exactly where this one is false
NEGATIONS = {
    "=": "!=",
    "!=": "=",
    "<": ">=",
    ">": "<=",
    "<=": ">",
    ">=": "<",
    "in": "not in",
    "not in": "in",
    "like": "not like",
    "not like": "like",
    "ilike": "not ilike",
    "not ilike": "ilike",
}
OPERATORS = frozenset({*NEGATIONS, "=?", "=like", "=ilike", "child_of", "parent_of", "<>", "=="})
SPELLINGS = {"<>": "!=", "==": "="}

RawDomain = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Constant:
    """A domain that is true of every record, or of none."""

    value: bool


@dataclass(frozen=True, slots=True)
class Leaf:
    """One condition on the field that *path* leads to."""

    path: str
    operator: str
    value: Any


@dataclass(frozen=True, slots=True)
class Not:
    """True where *operand* is false; a condition is either, never unknown."""

    operand: Node


@dataclass(frozen=True, slots=True)
class All:
    """True where every operand is."""

    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True where at least one operand is."""

    operands: tuple[Node, ...]


Node = Constant | Leaf | Not | All | AnyOf


def is_operator(element: Any) -> bool:
    """Is *element* one of the connectives ``&``, ``|``, ``!``?"""
    return isinstance(element, str) and element in ARITY


def is_leaf(element: Any) -> bool:
    """Is *element* a condition of a known operator, or one of the two constants?"""
    if not isinstance(element, (list, tuple)) or len(element) != 3:
        return False
    left, operator, right = element
    if isinstance(left, str):
        return isinstance(operator, str) and operator.lower() in OPERATORS
    return (left, operator, right) in (TRUE_LEAF, FALSE_LEAF)


def parse(domain: RawDomain) -> Node:
    """
    Read a domain in prefix notation; conditions without a connective are joined by and.

    Raises:
        DomainError: an element is no condition, or a connective lacks an operand.
    """
    if not isinstance(domain, (list, tuple)):
        raise DomainError(f"A domain is a list of conditions, not {domain!r}.")
    stack: list[Node] = []
    for element in reversed(domain):
        if is_operator(element):
            stack.append(_connected(element, stack, domain))
        else:
            stack.append(_leaf(element, domain))
    if not stack:
        return Constant(True)
    return stack[0] if len(stack) == 1 else All(tuple(reversed(stack)))


def _connected(sign: str, stack: list[Node], domain: RawDomain) -> Node:
    if len(stack) < ARITY[sign]:
        raise DomainError(
            f"{sign!r} lacks a condition in the domain {domain!r}: "
            f"it stands before the {ARITY[sign]} that it joins."
        )
    if sign == NOT_SIGN:
        return Not(stack.pop())
    operands = (stack.pop(), stack.pop())
    return All(operands) if sign == AND_SIGN else AnyOf(operands)


def _leaf(element: Any, domain: RawDomain) -> Node:
    if not is_leaf(element):
        raise DomainError(
            f"Invalid leaf {element!r} in the domain {domain!r}: a condition is "
            f"(field, operator, value), the operator one of {', '.join(sorted(OPERATORS))}."
        )
    left, operator, right = element
    if not isinstance(left, str):
        return Constant(left == 1)
    operator = operator.lower()
    return Leaf(left, SPELLINGS.get(operator, operator), right)


def normalize_domain(domain: RawDomain) -> list[Any]:
    """The same domain with every connective written out."""
    if not domain:
        return [TRUE_LEAF]
    result: list[Any] = []
    expected = 1
    for element in domain:
        if expected == 0:
            result[0:0] = [AND_SIGN]
            expected = 1
        result.append(element)
        expected += ARITY[element] - 1 if is_operator(element) else -1
    if expected:
        raise DomainError(f"The domain {domain!r} ends where a condition is expected.")
    return result


def AND(domains: Iterable[RawDomain]) -> list[Any]:  # noqa: N802 - the name of the API
    """The domain that is true where all of *domains* are."""
    return _combined(AND_SIGN, TRUE_LEAF, FALSE_LEAF, domains)


def OR(domains: Iterable[RawDomain]) -> list[Any]:  # noqa: N802 - the name of the API
    """The domain that is true where one of *domains* is."""
    return _combined(OR_SIGN, FALSE_LEAF, TRUE_LEAF, domains)


def _combined(sign: str, unit: Any, zero: Any, domains: Iterable[RawDomain]) -> list[Any]:
    result: list[Any] = []
    count = 0
    for domain in map(normalize_domain, domains):
        if domain == [zero]:
            return [zero]
        if domain != [unit]:
            result += domain
            count += 1
    return [sign] * (count - 1) + result if count else [unit]


def distribute_not(domain: RawDomain) -> list[Any]:
    """The same domain with each ``!`` carried down into the conditions, where operators allow."""
    return _written(parse(domain), negated=False)


def _written(node: Node, *, negated: bool) -> list[Any]:
    match node:
        case Constant(value):
            return [TRUE_LEAF if value != negated else FALSE_LEAF]
        case Not(operand):
            return _written(operand, negated=not negated)
        case Leaf(path, operator, value):
            if not negated:
                return [(path, operator, value)]
            # A path through records means "one of them": its negation is no plain operator.
            if "." in path or operator not in NEGATIONS or operator in ("<", ">", "<=", ">="):
                return [NOT_SIGN, (path, operator, value)]
            return [(path, NEGATIONS[operator], value)]
        case All(operands) | AnyOf(operands):
            sign = AND_SIGN if isinstance(node, All) != negated else OR_SIGN
            parts = [_written(operand, negated=negated) for operand in operands]
            return [sign] * (len(parts) - 1) + [element for part in parts for element in part]
