"""What is decided about the end of periods and years."""

from __future__ import annotations

import datetime

from book.end_of_day import unfinished_day
from book.month_ends import MonthEnd
from book.months import month_ended_on
from book.state import Book
from commands.decision import Decide, Decision, Steps
from commands.months import line_balances
from commands.slices import Sums
from schemas.books import ClosePeriod, PeriodClosed
from schemas.closing import CloseYear, PeriodBalances, YearClosed
from schemas.message import Date, Event
from schemas.rejections import reject

_A_DAY = datetime.timedelta(days=1)
CLOSED_AT_ONCE = 250
"""How many income and expense accounts one event carries to retained earnings."""


def close_period(book: Book, command: ClosePeriod, at_ms: int) -> Decision:
    """Rejected, in this order: period_not_open (the date is before the open period, or not before today),
    day_not_finished (work of end of day has still to book to the period).
    """
    if not book.open_from <= command.through < book.business_date:
        return reject(
            "period_not_open", date=command.through.isoformat(), open_from=book.open_from.isoformat()
        )
    if (unfinished := unfinished_day(book, command.through)) is not None:
        return reject("day_not_finished", date=unfinished.isoformat())
    return _closed(book, command.through)


def _closed(book: Book, through: Date) -> tuple[Event, ...]:
    """The period's end, with the closing balances of each month that ends with it."""
    ended = [one for one in book.closing.months if one.day <= through.toordinal()]
    return (
        PeriodClosed(open_from=through + _A_DAY),
        *(
            PeriodBalances(through=Date.fromordinal(one.day), lines=line_balances(one.sums.lines))
            for one in ended
        ),
    )


def close_year(book: Book, command: CloseYear, at_ms: int) -> Decision:
    """Rejected, in this order: day_not_finished (its last one), period_not_open (of its last day),
    account_not_found, account_not_open, account_kind_mismatch (these three account by account),
    currency_mismatch (income or expense in a currency without retained earnings), overflow.
    """
    last = Date(command.year, 12, 31)
    month = month_ended_on(book, last)
    if last >= book.open_from and (month is None or unfinished_day(book, last) is not None):
        return reject("day_not_finished", date=last.isoformat())
    if month is None or last < book.open_from:
        return reject("period_not_open", date=last.isoformat(), open_from=book.open_from.isoformat())
    retained: dict[str, str] = {}
    for account_id in command.retained_earnings:
        account = book.accounts.get(account_id)
        if account is None:
            return reject("account_not_found", account=account_id)
        if not account.is_open:
            return reject("account_not_open", account=account_id)
        if account.kind != "equity":
            return reject("account_kind_mismatch", detail=f"{account_id} is not of kind equity.")
        retained.setdefault(account.currency, account_id)
    results = _results(book, month)
    sums = Sums(book)
    for account_id, balance in results:
        currency = book.accounts[account_id].currency
        if currency not in retained:
            return reject(
                "currency_mismatch",
                account=account_id,
                account_currency=currency,
                currency=", ".join(retained),
            )
        if not sums.add([(account_id, -balance), (retained[currency], balance)]):
            return reject("overflow", account=retained[currency])
    return _carried(book, command.year, results, retained)


def _results(book: Book, month: MonthEnd) -> list[tuple[str, int]]:
    """What each income and expense account came to. What a closed one held has gone elsewhere since."""
    return [
        (account_id, balance)
        for account_id, balance in month.sums.results.items()
        if balance and book.accounts[account_id].is_open
    ]


def _carried(book: Book, year: int, results: list[tuple[str, int]], retained: dict[str, str]) -> Steps:
    last = Date(year, 12, 31)
    for start in range(0, len(results), CLOSED_AT_ONCE):
        sums = Sums(book)
        for account_id, balance in results[start : start + CLOSED_AT_ONCE]:
            sums.add([(account_id, -balance), (retained[book.accounts[account_id].currency], balance)])
        yield YearClosed(
            year=year, booking_date=book.business_date, value_date=last, postings=sums.postings()
        )
    yield from _closed(book, last)


DECIDE: dict[type, Decide] = {ClosePeriod: close_period, CloseYear: close_year}
