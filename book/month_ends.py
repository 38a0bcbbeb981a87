"""What is remembered of months that have ended and are still open. Plain state, without `Book`."""

from __future__ import annotations

import msgspec

MOST_MONTHS = 36
"""How many are remembered where no period is closed."""


class MonthEnd(msgspec.Struct):
    """Balances by value date at the end of a month's last day, as an ordinal.

    lines: by ledger and currency.   results: of income and expense, by account.
    """

    day: int
    lines: dict[str, int]
    results: dict[str, int]


class Forward(msgspec.Struct, gc=False):
    """A posting whose value date was still to come when it was booked. day: that date, as an ordinal."""

    day: int
    account: str
    amount: int


class Closing(msgspec.Struct):
    """months: that ended and whose period is open, oldest first.   forward: what has yet to count."""

    months: list[MonthEnd] = []
    forward: list[Forward] = []
