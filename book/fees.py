"""The fees that can still be given back: those charged on the business days that transfers are kept of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from book.books import day_of, posted_day
from book.state import Book
from book.transfers import post
from schemas.fees import Fee, FeeWaived


def charged(book: Book, seq: int, fees: tuple[Fee, ...]) -> None:
    """The event `seq` charged these. Whatever has a field `fees` is noted here by `book/evolve.py`."""
    posted_day(book, seq).fees[seq] = fees


def returned(book: Book, seq: int) -> None:
    """What the event charged went back together with it, and cannot be waived any more."""
    day = day_of(book, seq)
    if day is not None:
        day.fees.pop(seq, None)


def fees_left(book: Book, seq: int) -> tuple[Fee, ...]:
    """The fees of an event that can still be given back."""
    day = day_of(book, seq)
    return () if day is None else day.fees.get(seq, ())


def find_fee(book: Book, seq: int, account: str, line: str) -> Fee | None:
    """A fee that was charged, if it can still be given back."""
    return next((one for one in fees_left(book, seq) if one.account == account and one.line == line), None)


def fee_waived(book: Book, event: FeeWaived) -> None:
    """The fee is given back; a reversal of what it was charged for does not give it back again."""
    post(book, event.postings)
    day = day_of(book, event.charged)
    assert day is not None, "only a fee that the book remembers is waived"
    fees = list(day.fees[event.charged])
    fees.remove(event.fee)
    if fees:
        day.fees[event.charged] = tuple(fees)
    else:
        del day.fees[event.charged]
    for payment in book.payments.by_id.values():  # a waiver is rare, and given for one by hand
        if payment.charged_seq == event.charged:
            left = list(payment.fees)
            left.remove(event.fee)
            payment.fees = tuple(left)


EVOLVE: dict[type, Callable[[Book, Any], None]] = {FeeWaived: fee_waived}
