"""
A job's arguments as JSON.

JSON's own values stand for themselves.  The others are objects with a `_type`:

    recordset   {"_type": "recordset", "model": "res.partner", "ids": [1, 2]}
    date        {"_type": "date", "value": "2026-11-21"}
    datetime    {"_type": "datetime", "value": "2026-11-21T09:00:00+01:00"}
    decimal     {"_type": "decimal", "value": "0.10"}
    bytes       {"_type": "bytes", "value": "AAEC"}            base64
    float       {"_type": "float", "value": "1e+16"}           PostgreSQL would give it back whole
    tuple       {"_type": "tuple", "items": [1, 2]}
    dict        {"_type": "dict", "items": [[1, "one"]]}       keys that are no text, or `_type`

What is kept comes back equal; what would not is refused.
"""

from __future__ import annotations

import json
import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from connector.core.models import BaseModel
from connector.exception import JobArgumentError, NotReadableJobError

TAG = "_type"

#: Longer whole numbers have no text in Python, and none in PostgreSQL soon after.
LONGEST_INTEGER_BITS = 10_000
#: From here on a float is written with an exponent, and PostgreSQL makes it a whole number.
FIRST_WRITTEN_WITH_EXPONENT = 1e16


class _RefusedError(Exception):
    """Something cannot be kept; the path to it grows on the way out."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = ""

    def inside(self, step: str) -> _RefusedError:
        self.path = step + self.path
        return self


def dumps(value: Any) -> str:
    """
    The JSON text of *value*, the same for equal values.

    Raises:
        JobArgumentError: something in it cannot be kept; the message says where.
    """
    return json.dumps(encode(value), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def encode(value: Any, what: str = "the value") -> Any:
    """
    What JSON keeps of *value*, which a message calls *what*.

    Raises:
        JobArgumentError: something in it cannot be kept; the message says where.
    """
    try:
        return _encode(value)
    except _RefusedError as refusal:
        place = f"{what}, at {refusal.path}," if refusal.path else what
        raise JobArgumentError(f"A job cannot keep {place} because {refusal.reason}") from None
    except RecursionError:
        raise JobArgumentError(
            f"A job cannot keep {what} because it holds itself, or is nested too deeply."
        ) from None


def printable(text: str) -> str:
    """A text for people as PostgreSQL takes it: what it cannot hold is escaped."""
    return text.replace("\0", "\\0").encode(errors="backslashreplace").decode()


def is_keepable(value: Any) -> bool:
    """Whether *value* can be kept."""
    try:
        encode(value)
    except JobArgumentError:
        return False
    return True


def loads(text: str | bytes, env: Any) -> Any:
    """
    The value of a JSON text; recordsets are browsed in *env*.

    Raises:
        NotReadableJobError: the text, or a tag in it, is not what `dumps` writes.
    """
    try:
        return decode(json.loads(text), env)
    except (ValueError, TypeError) as error:
        raise NotReadableJobError(f"The arguments of the job cannot be read: {error}") from error


def decode(value: Any, env: Any) -> Any:
    """The value of parsed JSON, as PostgreSQL gives it; see `loads`."""
    if isinstance(value, list):
        return [decode(item, env) for item in value]
    if not isinstance(value, dict):
        return value
    if TAG not in value:
        return {key: decode(item, env) for key, item in value.items()}
    reader = _READERS.get(str(value[TAG]))
    if reader is None:
        raise NotReadableJobError(f"Arguments of a job hold the unknown type {value[TAG]!r}.")
    try:
        return reader(value, env)
    except NotReadableJobError:
        raise
    except (KeyError, ValueError, TypeError, ArithmeticError) as error:
        raise NotReadableJobError(f"Arguments of a job hold a broken {value[TAG]!r}.") from error


def _encode(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _checked_text(value)
    if isinstance(value, int):
        if value.bit_length() > LONGEST_INTEGER_BITS:
            raise _RefusedError("the whole number is too long.")
        return value
    if isinstance(value, float):
        return _encode_float(value)
    if isinstance(value, list):
        return _encode_items(value)
    if isinstance(value, dict):
        return _encode_dict(value)
    return _encode_tagged(value)


def _checked_text(value: str) -> str:
    if "\0" in value:
        raise _RefusedError("the text holds a NUL, which PostgreSQL does not take.")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _RefusedError("the text holds half a character (a lone surrogate).") from None
    return value


def _encode_float(value: float) -> Any:
    if not math.isfinite(value):
        raise _RefusedError(f"{value!r} has no JSON form.")
    if abs(value) >= FIRST_WRITTEN_WITH_EXPONENT:
        return {TAG: "float", "value": repr(float(value))}
    return value


def _encode_items(items: Iterable[Any]) -> list[Any]:
    encoded: list[Any] = []
    try:
        for item in items:
            encoded.append(_encode(item))
    except _RefusedError as refusal:
        raise refusal.inside(f"[{len(encoded)}]") from None
    return encoded


def _encode_dict(value: dict[Any, Any]) -> Any:
    items = [(_encode_key(key), _encode_item(key, item)) for key, item in value.items()]
    if all(isinstance(key, str) and key != TAG for key in value):
        return dict(items)
    return {TAG: "dict", "items": [list(pair) for pair in items]}


def _encode_key(key: Any) -> Any:
    try:
        return _encode(key)
    except _RefusedError as refusal:
        raise refusal.inside(f"[key {key!r}]") from None


def _encode_item(key: Any, item: Any) -> Any:
    try:
        return _encode(item)
    except _RefusedError as refusal:
        raise refusal.inside(f"[{key!r}]") from None


def _encode_tagged(value: Any) -> dict[str, Any]:
    if isinstance(value, BaseModel):
        return {TAG: "recordset", "model": value._name, "ids": _stored_ids(value)}
    if isinstance(value, tuple):
        return {TAG: "tuple", "items": _encode_items(value)}
    if isinstance(value, datetime):
        return {TAG: "datetime", "value": _moment_text(value, datetime.fromisoformat)}
    if isinstance(value, date):
        return {TAG: "date", "value": _moment_text(value, date.fromisoformat)}
    if isinstance(value, Decimal):
        return {TAG: "decimal", "value": str(value)}
    if isinstance(value, bytes):
        return {TAG: "bytes", "value": b64encode(value).decode()}
    raise _RefusedError(
        f"{type(value).__name__} is none of text, number, list, tuple, dict, date, datetime, "
        "Decimal, bytes and recordset."
    )


def _moment_text(value: Any, read: Callable[[str], Any]) -> str:
    text: str = value.isoformat()
    try:
        comes_back = read(text) == value
    except ValueError:
        comes_back = False
    if not comes_back:  # a class of its own that is finer than microseconds
        raise _RefusedError(f"{value!r} would not come back as it is.")
    return text


def _stored_ids(records: Any) -> list[int]:
    ids = list(records.ids)
    if len(ids) != len(records) or not all(isinstance(id_, int) for id_ in ids):
        raise _RefusedError(f"{records!r} is not stored yet; create it first.")
    return ids


_READERS: dict[str, Callable[[dict[str, Any], Any], Any]] = {
    "recordset": lambda value, env: env[value["model"]].browse(value["ids"]),
    "date": lambda value, env: date.fromisoformat(value["value"]),
    "datetime": lambda value, env: datetime.fromisoformat(value["value"]),
    "decimal": lambda value, env: Decimal(value["value"]),
    "bytes": lambda value, env: b64decode(value["value"], validate=True),
    "float": lambda value, env: float(value["value"]),
    "tuple": lambda value, env: tuple(decode(item, env) for item in value["items"]),
    "dict": lambda value, env: {decode(k, env): decode(v, env) for k, v in value["items"]},
}
