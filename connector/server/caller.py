"""Who calls, as far as the connection tells."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    """One caller; guessing of passwords is slowed down by address."""

    address: str
