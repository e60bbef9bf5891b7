"""The present as the database keeps it, and what an eta means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from connector.exception import JobDefinitionError

Eta: TypeAlias = datetime | timedelta | int | float | None


def utc_now() -> datetime:
    """The present: UTC, without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def eta_time(eta: Eta) -> datetime | None:
    """
    The moment that an eta means: a moment, a span or seconds from now, or none.

    A moment without a zone is UTC.

    Raises:
        JobDefinitionError: it is nothing of these, or beyond the calendar.
    """
    if not eta:
        return None
    try:
        if isinstance(eta, datetime):
            return eta.astimezone(UTC).replace(tzinfo=None) if eta.tzinfo else eta
        return utc_now() + (eta if isinstance(eta, timedelta) else timedelta(seconds=eta))
    except (TypeError, ValueError, OverflowError) as error:
        raise JobDefinitionError(
            f"{eta!r} is no eta: give seconds, a timedelta or a datetime. ({error})"
        ) from error
