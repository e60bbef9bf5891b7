"""Versions of a deployed system, ordered as setuptools once ordered them."""

from __future__ import annotations

import re
from functools import total_ordering

__all__ = ["OdooVersion", "OpenERPVersion"]

#: The version that an empty text stands for.
UNNAMED = "0.1"

_TOKEN = re.compile(r"\d+|[a-z]+|\.|-|[^\da-z.\-]+")
_MEANING = {"pre": "c", "preview": "c", "rc": "c", "dev": "@", "-": "final-", "_": "final-"}
_DROPPED = frozenset({".", "saas", "~"})
_END = "*final"
_PATCH = "*final-"
_ZERO = "00000000"


@total_ordering
class OpenERPVersion:
    """
    A version, comparable with versions, texts and tuples of integers; hashable.

    Alphas, betas and release candidates come before the release, `-1` after it, and trailing
    zeros say nothing: `5.0-rc1 < 5.0 == 5.0.0 < 5.0-1`. Equal versions have equal hashes, but
    a version has not the hash of the text that it equals.
    """

    def __init__(self, vstring: str | OpenERPVersion | None = None) -> None:
        #: the text that the version was made of
        self.vstring = str(vstring) if vstring is not None and str(vstring).strip() else UNNAMED
        #: what the order is decided by, as texts: numbers have eight digits, words a star
        self.components = _components(self.vstring)
        self._key = tuple(map(_rank, self.components))

    def __str__(self) -> str:
        return self.vstring

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.vstring!r})"

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        known = _version_of(other)
        return NotImplemented if known is None else self._key == known._key

    def __lt__(self, other: object) -> bool:
        known = _version_of(other)
        return NotImplemented if known is None else self._key < known._key


OdooVersion = OpenERPVersion


def _version_of(other: object) -> OpenERPVersion | None:
    """Another library's version counts as its text; None is no version."""
    if other is None:
        return None
    if isinstance(other, OpenERPVersion):
        return other
    if isinstance(other, tuple):
        return OpenERPVersion(".".join(map(str, other)))
    return OpenERPVersion(str(other))


def _components(text: str) -> tuple[str, ...]:
    parts: list[str] = []
    for token in _TOKEN.findall(text.strip().lower()):
        if token not in _DROPPED:
            _append(parts, token)
    _close_series(parts, _END)
    return (*parts, _END)


def _append(parts: list[str], token: str) -> None:
    if token.isdecimal():
        parts.append(token.zfill(len(_ZERO)))
        return
    word = "*" + _MEANING.get(token, token)
    _close_series(parts, word)
    parts.append(word)


def _close_series(parts: list[str], word: str) -> None:
    """Drop what says nothing before *word*: zeros, and a dash before a version that is not out."""
    if word < _END:
        while parts and parts[-1] == _PATCH:
            parts.pop()
    while parts and parts[-1] == _ZERO:
        parts.pop()


def _rank(part: str) -> tuple[bool, int, str]:
    # As texts, numbers of more than eight digits would not be ordered by their size.
    is_word = part.startswith("*")
    return (not is_word, 0 if is_word else int(part), part if is_word else "")
