"""Arithmetic of dates, without any calendar of holidays."""

from __future__ import annotations

import calendar
import datetime
import functools

HOUR_MS = 3_600_000


def months_later(day: datetime.date, months: int) -> datetime.date:
    """The same day of a later month, or that month's last where it has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return day.replace(year=year, month=month, day=min(day.day, calendar.monthrange(year, month)[1]))


def hour_of(at_ms: int) -> int:
    """The hours since 1970 at that moment."""
    return _same(at_ms // HOUR_MS)


@functools.lru_cache(maxsize=256)
def _same(hour: int) -> int:
    """The same number, but one object for all that were made in that hour: less memory."""
    return hour
