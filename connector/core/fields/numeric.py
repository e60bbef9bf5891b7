"""Boolean, Integer and Float: fields whose values are numbers to PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connector.core.exceptions import FieldValueError
from connector.core.fields.base import Field, Records

__all__ = ["Boolean", "Float", "Integer"]

INTEGER_MAX = 2**31 - 1
INTEGER_MIN = -(2**31)


class Boolean(Field):
    """True or false; NULL reads as false."""

    type = "boolean"
    column_type = "bool"
    missing = False
    plain_text = True

    def to_cache(self, value: Any, records: Records = None) -> Any:
        return bool(value)

    def to_cache_column(self, values: list[Any], records: Records = None) -> list[Any]:
        return values if set(map(type, values)) == {bool} else list(map(bool, values))


class Integer(Field):
    """A whole number of four bytes; NULL reads as 0."""

    type = "integer"
    column_type = "int4"
    key_type = int
    null = 0
    plain_text = True

    def to_cache(self, value: Any, records: Records = None) -> Any:
        if value is None:
            return None
        if type(value) is not int:
            value = self._whole(value)
        if not INTEGER_MIN <= value <= INTEGER_MAX:
            raise self.refuse(value, f"It lies outside {INTEGER_MIN} .. {INTEGER_MAX}.")
        return value

    def _whole(self, value: Any) -> int:
        try:
            number = int(0 if value in ("", False) else value)
            if isinstance(value, (float, Decimal)) and number != value:
                raise ValueError
        except (TypeError, ValueError, OverflowError) as error:
            raise self.refuse(value, "Give a whole number.") from error
        return number

    def to_cache_column(self, values: list[Any], records: Records = None) -> list[Any]:
        if (
            set(map(type, values)) == {int}
            and max(values) <= INTEGER_MAX
            and min(values) >= INTEGER_MIN
        ):
            return values
        return super().to_cache_column(values, records)

    def to_search(self, value: Any) -> Any:
        # A fraction or a number beyond the column's range is in no row, and no error.
        return value if isinstance(value, (int, float, Decimal)) else self._whole(value)


class Float(Field):
    """
    A number; NULL reads as 0.0.

    With ``digits=(precision, scale)`` the column is numeric and values are rounded to *scale*
    decimals, halves away from zero; without, it is a double.
    """

    type = "float"
    column_type = "float8"
    null = 0.0
    plain_text = True
    digits: tuple[int, int] | None = None

    def __init__(
        self, string: str | None = None, digits: tuple[int, int] | None = None, **arguments: Any
    ) -> None:
        if digits is not None:
            arguments["digits"] = digits
        super().__init__(string, **arguments)

    def _settle(self) -> None:
        if self.digits:
            precision, scale = self.digits
            self.column_type = f"numeric({int(precision)},{int(scale)})"
            self._step_size = Decimal(1).scaleb(-scale)
            self.decodes = True
        super()._settle()

    def to_cache(self, value: Any, records: Records = None) -> Any:
        if value is None:
            return None
        try:
            number = value if type(value) is float else float(0.0 if value == "" else value)
        except (TypeError, ValueError, OverflowError) as error:
            raise self.refuse(value, "Give a number.") from error
        return self._rounded(value, number) if self.digits else number

    def _rounded(self, value: Any, number: float) -> float:
        assert self.digits
        if not abs(number) < 10.0 ** (self.digits[0] - self.digits[1]):  # NaN is not less either
            raise self._too_long(value)
        # Decimal(repr) rounds what a person wrote: 2.675 is 2.68, though the double is less.
        exact = value if isinstance(value, Decimal) else Decimal(repr(number))
        rounded = float(exact.quantize(self._step_size, ROUND_HALF_UP))
        if abs(rounded) >= 10.0 ** (self.digits[0] - self.digits[1]):
            raise self._too_long(value)
        return rounded

    def _too_long(self, value: Any) -> FieldValueError:
        assert self.digits
        before = self.digits[0] - self.digits[1]
        return self.refuse(value, f"Give a number of at most {before} digits before the point.")

    def to_cache_column(self, values: list[Any], records: Records = None) -> list[Any]:
        if not self.digits and set(map(type, values)) == {float}:
            return values
        return super().to_cache_column(values, records)

    def to_search(self, value: Any) -> Any:
        try:
            return float(value)
        except (TypeError, ValueError) as error:
            raise self.refuse(value, "Give a number.") from error

    def from_column(self, values: Sequence[Any]) -> Sequence[Any]:
        return [None if value is None else float(value) for value in values]

    def as_text(self, values: Iterable[Any]) -> list[str | None]:
        return [None if value is None else repr(value) for value in values]

    def description(self, env: Any) -> dict[str, Any]:
        return {**super().description(env), "digits": self.digits}
