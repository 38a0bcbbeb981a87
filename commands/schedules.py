"""The dates of an order: counted from its first one, so that the end of a short month moves none after it."""

from __future__ import annotations

import calendar
import datetime

from book.order import Order
from book.state import Book
from commands.calendar import midnight_ms
from commands.calendars import adjusted
from schemas.message import Date
from schemas.orders import Every

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def nth_date(every: Every, first: Date, day: int, number: int) -> Date | None:
    """The date of that number, 0 for the first; None where there is none, or none that the book could reach.

    day: of the month, for months, quarters and years; the month's last day where it has no such day.
    """
    if every == "once":
        return first if number == 0 else None
    if every in _DAYS:
        ordinal = first.toordinal() + number * _DAYS[every]
        return Date.fromordinal(ordinal) if ordinal < Date.max.toordinal() - 366 else None
    years, month = divmod(first.month - 1 + number * _MONTHS[every], 12)
    year, month = first.year + years, month + 1
    if year >= Date.max.year:
        return None
    return datetime.date(year, month, min(day, calendar.monthrange(year, month)[1]))


class Next:
    """The next date of an order. passed: how many of its dates were left out on the way.

    number, date: which one it is; date is None where there is none.   due_ms: when it is due.
    """

    def __init__(
        self, book: Book, order: Order, number: int, after: Date | None, left: int | None, at_ms: int
    ) -> None:
        """The first date from `number` on that the calendar puts after `after`, if the order goes so far.

        left: how many dates it has from there on; None for no end of them.
        """
        self.passed = 0
        self.number = number
        self.date: Date | None = None
        self.due_ms: int | None = None
        while left is None or self.passed < left:
            date = nth_date(order.every, order.first, order.day, self.number)
            if date is None or (order.until is not None and date > order.until):
                return
            day = adjusted(book, order.calendar, date, order.convention)
            if after is None or day > after:
                self.date = date
                self.due_ms = max(at_ms, midnight_ms(book.time_zone, day))
                return
            self.number += 1
            self.passed += 1
