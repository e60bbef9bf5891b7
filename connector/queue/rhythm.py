"""When something periodic is due: moments of equal distance, or of one day in each month."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta

from connector.exception import JobDefinitionError

MONTHS = "months"
UNITS = {unit: timedelta(**{unit: 1}) for unit in ("minutes", "hours", "days", "weeks")}


@dataclass(frozen=True)
class Rhythm:
    """
    Every *number* units from *first* on; the moment of index 0 is *first*.

    Raises:
        JobDefinitionError: it does not go forward, or the unit is unknown.
    """

    first: datetime
    number: int
    unit: str
    #: The day that months keep which have it; a shorter one has its last.
    day: int

    def __post_init__(self) -> None:
        if not (self.number and self.number > 0 and (self.unit == MONTHS or self.unit in UNITS)):
            raise JobDefinitionError(
                f"Every {self.number} {self.unit} leads to no next time. "
                f"Give a number from 1 on of {', '.join([*UNITS, MONTHS])}."
            )

    def moment(self, index: int) -> datetime:
        """
        When it is due for the time of that index.

        Raises:
            JobDefinitionError: that is beyond the calendar.
        """
        try:
            if self.unit != MONTHS:
                return self.first + index * self.number * UNITS[self.unit]
            year, month = divmod(
                self.first.year * 12 + self.first.month - 1 + index * self.number, 12
            )
            day = min(self.day, monthrange(year, month + 1)[1])
            return self.first.replace(year=year, month=month + 1, day=day)
        except (ValueError, OverflowError) as error:
            raise JobDefinitionError(
                f"Every {self.number} {self.unit} leads beyond the calendar."
            ) from error

    def count_until(self, now: datetime) -> int:
        """How many moments are not after *now*, which is not before the first."""
        if self.unit != MONTHS:
            return (now - self.first) // (self.number * UNITS[self.unit]) + 1
        months = (now.year - self.first.year) * 12 + now.month - self.first.month
        last = months // self.number
        return last + (self.moment(last) <= now)


def day_of_month(moment: datetime, kept: int | None) -> int:
    """
    The day that monthly moments keep: of one on the 31st too, where a month has fewer days.

    One that somebody has put on another day keeps that one.
    """
    last = monthrange(moment.year, moment.month)[1]
    return kept if kept and min(kept, last) == moment.day else moment.day
