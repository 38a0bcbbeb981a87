"""A calendar in force, as decisions ask it: plain state, without `Book`."""

from __future__ import annotations

from bisect import bisect_left
from typing import get_args

import msgspec

from schemas.documents.calendars import Calendar, Weekday
from schemas.message import Date

_WEEKDAYS: tuple[str, ...] = get_args(Weekday)


class BankingDays(msgspec.Struct, frozen=True, gc=False):
    """weekend: days of the week, Monday is 0.   holidays: proleptic ordinals, in order."""

    weekend: tuple[int, ...]
    holidays: tuple[int, ...]

    def has(self, day: Date) -> bool:
        """Whether that day is a banking day."""
        if day.weekday() in self.weekend:
            return False
        ordinal = day.toordinal()
        place = bisect_left(self.holidays, ordinal)
        return self.holidays[place : place + 1] != (ordinal,)


def banking_days(calendar: Calendar) -> BankingDays:
    """The document, ready to be asked."""
    return BankingDays(
        tuple(sorted(_WEEKDAYS.index(day) for day in calendar.weekend)),
        tuple(holiday.date.toordinal() for holiday in calendar.holidays),
    )
