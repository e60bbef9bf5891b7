"""
A job's arguments as JSON.

JSON's own values stand for themselves.  The others are objects with a `_type`:

    recordset   {"_type": "recordset", "model": "res.partner", "ids": [1, 2]}
    date        {"_type": "date", "value": "2026-11-21"}
    datetime    {"_type": "datetime", "value": "2026-11-21T09:00:00"}
    decimal     {"_type": "decimal", "value": "0.10"}
    bytes       {"_type": "bytes", "value": "AAEC"}            base64
    tuple       {"_type": "tuple", "items": [1, 2]}
    dict        {"_type": "dict", "items": [[1, "one"]]}       keys that are no text, or `_type`
"""

from __future__ import annotations

import json
import math
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from connector.core.models import BaseModel
from connector.exception import JobArgumentError, NotReadableJobError

TAG = "_type"


def dumps(value: Any) -> str:
    """
    The JSON text of *value*.

    Raises:
        JobArgumentError: something in it cannot be kept; the message says where.
    """
    return json.dumps(encode(value), ensure_ascii=False, separators=(",", ":"))


def encode(value: Any) -> Any:
    """What JSON keeps of *value*; see `dumps`."""
    return _encode(value, "arguments")


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


def _encode(value: Any, where: str) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        if "\0" in value:
            raise JobArgumentError(f"The text at {where} holds a NUL; PostgreSQL keeps none.")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise JobArgumentError(f"{value!r} at {where} has no JSON form.")
        return value
    if isinstance(value, list):
        return [_encode(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, dict):
        return _encode_dict(value, where)
    return _encode_tagged(value, where)


def _encode_dict(value: dict[Any, Any], where: str) -> Any:
    if all(isinstance(key, str) and key != TAG for key in value):
        return {key: _encode(item, f"{where}[{key!r}]") for key, item in value.items()}
    items = [
        [_encode(key, f"a key of {where}"), _encode(item, f"{where}[{key!r}]")]
        for key, item in value.items()
    ]
    return {TAG: "dict", "items": items}


def _encode_tagged(value: Any, where: str) -> dict[str, Any]:
    if isinstance(value, BaseModel):
        return {TAG: "recordset", "model": value._name, "ids": _stored_ids(value, where)}
    if isinstance(value, tuple):
        return {TAG: "tuple", "items": _encode(list(value), where)}
    if isinstance(value, datetime):
        return {TAG: "datetime", "value": value.isoformat()}
    if isinstance(value, date):
        return {TAG: "date", "value": value.isoformat()}
    if isinstance(value, Decimal):
        return {TAG: "decimal", "value": str(value)}
    if isinstance(value, bytes):
        return {TAG: "bytes", "value": b64encode(value).decode()}
    raise JobArgumentError(
        f"A {type(value).__name__} at {where} cannot be kept with a job. Give it as text, "
        "number, list, dict, date, Decimal, bytes or recordset."
    )


def _stored_ids(records: Any, where: str) -> list[int]:
    ids = list(records.ids)
    if len(ids) != len(records) or not all(isinstance(id_, int) for id_ in ids):
        raise JobArgumentError(f"{records!r} at {where} is not stored yet; create it first.")
    return ids


_READERS: dict[str, Callable[[dict[str, Any], Any], Any]] = {
    "recordset": lambda value, env: env[value["model"]].browse(value["ids"]),
    "date": lambda value, env: date.fromisoformat(value["value"]),
    "datetime": lambda value, env: datetime.fromisoformat(value["value"]),
    "decimal": lambda value, env: Decimal(value["value"]),
    "bytes": lambda value, env: b64decode(value["value"], validate=True),
    "tuple": lambda value, env: tuple(decode(item, env) for item in value["items"]),
    "dict": lambda value, env: {decode(k, env): decode(v, env) for k, v in value["items"]},
}
