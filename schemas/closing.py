"""The end of months, periods and years: closing balances, and results carried to retained earnings.

All of it counts by value date, so that a month has all its interest: the last day's is booked the day after.
"""

from __future__ import annotations

from typing import Annotated

import annotated_types as at
import msgspec
from msgspec import Meta

from schemas.fields import AccountId
from schemas.message import Command, Date, Event
from schemas.postings import Posting


class LineBalance(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What a line of the chart of accounts holds in a currency. balance: minor units, positive is credit."""

    ledger: str
    currency: str
    balance: int


class ResultBalance(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What an account of kind income or expense holds. balance: minor units, positive is credit."""

    account: str
    balance: int


class CloseYear(Command, tag="CloseYear"):
    """Carry a year's income and expense to retained earnings, and close its last period.

    retained_earnings: an account of kind `equity` for every currency in which there was any.
    """

    year: Annotated[int, Meta(ge=1970, le=9_997), at.Ge(1970), at.Le(9_997)]
    retained_earnings: Annotated[tuple[AccountId, ...], Meta(max_length=200), at.MaxLen(200)]


class ClosingBalancesAdded(Event, tag="ClosingBalancesAdded"):
    """A slice of the accounts was added to the closing balances of a month that is over.

    business_date: the month's last.   first, last: which accounts, in the order in which they were opened;
    the last is not among them.   lines, results: what they held when that day closed, whatever moved since.
    """

    business_date: Date
    first: int
    last: int
    lines: tuple[LineBalance, ...]
    results: tuple[ResultBalance, ...]


class MonthEnded(Event, tag="MonthEnded"):
    """All accounts are in the closing balances of a month. What comes later with a value date in it changes
    them until its period is closed.

    lines: what has a value date by then, of all that was booked by now. They sum to zero per currency.
    """

    business_date: Date
    lines: tuple[LineBalance, ...]


class PeriodBalances(Event, tag="PeriodBalances"):
    """The closing balances of a month whose period was closed. They sum to zero per currency."""

    through: Date
    lines: tuple[LineBalance, ...]


class YearClosed(Event, tag="YearClosed"):
    """A slice of a year's income and expense accounts was carried to retained earnings: each is zero."""

    year: int
    booking_date: Date
    value_date: Date
    postings: tuple[Posting, ...]


COMMANDS = (CloseYear,)
EVENTS = (ClosingBalancesAdded, MonthEnded, PeriodBalances, YearClosed)
