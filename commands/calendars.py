"""Banking days by the calendars in force, and on which day something can be sent that is asked for now.

A calendar's name may be empty: then every day is a banking day.
"""

from __future__ import annotations

import datetime

from book.state import Book
from commands.calendar import local_date, local_minute
from schemas.documents.calendars import Convention
from schemas.message import Date

_A_DAY = datetime.timedelta(days=1)


def is_banking_day(book: Book, calendar: str, day: Date) -> bool:
    """Whether the calendar in force has that day as a banking day."""
    return not calendar or book.in_force.calendars[calendar].has(day)


def next_banking_day(book: Book, calendar: str, day: Date) -> Date:
    """That day, or the first banking day after it; the end of time has one."""
    while not is_banking_day(book, calendar, day) and day < Date.max:
        day += _A_DAY
    return day


def previous_banking_day(book: Book, calendar: str, day: Date) -> Date:
    """That day, or the last banking day before it."""
    while not is_banking_day(book, calendar, day) and day > Date.min:
        day -= _A_DAY
    return day


def adjusted(book: Book, calendar: str, day: Date, convention: Convention) -> Date:
    """Where the convention puts a date."""
    if convention == "preceding":
        return previous_banking_day(book, calendar, day)
    following = next_banking_day(book, calendar, day)
    if convention == "modified_following" and following.month != day.month:
        return previous_banking_day(book, calendar, day)
    return following


def add_banking_days(book: Book, calendar: str, day: Date, days: int) -> Date:
    """The banking day that is so many (0 or more) after `day`, which is moved to the next one first."""
    day = next_banking_day(book, calendar, day)
    for _ in range(days):
        day = next_banking_day(book, calendar, day + _A_DAY)
    return day


def execution_date(
    book: Book, calendar: str, cut_off: str | None, at_ms: int, wanted: Date | None = None
) -> Date:
    """The first banking day on which a payment asked for now can be sent, and not before `wanted`.

    cut_off: until when it leaves on the same banking day, `HH:MM` by the clocks of the book's time zone; what
    is asked for at that minute or later leaves on the next one. None: until midnight.
    """
    day = local_date(book.time_zone, at_ms)
    if cut_off is not None and is_banking_day(book, calendar, day):
        minute = int(cut_off[:2]) * 60 + int(cut_off[3:])
        if local_minute(book.time_zone, at_ms) >= minute:
            day += _A_DAY
    return next_banking_day(book, calendar, day if wanted is None else max(day, wanted))
