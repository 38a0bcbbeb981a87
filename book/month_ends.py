"""What is remembered of months that have ended and are still open. Plain state, without `Book`.

When a month is over its balances are not known yet: accounts are added up in slices while the book goes on.
What has moved since is remembered until then, so that an account counts with what it held at midnight.
"""

from __future__ import annotations

import datetime

import msgspec

MOST_MONTHS = 36
"""How many are remembered where no period is closed."""


class Balances(msgspec.Struct):
    """What adds up. lines: by ledger and currency.   results: of income and expense, by account."""

    lines: dict[str, int] = {}
    results: dict[str, int] = {}

    def add(self, line: str, amount: int) -> None:
        """A line of the chart holds more in a currency."""
        self.lines[line] = self.lines.get(line, 0) + amount

    def add_result(self, account: str, amount: int) -> None:
        """An account of kind income or expense holds more."""
        self.results[account] = self.results.get(account, 0) + amount


class MonthEnd(msgspec.Struct):
    """A month that is over. day: its last one, as an ordinal.   accounts: how many there were.

    sums: balances by value date at its end, of the accounts that are added up; of all that came since with a
    value date in it; less what was booked in it with a later one.
    since: what moved since it ended, and before the next month did, by account; None once all are added up.
    """

    day: int
    accounts: int
    sums: Balances
    since: dict[str, int] | None


class Closing(msgspec.Struct):
    """months: that ended and whose period is open, oldest first.

    forward: what was booked with a value date that was still to come, by its month; see `month_of`.
    """

    months: list[MonthEnd] = []
    forward: dict[int, Balances] = {}


def month_of(day: datetime.date) -> int:
    """Months are numbered; the next one has the next number."""
    return day.year * 12 + day.month
