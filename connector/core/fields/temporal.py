"""Date and Datetime: values are date and datetime objects; text in their formats is accepted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connector.core.fields.base import Field, Records

__all__ = ["DATETIME_FORMAT", "DATE_FORMAT", "Date", "Datetime"]

DATE_FORMAT = "%Y-%m-%d"
DATETIME_FORMAT = "%Y-%m-%d %H:%M:%S"


class Date(Field):
    """A day."""

    type = "date"
    column_type = "date"
    plain_text = True

    @staticmethod
    def today(*_: Any) -> date:
        """The day it is in UTC; fits as a default."""
        return datetime.now(UTC).date()

    @staticmethod
    def context_today(record: Any, timestamp: datetime | None = None) -> date:
        """The day it is (or is at *timestamp*) where the user is: in the context's ``tz``."""
        moment = (timestamp or datetime.now(UTC)).replace(tzinfo=UTC)
        zone = record.env.context.get("tz")
        return (moment.astimezone(ZoneInfo(zone)) if zone else moment).date()

    @staticmethod
    def from_string(value: Any) -> date | None:
        """
        The day that *value* writes, ``None`` for nothing.

        Raises:
            ValueError: it is no day.
        """
        if not value:
            return None
        if isinstance(value, datetime):
            return value.date()
        return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])

    @staticmethod
    def to_string(value: date | None) -> str | bool:
        """The day in writing, False for none."""
        return value.strftime(DATE_FORMAT) if value else False

    def to_cache(self, value: Any, records: Records = None) -> Any:
        try:
            return self.from_string(value)
        except ValueError as error:
            raise self.refuse(value, "Give a date, or text as 2026-01-31.") from error

    def to_cache_column(self, values: list[Any], records: Records = None) -> list[Any]:
        return values if set(map(type, values)) == {date} else list(map(self.to_cache, values))


class Datetime(Field):
    """A moment, kept in UTC without a zone. A value with a zone is brought to UTC."""

    type = "datetime"
    column_type = "timestamp"
    plain_text = True

    @staticmethod
    def now(*_: Any) -> datetime:
        """The moment it is, in UTC, to the second; fits as a default."""
        return datetime.now(UTC).replace(tzinfo=None, microsecond=0)

    @staticmethod
    def today(*_: Any) -> datetime:
        """The start of the day in UTC."""
        return Datetime.now().replace(hour=0, minute=0, second=0)

    @staticmethod
    def context_timestamp(record: Any, timestamp: datetime) -> datetime:
        """*timestamp* in the zone of the context's ``tz``."""
        zone = record.env.context.get("tz")
        return timestamp.replace(tzinfo=UTC).astimezone(ZoneInfo(zone) if zone else UTC)

    @staticmethod
    def from_string(value: Any) -> datetime | None:
        """
        The moment that *value* writes, in UTC without a zone; ``None`` for nothing.

        Raises:
            ValueError: it is no moment.
        """
        if not value:
            return None
        if isinstance(value, datetime):
            moment = value
        elif isinstance(value, date):
            moment = datetime(value.year, value.month, value.day)
        else:
            moment = datetime.fromisoformat(str(value))
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment

    @staticmethod
    def to_string(value: datetime | None) -> str | bool:
        """The moment in writing, False for none."""
        return value.strftime(DATETIME_FORMAT) if value else False

    def to_cache(self, value: Any, records: Records = None) -> Any:
        try:
            return self.from_string(value)
        except ValueError as error:
            raise self.refuse(value, "Give a datetime, or text as 2026-01-31 12:00:00.") from error

    def as_text(self, values: Iterable[Any]) -> list[str | None]:
        return [None if value is None else value.isoformat(" ") for value in values]
