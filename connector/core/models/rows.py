"""Rows as text: what COPY and array literals read, a column at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["Texts", "array_text", "array_type", "copy_column", "texts_of"]

Texts = Sequence[str | None]


def texts_of(fields: Sequence[Any], values: Sequence[Any]) -> list[str | None]:
    return [
        None if value is None else field.as_text((value,))[0]
        for field, value in zip(fields, values, strict=True)
    ]


def array_type(column_type: str) -> str:
    """The element type of an array: a length or precision is the column's own matter."""
    return column_type.partition("(")[0]


def copy_column(plain: bool, values: Texts) -> list[str]:
    if not plain:
        values = _escaped(values, {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
    return ["\\N" if value is None else value for value in values] if None in values else values  # type: ignore[return-value]


def array_text(plain: bool, values: Texts) -> str:
    """The text of an array of the values; psycopg2 takes twice as long over a list."""
    if plain:
        return "{" + ",".join(["NULL" if v is None else v for v in values]) + "}"
    values = _escaped(values, {"\\": "\\\\", '"': '\\"'})
    if None not in values:
        return '{"' + '","'.join(values) + '"}'  # type: ignore[arg-type]
    return "{" + ",".join(["NULL" if v is None else f'"{v}"' for v in values]) + "}"


def _escaped(values: Texts, escapes: dict[str, str]) -> Texts:
    # One look at the whole column per character: most columns need no escape.
    joined = "".join([value for value in values if value])
    for character, escape in escapes.items():
        if character in joined:
            values = [v if v is None else v.replace(character, escape) for v in values]
    return values
