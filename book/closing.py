"""What changes when periods and years close: what is remembered of months, and results that are retained."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.state import Book
from book.transfers import post
from schemas.closing import PeriodBalances, YearClosed


def year_closed(book: Book, event: YearClosed) -> None:
    """Income and expense begin at zero; what they came to is retained."""
    post(book, event.postings)


def period_balances(book: Book, event: PeriodBalances) -> None:
    """The month is closed for good, and nothing of it has to be remembered."""
    book.closing.months = [one for one in book.closing.months if one.day > event.through.toordinal()]


EVOLVE: dict[type, Callable[[Book, Any], None]] = {
    PeriodBalances: period_balances,
    YearClosed: year_closed,
}
