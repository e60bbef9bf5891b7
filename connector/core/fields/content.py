"""Binary and Json: fields that hold a document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from connector.core.fields.base import Field, Records

__all__ = ["Binary", "Json", "Serialized"]


#: an escaped NUL, not an escaped backslash before the letters
NUL = re.compile(r"(?<!\\)(\\\\)*\\u0000")


class Binary(Field):
    """Bytes, kept as given; by the convention of the external API they are base64 text."""

    type = "binary"
    column_type = "bytea"
    plain_text = False
    decodes = True

    def _settle(self) -> None:
        super()._settle()
        self.prefetch = bool(self.arguments.get("prefetch", False) and self.is_column)

    def to_cache(self, value: Any, records: Records = None) -> Any:
        if value is None or value is False:
            return None
        if isinstance(value, str):
            value = value.encode()
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise self.refuse(value, "Give bytes, or text in base64.")
        return bytes(value)

    def from_column(self, values: Sequence[Any]) -> Sequence[Any]:
        return [None if value is None else bytes(value) for value in values]

    def as_text(self, values: Iterable[Any]) -> list[str | None]:
        return [None if value is None else "\\x" + value.hex() for value in values]


class Json(Field):
    """
    Any value that JSON can write.

    Each reading gives a value of its own: to change it, change the value and assign it.
    """

    type = "serialized"
    decodes = converts = True
    column_type = "jsonb"

    def _settle(self) -> None:
        super()._settle()
        self.prefetch = bool(self.arguments.get("prefetch", True) and self.is_column)

    def to_cache(self, value: Any, records: Records = None) -> Any:
        # The cache holds the text: two equal texts are equal values, 1 and true are not.
        if value is None or value is False:
            return None
        try:
            text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise self.refuse(value, f"It has no JSON: {error}.") from error
        if NUL.search(text):
            raise self.refuse(value, "JSON in PostgreSQL holds no NUL character; remove it.")
        return text

    def from_column(self, values: Sequence[Any]) -> Sequence[Any]:
        return [
            None if value is None else json.dumps(value, sort_keys=True, ensure_ascii=False)
            for value in values
        ]

    def to_record(self, cached: Any, record: Records) -> Any:
        return False if cached is None else json.loads(cached)

    def as_text(self, values: Iterable[Any]) -> list[str | None]:
        return list(values)


#: the name of the field in 8.0
Serialized = Json
