"""What changes months that have ended: their end, and whatever is booked later with an earlier value date."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.month_ends import MOST_MONTHS, Forward, MonthEnd
from book.state import Account, Book
from book.transfers import post
from schemas.closing import MonthEnded, PeriodBalances, YearClosed
from schemas.postings import MoneyEvent

RESULTS = ("income", "expense")
"""The kinds of account whose balances are a year's result."""


def line_key(account: Account) -> str:
    """Under which an account is summed. No id holds a line feed."""
    return f"{account.ledger}\n{account.currency}"


def valued_elsewhere(book: Book, event: MoneyEvent) -> None:
    """Money moved with another value date than today's: months that have ended, or have not, count it."""
    closing, day = book.closing, event.value_date.toordinal()
    if event.value_date > event.booking_date:
        closing.forward += [Forward(day, posting.account, posting.amount) for posting in event.postings]
        return
    for month in closing.months:
        if day <= month.day:
            for posting in event.postings:
                account = book.accounts[posting.account]
                key = line_key(account)
                month.lines[key] = month.lines.get(key, 0) + posting.amount
                if account.kind in RESULTS:
                    month.results[posting.account] = month.results.get(posting.account, 0) + posting.amount


def month_ended(book: Book, event: MonthEnded) -> None:
    """The month's balances are remembered until its period is closed."""
    day = event.business_date.toordinal()
    closing = book.closing
    closing.months.append(
        MonthEnd(
            day,
            {f"{one.ledger}\n{one.currency}": one.balance for one in event.lines},
            {one.account: one.balance for one in event.results},
        )
    )
    del closing.months[:-MOST_MONTHS]
    closing.forward = [one for one in closing.forward if one.day > day]


def year_closed(book: Book, event: YearClosed) -> None:
    """Income and expense begin at zero; what they came to is retained."""
    post(book, event.postings)


def period_balances(book: Book, event: PeriodBalances) -> None:
    """The month is closed for good, and nothing of it has to be remembered."""
    book.closing.months = [one for one in book.closing.months if one.day > event.through.toordinal()]


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    MonthEnded: month_ended,
    PeriodBalances: period_balances,
    YearClosed: year_closed,
}
