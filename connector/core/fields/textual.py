"""Char, Text and Html: fields of text, translated or not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from connector.core.fields.base import Field, Records

__all__ = ["Char", "Html", "Text"]

#: the language that stands in where a value has no translation
SOURCE_LANG = "en_US"


class Text(Field):
    """Text of any length. With ``translate=True`` it has a value per language."""

    type = "text"
    column_type = "text"
    key_type = str
    size: int | None = None
    #: neither translated nor cut off
    simple: bool = True

    def _settle(self) -> None:
        self.simple = not (self.translate or self.size)
        if self.translate:
            self.column_type = "jsonb"
            self.decodes = self.converts = True
        super()._settle()

    def to_cache(self, value: Any, records: Records = None) -> Any:
        if type(value) is str and self.simple and value.isascii() and "\0" not in value:
            return value
        if value is None or value is False:
            return None
        if self.translate:
            return self._translations(value, records)
        return self._text(value)

    def _text(self, value: Any) -> str:
        text: str = value.decode() if isinstance(value, bytes) else str(value)
        if "\0" in text:
            raise self.refuse(value, "Text in PostgreSQL holds no NUL character; remove it.")
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError as error:
                raise self.refuse(value, f"It is no valid Unicode text: {error.reason}.") from error
        return text[: self.size] if self.size else text

    def to_cache_column(self, values: list[Any], records: Records = None) -> list[Any]:
        if self.translate or self.size or set(map(type, values)) != {str}:
            return super().to_cache_column(values, records)
        # One look at all texts together; only where it finds something, one look at each.
        joined = "".join(values)
        if "\0" in joined or not joined.isascii():
            return super().to_cache_column(values, records)
        return values

    def to_search(self, value: Any) -> Any:
        return self._text(value)

    # -- translations: the cache holds {language: text} as sorted JSON text ----------------

    def _translations(self, value: Any, records: Records) -> str:
        known: dict[str, str] = {}
        lang = SOURCE_LANG
        if records is not None:
            lang = records.env.lang or SOURCE_LANG
            if len(records) == 1:
                known = json.loads(records._value_of(self) or "{}")
        known[lang] = self._text(value)
        known.setdefault(SOURCE_LANG, known[lang])
        return json.dumps(known, sort_keys=True, ensure_ascii=False)

    def to_record(self, cached: Any, record: Records) -> Any:
        if cached is not None and self.translate:
            return self._in_lang(cached, record)
        return False if cached is None else cached

    def _in_lang(self, cached: str, record: Records) -> Any:
        known = json.loads(cached)
        return known.get(record.env.lang or SOURCE_LANG, known.get(SOURCE_LANG, False))

    def from_column(self, values: Any) -> Any:
        return [
            None
            if v is None
            else json.dumps(v, sort_keys=True, ensure_ascii=False)
            if not isinstance(v, str)
            else v
            for v in values
        ]

    def as_text(self, values: Iterable[Any]) -> list[str | None]:
        return list(values)

    def description(self, env: Any) -> dict[str, Any]:
        return {**super().description(env), "translate": self.translate}


class Char(Text):
    """A line of text; *size*, where given, cuts longer ones off."""

    type = "char"
    column_type = "varchar"

    def _settle(self) -> None:
        if self.size:
            self.column_type = f"varchar({int(self.size)})"
        super()._settle()

    def description(self, env: Any) -> dict[str, Any]:
        return {**super().description(env), "size": self.size}


class Html(Text):
    """Text that is a piece of HTML; it is kept as given."""

    type = "html"
