"""Working time: how much of it lies between two moments, and when so much of it is over.

Exact to the millisecond by the clocks of the policy's zone, on the days on which they change too: what is
open from 00:00 to 00:00 has 23 or 25 hours then. An hour that there is twice begins with its first and ends
with its second; one that there is not is read by the clock as it was before.
"""

from __future__ import annotations

import datetime
import functools

from book.state import Book
from commands.calendar import EPOCH, local_date, zone
from commands.calendars import is_banking_day
from schemas.documents.case_policy import Hours, minute_of
from schemas.fields import LATEST_MS
from schemas.message import Date

_A_DAY = datetime.timedelta(days=1)
_MS = datetime.timedelta(milliseconds=1)
MINUTE_MS = 60_000


def working_ms(book: Book, hours: Hours, from_ms: int, to_ms: int) -> int:
    """Working time from one moment to another, 0 where that is not after it."""
    found = 0
    if to_ms <= from_ms:
        return found
    day, last = local_date(hours.time_zone, from_ms), local_date(hours.time_zone, to_ms)
    while day <= last:
        opens, closes = _open(book, hours, day)
        found += max(0, min(closes, to_ms) - max(opens, from_ms))
        if day == Date.max:
            break
        day += _A_DAY
    return found


def due_ms(book: Book, hours: Hours, from_ms: int, after_ms: int) -> int:
    """The first moment by which so much working time has passed since `from_ms`; at the latest the end of
    time.
    """
    left = after_ms
    if left <= 0:
        return from_ms
    day = local_date(hours.time_zone, from_ms)
    while day < Date.max:
        opens, closes = _open(book, hours, day)
        begins = max(opens, from_ms)
        if closes - begins >= left:
            return min(begins + left, LATEST_MS)
        left -= max(0, closes - begins)
        day += _A_DAY
    return LATEST_MS


def _open(book: Book, hours: Hours, day: Date) -> tuple[int, int]:
    """When working time begins and ends that day; the same moment twice where there is none."""
    opens, closes = _hours(hours.time_zone, hours.opens, hours.closes, day)
    return (opens, closes) if is_banking_day(book, hours.calendar or "", day) else (opens, opens)


@functools.lru_cache(maxsize=4_096)
def _hours(time_zone: str, opens: str, closes: str, day: Date) -> tuple[int, int]:
    """The same days are asked about again and again."""
    opens_ms = _moment(time_zone, day, minute_of(opens))
    if not (minute := minute_of(closes)):
        return opens_ms, _moment(time_zone, day + _A_DAY, 0)
    last = (_moment(time_zone, day, minute, fold=fold) for fold in (0, 1))
    return opens_ms, max(opens_ms, *last)


def _moment(time_zone: str, day: Date, minute: int, *, fold: int = 0) -> int:
    local = datetime.datetime.combine(
        day, datetime.time(minute // 60, minute % 60, fold=fold), zone(time_zone)
    )
    return (local - EPOCH) // _MS
