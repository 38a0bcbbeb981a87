"""What changes months that have ended: accounts that are added up, and what is booked later for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.month_ends import MOST_MONTHS, Balances, MonthEnd, month_of
from book.state import Account, Book
from schemas.closing import ClosingBalancesAdded, MonthEnded
from schemas.message import Date
from schemas.postings import MoneyEvent

RESULTS = ("income", "expense")
"""The kinds of account whose balances are a year's result."""


def line_key(account: Account) -> str:
    """Under which an account is summed. No id holds a line feed."""
    return f"{account.ledger}\n{account.currency}"


def month_is_over(book: Book, day: Date) -> None:
    """The last day of a month has closed. Its balances are added up later, so from here on it is remembered
    what moves; what was booked with a later month's value date is taken off at once, since that is few sums.
    """
    closing, month = book.closing, month_of(day)
    later = Balances({}, {})
    closing.forward = {valued: sums for valued, sums in closing.forward.items() if valued > month}
    for sums in closing.forward.values():
        for line, amount in sums.lines.items():
            later.add(line, -amount)
        for account, amount in sums.results.items():
            later.add_result(account, -amount)
    closing.months.append(MonthEnd(day.toordinal(), len(book.accounts), later, {}))
    del closing.months[:-MOST_MONTHS]


def moved(book: Book, event: MoneyEvent) -> None:
    """Money moved while the newest month that has ended is not added up."""
    since = book.closing.months[-1].since
    assert since is not None, "what has moved is asked for as long as accounts are added up"
    for posting in event.postings:
        since[posting.account] = since.get(posting.account, 0) + posting.amount


def valued_elsewhere(book: Book, event: MoneyEvent) -> None:
    """Money moved with another value date than today's: months that have ended, or have not, count it."""
    closing = book.closing
    if event.value_date > event.booking_date:
        sums = closing.forward.setdefault(month_of(event.value_date), Balances({}, {}))
        _count(book, sums, event)
        return
    day = event.value_date.toordinal()
    for month in closing.months:
        if day <= month.day:
            _count(book, month.sums, event)


def _count(book: Book, sums: Balances, event: MoneyEvent) -> None:
    for posting in event.postings:
        account = book.accounts[posting.account]
        sums.add(line_key(account), posting.amount)
        if account.kind in RESULTS:
            sums.add_result(posting.account, posting.amount)


def balances_added(book: Book, event: ClosingBalancesAdded) -> None:
    """A slice of the accounts counts in the month."""
    month = month_ended_on(book, event.business_date)
    assert month is not None, "the month is over"
    assert month.since is not None, "its accounts are added up once"
    assert event.first == book.end_of_day.done, "a slice begins where the one before ended"
    for line in event.lines:
        month.sums.add(f"{line.ledger}\n{line.currency}", line.balance)
    for result in event.results:
        month.sums.add_result(result.account, result.balance)


def month_ended(book: Book, event: MonthEnded) -> None:
    """All accounts count, so what has moved since is in the way no longer."""
    month = month_ended_on(book, event.business_date)
    assert month is not None, "the month is over"
    balances = {f"{one.ledger}\n{one.currency}": one.balance for one in event.lines}
    assert balances == month.sums.lines, "a month's balances are those of its slices"
    month.since = None


def month_ended_on(book: Book, day: Date) -> MonthEnd | None:
    """The month that ended with that day, while it is remembered."""
    ordinal = day.toordinal()
    return next((one for one in book.closing.months if one.day == ordinal), None)


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    ClosingBalancesAdded: balances_added,
    MonthEnded: month_ended,
}
