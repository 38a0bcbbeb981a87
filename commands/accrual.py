"""The arithmetic of interest, exact: a day's interest on a balance, and how days are counted.

Everything is an integer over `UNITS` of a minor unit: balance (minor units) x rate (`RATE_SCALE`) x days of
the day count, over the days of its year. Nothing is rounded here.
"""

from __future__ import annotations

import datetime

from book.accruals import Side
from schemas.documents.interest import DayCount
from schemas.interest import YEARS
from schemas.message import Date

_A_DAY = datetime.timedelta(days=1)


def day_weight(day_count: DayCount, day: Date) -> int:
    """What the day counts for, of a year that is `YEARS`: the time from it to the day after."""
    match day_count:
        case "ACT/365":
            return YEARS // 365
        case "ACT/360":
            return YEARS // 360
        case "30/360":
            return bond_days(day, day + _A_DAY) * (YEARS // 360)


def bond_days(first: Date, last: Date) -> int:
    """Days from one date to another by the bond basis: ISDA 2006, section 4.16(f), "30/360".

    A 31st as the first date is a 30th; a 31st as the last date is a 30th where the first is one. So a 30th of
    a month of 31 days counts none, and the 28th of February in a common year counts three: every whole month
    from first to first has 30 days.
    """
    first_day = min(first.day, 30)
    last_day = 30 if last.day == 31 and first_day == 30 else last.day
    return 360 * (last.year - first.year) + 30 * (last.month - first.month) + last_day - first_day


def yearly(side: Side, balance: int) -> int:
    """A year's interest on a balance above zero: minor units x `RATE_SCALE`."""
    floors, rates = side.floors, side.rates
    if side.whole:
        reached = 0
        while reached + 1 < len(floors) and balance >= floors[reached + 1]:
            reached += 1
        return balance * rates[reached]
    total = 0
    for index in range(len(floors) - 1, -1, -1):
        if balance > floors[index]:
            total += (balance - floors[index]) * rates[index]
            balance = floors[index]
    return total
