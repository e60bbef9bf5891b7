"""A checksum of mapped values: equal values give equal checksums, in any process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

DIGEST_BYTES = 16


def checksum(values: Mapping[str, Any]) -> str:
    """
    Give the checksum of mapped values, whatever the order of their keys.

    Raises:
        TypeError: a value is of a type that no field takes.
    """
    return hashlib.blake2b(_text(values).encode(), digest_size=DIGEST_BYTES).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return hashlib.blake2b(value, digest_size=DIGEST_BYTES).hexdigest()
    if isinstance(value, set | frozenset):
        return sorted(value)
    if hasattr(value, "_name") and hasattr(value, "ids"):
        return [value._name, list(value.ids)]
    raise TypeError(f"{value!r} is of {type(value)}, which no field takes.")


_text = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_plain).encode
